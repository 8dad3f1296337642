/**
 * What a refusal of the token endpoint means. ended: the token is not accepted any more. interaction: the person must act at the
 * provider. permission: the person or the client may no longer have offline access. unclear: a dead token and a refused
 * client sound the same. operator: the client, the provider or its settings are at fault. transient: try again, nothing
 * happened. ambiguous: the provider may have rotated.
 */
export type RefusalMeaning =
  | 'ended'
  | 'interaction'
  | 'permission'
  | 'unclear'
  | 'operator'
  | 'transient'
  | 'ambiguous';

/** A refusal as it came, RFC 6749, section 5.2. */
export interface Refused {
  readonly status: number;
  /** `error`, else the status as a word. */
  readonly errorCode: string;
  /** What some providers add to tell cases of one `error` apart: `error_codes`, `suberror`, `error_subtype`. */
  readonly subcodes?: readonly string[];
  readonly description?: string;
  readonly retryAfterMs?: number;
}

/** What refusals mean that fit all of what is named here. */
export interface RefusalRule {
  readonly means: RefusalMeaning;
  /** The lowest and the highest status; any where absent. */
  readonly statuses?: readonly [lowest: number, highest: number];
  /** Values of `error`; any, and none at all, where absent. */
  readonly errors?: readonly string[];
  readonly subcodes?: readonly string[];
  /** Words of the description, only for a make whose source was read: descriptions are for people and change between versions. */
  readonly description?: RegExp;
}

const anyRefusal = [400, 499] as const;

/** Words for a missing permission: RFC 6749, section 5.2, and Keycloak's own. */
export const permissionErrors = ['invalid_scope', 'not_allowed'];

/** RFC 9110, sections 15.5.9 and 15.5.20, RFC 6585, section 4, and RFC 8470: the request was not whole, went astray or came too early, or there were too many. */
const wordsAboutRequests = ['http-408', 'http-421', 'http-425', 'http-429', 'slow_down'];

/** Whether a refusal says that there was something about the request, or too many of them, and thereby nothing of the token. */
export function isAboutRequests({ status, errorCode }: { status?: number; errorCode: string }): boolean {
  return status === 429 || wordsAboutRequests.includes(errorCode);
}

/** In general: RFC 6749, sections 5.2 and 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6; RFC 8628, section 3.5. */
const general: readonly RefusalRule[] = [
  { means: 'transient', statuses: [429, 429] },
  { means: 'transient', errors: [...wordsAboutRequests, 'temporarily_unavailable'] },
  { means: 'ended', statuses: anyRefusal, errors: ['invalid_grant'] },
  {
    means: 'interaction',
    statuses: anyRefusal,
    errors: [
      ...['interaction_required', 'login_required', 'consent_required', 'account_selection_required'],
      'unmet_authentication_requirements',
    ],
  },
  { means: 'permission', statuses: [400, 400], errors: permissionErrors },
  // Its own trouble, whatever the status; it may have come after the token was used.
  { means: 'ambiguous', errors: ['server_error'] },
  { means: 'ambiguous', statuses: [0, 299] },
  { means: 'ambiguous', statuses: [500, 999] },
  {
    means: 'operator',
    errors: ['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_dpop_proof', 'use_dpop_nonce'],
  },
  { means: 'unclear', statuses: [400, 400] },
  // Without a word of OAuth it comes from a proxy, or from an address that is wrong.
  { means: 'operator', errors: ['http-401', 'http-403'] },
  { means: 'unclear', statuses: [401, 403] },
  { means: 'operator' },
];

/** The meaning by the rules of the make of provider, else by the general ones. */
export function meaningOf(said: Refused, ofMake: readonly RefusalRule[] = []): RefusalMeaning {
  const refused = saysSo(said) && said.status < 300 ? { ...said, status: 400 } : said;
  if (refused.status === 503 && refused.retryAfterMs !== undefined) return 'transient';
  return [...ofMake, ...general].find((rule) => fits(rule, refused))?.means ?? 'operator';
}

/** Whether the body had a word of OAuth: then it is a refusal, whatever its status. */
function saysSo({ errorCode }: Refused): boolean {
  return !errorCode.startsWith('http-');
}

function fits(
  { statuses: [lowest, highest] = [0, 999], errors, subcodes, description }: RefusalRule,
  refused: Refused,
): boolean {
  return (
    refused.status >= lowest &&
    refused.status <= highest &&
    (errors?.includes(refused.errorCode) ?? true) &&
    (subcodes?.some((code) => refused.subcodes?.includes(code)) ?? true) &&
    (description?.test(refused.description ?? '') ?? true)
  );
}

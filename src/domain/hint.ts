/** What a refusal's description lets people guess. Only words follow from it: descriptions change between versions. */
export type Hint =
  | 'withdrawn_at_provider'
  | 'signed_out'
  | 'account_disabled'
  | 'permission_missing'
  | 'token_reused'
  | 'interaction_required';

/** As Keycloak 26 words them; another provider's words hint at nothing. */
const hints: readonly (readonly [RegExp, Hint])[] = [
  [/offline access not granted|not allowed for the user or client/i, 'permission_missing'],
  [/user disabled|unknown user/i, 'account_disabled'],
  [/reuse exceeded/i, 'token_reused'],
  [/stale token/i, 'signed_out'],
  [/session not found|session not active|doesn't have required client/i, 'withdrawn_at_provider'],
];

/** The hint in the `error_description` of a refusal (RFC 6749, section 5.2), if there is one. */
export function hintOf(description: unknown): Hint | undefined {
  if (typeof description !== 'string') return undefined;
  return hints.find(([words]) => words.test(description))?.[1];
}

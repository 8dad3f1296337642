import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';
import { meaningOf as refusalMeaningOf } from '../domain/refusal-meaning.ts';
import { AppError, type ErrorCode, failureCode } from '../errors.ts';
import { foreignIssuerIn, isAnswerToAnother, objectionTo } from './objection.ts';
import { refusedAddressIn } from './provider-hosts.ts';

interface Meaning {
  code: ErrorCode;
  message: string;
}

const noOfflineScope: Meaning = {
  code: 'consent/not-offline',
  message:
    'The provider does not offer this client a scope that Nightkeep requested, probably offline_access. An administrator of the provider can add it to the client of Nightkeep.',
};
const noScope: Meaning = {
  code: 'provider/refused-client',
  message:
    'The provider does not offer this client a scope that Nightkeep requests at sign-in: openid, profile, email, or one of OIDC_SCOPES. The operator must add it to the client at the provider, or take it out of OIDC_SCOPES.',
};
const refusedClient: Meaning = {
  code: 'provider/refused-client',
  message:
    'The provider does not accept Nightkeep itself. The operator must check the client id, its secret and its redirect address at the provider.',
};
const trouble: Meaning = {
  code: 'provider/unavailable',
  message: 'The OpenID provider says that it has a problem of its own. Try again soon.',
};
const wantsPerson: Meaning = {
  code: 'provider/refused',
  message:
    'Your provider wants to ask you something first. Open its own pages in this browser, sign in there and answer what it asks; then try again here.',
};

/** What each `error` of the provider means while a person stands in front of the page (RFC 6749, OpenID Connect Core). */
const meanings: Record<string, Meaning> = {
  access_denied: {
    code: 'consent/denied',
    message: 'You or your provider said no, so nothing was changed. Start again whenever you like.',
  },
  not_allowed: {
    code: 'consent/not-offline',
    message:
      'The provider does not let you give offline access: your account lacks the role for it (offline_access on Keycloak). An administrator of the provider can give you the role.',
  },
  invalid_grant: {
    code: 'consent/invalid-callback',
    message: 'The answer of the provider has already been used, or is too old. Start again.',
  },
  unauthorized_client: {
    code: 'provider/refused-client',
    message:
      'The provider does not let this client make requests of this kind. The operator must allow the client the authorization code flow and refresh tokens at the provider, and check its id and secret.',
  },
  ...meaning(refusedClient, 'invalid_client', 'invalid_request', 'invalid_redirect_uri', 'unsupported_response_type'),
  ...meaning(refusedClient, 'unsupported_grant_type', 'invalid_request_object', 'invalid_request_uri'),
  ...meaning(refusedClient, 'request_not_supported', 'request_uri_not_supported', 'invalid_dpop_proof'),
  ...meaning(trouble, 'server_error', 'temporarily_unavailable', 'slow_down'),
  ...meaning(wantsPerson, 'interaction_required', 'login_required', 'consent_required', 'account_selection_required'),
  ...meaning(wantsPerson, 'unmet_authentication_requirements'),
};

function meaning(same: Meaning, ...errors: readonly string[]): Record<string, Meaning> {
  return Object.fromEntries(errors.map((error) => [error, same]));
}

/** Whether the provider found fault with the request itself. */
export function isInvalidRequest(cause: unknown): boolean {
  return oauthErrorOf(cause) === 'invalid_request';
}

/** The client may not ask for offline access, whatever the provider called it. */
export function scopeMissing(cause: unknown): AppError {
  const { code, message } = noOfflineScope;
  return new AppError(code, message, { cause, detail: { error: 'invalid_scope' } });
}

/** Turns what the library threw into an AppError. The provider's own words stay in `cause`. `scope` is what was asked for. */
export function providerError(cause: unknown, scope = 'offline_access'): AppError {
  if (cause instanceof AppError) return cause;
  if (cause instanceof AuthorizationResponseError) return errorInAddress(cause, scope);
  const error = oauthErrorOf(cause);
  const detail = { error: error ?? failureCode(cause) };
  if (error !== undefined) return errorOfWord(error, scope, cause);
  const foreign = foreignIssuerIn(cause);
  if (foreign !== undefined) return new AppError('consent/foreign-answer', foreign, { cause, detail });
  const objection = objectionTo(cause);
  const refused = refusedAddressIn(cause);
  if (refused !== undefined) return new AppError('provider/wrong-answer', refused.message, { cause, detail });
  if (objection !== undefined) return new AppError('provider/wrong-answer', objection, { cause, detail });
  if (isAnswerToAnother(cause)) {
    return new AppError(
      'consent/invalid-callback',
      'The answer of the provider does not belong to what this browser began. Start again.',
      { cause, detail },
    );
  }
  return new AppError(
    'provider/unavailable',
    'The OpenID provider does not answer, or its answer is not valid. Try again soon.',
    {
      cause,
      detail,
      retry: { afterMs: 5_000 },
    },
  );
}

/** What an `error` of the provider means to a person in front of the page; `scope` is what was asked for. */
export function errorOfWord(error: string, scope: string, cause?: unknown): AppError {
  const { code, message } = meaningOf(error, scope);
  const retry = code === 'provider/unavailable' ? { retry: { afterMs: 5_000 } } : {};
  return new AppError(code, message, { cause, detail: { error: shown(error) }, ...retry });
}

/**
 * The same of an `error` in the address that the browser came back with (RFC 6749, section 4.1.2.1). Nobody vouches for it, so that it
 * makes neither an outage of the provider nor a fault of the client: who saw it says so to the operator, if it comes again.
 */
function errorInAddress(cause: AuthorizationResponseError, scope: string): AppError {
  const meant = errorOfWord(cause.error, scope, cause);
  if (meant.code !== 'provider/unavailable' && meant.code !== 'provider/refused-client') return meant;
  const then = meant.code === 'provider/unavailable' ? '' : 'If it comes again, show this to the operator: ';
  const message = `Your browser came back with the answer ${shown(cause.error)}, and nothing was changed. ${then}${meant.message}`;
  return new AppError('provider/refused', message, { cause, detail: meant.detail });
}

/** What it means that the token endpoint refuses with this status alone, nothing of OAuth; undefined where that may be the provider's own trouble. */
export function errorOfStatus(cause: unknown): AppError | undefined {
  const status = statusIn(cause);
  if (status === undefined || status < 300 || status >= 500) return undefined;
  const meaning = refusalMeaningOf({ status, errorCode: `http-${status}` });
  const detail = { error: `http-${status}` };
  if (meaning === 'operator')
    return new AppError('provider/refused-client', wordsOfBareStatus(status), { cause, detail });
  return meaning === 'unclear'
    ? new AppError(
        'provider/refused',
        `The provider refused with HTTP ${status} and did not say why. Start again; if it happens again, tell the operator, who must check the client id and its secret.`,
        { cause, detail },
      )
    : undefined;
}

/** What an operator does about a token endpoint that answers with this status and nothing of OAuth. */
export function wordsOfBareStatus(status: number | string): string {
  return `The address for tokens of the OpenID provider answers with HTTP ${status} and nothing of OpenID. The operator must check that address and what is in front of it, then the client id, its secret and its settings.`;
}

/** The status of the answer that the library could not read. */
function statusIn(error: unknown): number | undefined {
  for (let link = error; link instanceof Error; link = link.cause)
    if (link.cause instanceof Response) return link.cause.status;
  return undefined;
}

/** What it means that a browser which asks for authorization is shown an error of this status, and no question. */
export function errorOfPage(status: number): AppError {
  const detail = { error: `http-${status}` };
  if (status >= 500) return new AppError(trouble.code, trouble.message, { detail, retry: { afterMs: 5_000 } });
  return new AppError(
    refusedClient.code,
    `The provider answered with an error page (${status}) where it should ask you. The operator must check the client id and its redirect address at the provider, and whether something in front of the provider turns Nightkeep away.`,
    { detail },
  );
}

function meaningOf(error: string, scope: string): Meaning {
  if (error === 'invalid_scope') return scope.split(' ').includes('offline_access') ? noOfflineScope : noScope;
  const known = Object.hasOwn(meanings, error) ? meanings[error] : undefined;
  return (
    known ?? {
      code: 'provider/refused',
      message: `The provider refused the request (${shown(error)}). Try again; if it happens again, tell the operator.`,
    }
  );
}

/** A word of OAuth as it may be shown and logged, whoever wrote it. */
function shown(error: string): string {
  return error.replace(/[^\w.-]/g, '').slice(0, 60);
}

/** The `error` that the provider answered with, wherever the library put it. */
export function oauthErrorOf(cause: unknown): string | undefined {
  if (cause instanceof AuthorizationResponseError) return cause.error;
  if (cause instanceof ResponseBodyError) return cause.error.toLowerCase();
  if (cause instanceof WWWAuthenticateChallengeError) return cause.cause[0]?.parameters.error ?? 'invalid_client';
  return undefined;
}

import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { AppError, type ErrorCode } from '../errors.ts';
import { failureCode } from './transport.ts';

interface Meaning {
  code: ErrorCode;
  message: string;
}

const noScope: Meaning = {
  code: 'consent/not-offline',
  message:
    'The provider does not offer this client a scope that Nightkeep asked for, probably offline_access. An administrator of the provider can add it to the client of Nightkeep.',
};

/** What each `error` of the provider means while a person stands in front of the page. */
const meanings: Record<string, Meaning> = {
  access_denied: {
    code: 'consent/denied',
    message: 'You said no at the provider, so nothing was changed. Start again whenever you like.',
  },
  not_allowed: {
    code: 'consent/not-offline',
    message:
      'The provider does not let you give offline access: your account lacks the role for it (offline_access on Keycloak). An administrator of the provider can give you the role.',
  },
  invalid_scope: noScope,
  invalid_grant: {
    code: 'consent/invalid-callback',
    message: 'The answer of the provider was used already or has grown old. Start again.',
  },
  ...Object.fromEntries(
    ['invalid_client', 'unauthorized_client', 'invalid_request', 'invalid_redirect_uri'].map((error) => [
      error,
      {
        code: 'provider/refused-client' as const,
        message:
          'The provider does not accept Nightkeep itself. The operator must check the client id, its secret and its redirect address at the provider.',
      },
    ]),
  ),
};

/** Whether the provider found fault with the request itself. */
export function isInvalidRequest(cause: unknown): boolean {
  return oauthErrorOf(cause) === 'invalid_request';
}

/** The client may not ask for offline access, whatever the provider called it. */
export function scopeMissing(cause: unknown): AppError {
  const { code, message } = noScope;
  return new AppError(code, message, { cause, detail: { error: 'invalid_scope' } });
}

/** Turns what the library threw into an AppError. The provider's own words stay in `cause`. */
export function providerError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause;
  const error = oauthErrorOf(cause);
  const detail = { error: error ?? failureCode(cause) };
  if (error !== undefined) {
    const { code, message } = meanings[error] ?? {
      code: 'provider/refused' as const,
      message: `The provider refused the request (${error.replace(/[^\w.-]/g, '')}). Try again; if it stays, tell the operator.`,
    };
    return new AppError(code, message, { cause, detail });
  }
  if (
    cause instanceof ClientError &&
    /INVALID_RESPONSE|JWT_CLAIM|JSON_ATTRIBUTE|JWT_TIMESTAMP/.test(cause.code ?? '')
  ) {
    return new AppError(
      'consent/invalid-callback',
      'The answer of the provider does not belong to what this browser began. Start again.',
      { cause, detail },
    );
  }
  return new AppError('provider/unavailable', 'The OpenID provider does not answer, or not sensibly. Try again soon.', {
    cause,
    detail,
    retry: { afterMs: 5_000 },
  });
}

/** The `error` that the provider answered with, wherever the library put it. */
export function oauthErrorOf(cause: unknown): string | undefined {
  if (cause instanceof ResponseBodyError || cause instanceof AuthorizationResponseError) return cause.error;
  if (cause instanceof WWWAuthenticateChallengeError) return cause.cause[0]?.parameters.error ?? 'invalid_client';
  return undefined;
}

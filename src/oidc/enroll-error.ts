import { ResponseBodyError } from 'openid-client';
import { AppError, type ErrorCode } from '../errors.ts';
import { oauthErrorOf, providerError } from './provider-error.ts';

/** How a person, or the client itself, consents without a page of Nightkeep. */
export type EnrollMethod = 'device' | 'password' | 'service';

interface Meaning {
  code: ErrorCode;
  message: string;
}

const refused = (message: string): Meaning => ({ code: 'enroll/refused', message });
const expired: Meaning = {
  code: 'enroll/expired',
  message: 'Nobody typed the code and said yes in time, so nothing was changed. Start again for a new code.',
};

/** What an `error` of the provider means, whichever the way. */
const common: Record<string, Meaning> = {
  invalid_scope: {
    code: 'consent/not-offline',
    message:
      'The provider does not let this client request offline access (invalid_scope). An administrator there can add offline_access to the optional client scopes of Nightkeep.',
  },
  not_allowed: {
    code: 'consent/not-offline',
    message:
      'The provider does not let this account give offline access (not_allowed). An administrator there can give it the role offline_access.',
  },
  unsupported_grant_type: refused(
    'The provider does not know this way of consenting (unsupported_grant_type). Let the person consent in a browser.',
  ),
};

/** What it means besides, by way: each names the switch at the provider, where there is one. */
const meanings: Record<EnrollMethod, Record<string, Meaning>> = {
  device: {
    unauthorized_client: refused(
      'The provider does not let this client sign people in on another device (unauthorized_client). In Keycloak switch on "OAuth 2.0 Device Authorization Grant" of the client; a wrong client secret is answered in the same way.',
    ),
    access_denied: {
      code: 'consent/denied',
      message: 'The person said no at the provider (access_denied), so nothing was changed.',
    },
    expired_token: expired,
    invalid_grant: refused(
      'The provider no longer knows the code (invalid_grant): its answer was lost, or somebody else used it. Start again for a new code.',
    ),
    OAUTH_MISSING_SERVER_METADATA: refused(
      'The provider offers no sign-in on another device: its discovery document names no device_authorization_endpoint. Let the person consent in a browser.',
    ),
  },
  password: {
    unauthorized_client: refused(
      'The provider does not let this client sign people in with user name and password (unauthorized_client). In Keycloak switch on "Direct access grants" of the client; a wrong client secret is answered in the same way.',
    ),
    invalid_grant: refused(
      'The provider refuses the user name or the password (invalid_grant), or the account is disabled or has to do something there first, such as choosing a new password. A second factor cannot be used in this way: use nightkeep enroll device.',
    ),
    needs_consent: refused(
      'The provider asks people for their consent to this client, which cannot be given with a password (invalid_client, "Client requires user consent"). Let the person consent in a browser or with nightkeep enroll device, or switch "Consent required" of the client off.',
    ),
  },
  service: {
    unauthorized_client: refused(
      'The provider gives this client no service account (unauthorized_client). In Keycloak switch on "Service accounts roles" of the client; a wrong client secret is answered in the same way.',
    ),
  },
};

/** Turns what came of an enrollment into an error that says who refuses, why, and what mends it. Undefined: the time is up. */
export function enrollError(method: EnrollMethod, cause: unknown): AppError {
  if (cause === undefined) return new AppError(expired.code, expired.message);
  const known = providerError(cause);
  if (known === cause) return known;
  const word = needsConsent(cause) ? 'needs_consent' : (oauthErrorOf(cause) ?? String(known.detail.error));
  const all = { ...common, ...meanings[method] };
  const meaning = Object.hasOwn(all, word) ? all[word] : undefined;
  if (meaning === undefined) return known;
  return new AppError(meaning.code, meaning.message, { cause, detail: known.detail });
}

/** Only the words for people depend on the provider's description: the error is `invalid_client` all the same. */
function needsConsent(cause: unknown): boolean {
  return (
    cause instanceof ResponseBodyError &&
    cause.error === 'invalid_client' &&
    /consent/i.test(cause.error_description ?? '')
  );
}

import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/** Keycloak 26: read in its source, and tried on 26.4.0 and 26.7.1. Only its own source says what `not_allowed` means. */
export const keycloak: ProviderProfile = {
  title: 'Keycloak',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'sometimes',
  reuse: 'counted',
  idle: { seconds: 30 * daySeconds, setting: 'Realm settings, Sessions, Offline Session Idle' },
  // It says `active: false` of a live offline token to the very client that holds it (26.7.1).
  introspection: 'untrue',
  ending: 'rfc7009',
  refusals: [
    { means: 'permission', statuses: [400, 400], errors: ['not_allowed', 'invalid_scope'] },
    { means: 'operator', statuses: [403, 403], errors: ['access_denied', 'invalid_request'] },
  ],
  recognise: ({ endpoints }) =>
    /\/realms\/[^/]+\/protocol\/openid-connect\/token$/.test(endpoints?.token_endpoint?.pathname ?? ''),
};

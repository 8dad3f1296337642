import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/** authentik, by its documentation and source: a new token only once less than the threshold is left of the old one. */
export const authentik: ProviderProfile = {
  title: 'authentik',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'sometimes',
  reuse: { graceSeconds: 0, returns: 'new' },
  idle: { seconds: 30 * daySeconds, setting: 'the provider of the application, Refresh Token validity' },
  keptTokenKeepsItsEnd: true,
  ending: 'rfc7009',
  refusals: [],
  recognise: ({ issuer }) => /^\/application\/o\/[^/]+\/?$/.test(issuer.pathname),
};

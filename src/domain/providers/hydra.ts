import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/** Ory Hydra, by spec/config.json and its documentation: a token that is used again outside of the grace ends the whole consent. */
export const hydra: ProviderProfile = {
  title: 'Ory Hydra',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'always',
  reuse: { graceSeconds: 0, returns: 'new' },
  idle: { seconds: 30 * daySeconds, setting: 'ttl.refresh_token' },
  endsAccessTokens: true,
  ending: 'rfc7009',
  refusals: [],
  recognise: ({ endpoints }) =>
    endpoints?.token_endpoint?.pathname === '/oauth2/token' &&
    endpoints.authorization_endpoint?.pathname === '/oauth2/auth',
};

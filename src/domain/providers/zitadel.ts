import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/** Zitadel, by the defaults in its source (cmd/config). */
export const zitadel: ProviderProfile = {
  title: 'Zitadel',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'always',
  reuse: { graceSeconds: 0, returns: 'new' },
  idle: {
    seconds: 30 * daySeconds,
    setting: 'OIDC settings, refresh token idle expiration (DefaultRefreshTokenIdleExpiration)',
  },
  maximum: {
    seconds: 90 * daySeconds,
    setting: 'OIDC settings, refresh token expiration (DefaultRefreshTokenExpiration)',
  },
  ending: 'rfc7009',
  refusals: [],
  recognise: ({ issuer, endpoints }) =>
    issuer.hostname.endsWith('.zitadel.cloud') || endpoints?.token_endpoint?.pathname === '/oauth/v2/token',
};

import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/**
 * Microsoft Entra ID, by its documentation: each answer has a new token, and the old one goes on working. Numbers of AADSTS errors: 50076 and
 * 50079 want a second factor, 65001 wants consent; 700082 (unused) and 50173 (revoked) are ends, as `invalid_grant` says.
 */
export const entra: ProviderProfile = {
  title: 'Microsoft Entra ID',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'always',
  reuse: 'free',
  idle: { seconds: 90 * daySeconds, setting: 'fixed by Microsoft' },
  traps: [
    {
      seconds: 24 * 3_600,
      cause: 'the redirect URI is registered for single-page applications',
      setting: 'App registrations, Authentication: register the redirect URI under Web',
    },
  ],
  ending: { page: 'https://myapps.microsoft.com' },
  refusals: [{ means: 'interaction', errors: ['invalid_grant'], subcodes: ['50076', '50079', '65001'] }],
  recognise: ({ issuer: { hostname } }) =>
    /^(login\.microsoftonline\.(com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)$/.test(hostname) ||
    hostname.endsWith('.ciamlogin.com'),
};

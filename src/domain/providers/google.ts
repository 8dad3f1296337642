import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/** Google, by its documentation: one token for ever, which only a consent brings and no refresh repeats. */
export const google: ProviderProfile = {
  title: 'Google',
  offlineAccess: { parameters: { access_type: 'offline' } },
  rotation: 'never',
  idle: { seconds: 182 * daySeconds, setting: 'fixed by Google' },
  traps: [
    {
      seconds: 7 * daySeconds,
      cause: 'the consent screen of the project is in testing',
      setting: 'Google Cloud console, Google Auth Platform, Audience: publish the app',
    },
  ],
  ending: 'rfc7009',
  refusals: [{ means: 'interaction', errors: ['invalid_grant'], subcodes: ['invalid_rapt'] }],
  recognise: ({ issuer }) => issuer.hostname === 'accounts.google.com',
};

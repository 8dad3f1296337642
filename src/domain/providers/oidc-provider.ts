import { daySeconds } from '../../durations.ts';
import type { ProviderProfile } from './profile.ts';

/** Providers that are built on oidc-provider, such as Logto. The life of its Grant ends every token with it. */
export const oidcProvider: ProviderProfile = {
  title: 'oidc-provider',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'sometimes',
  reuse: { graceSeconds: 0, returns: 'new' },
  maximum: { seconds: 14 * daySeconds, setting: 'ttl.Grant of its configuration' },
  ending: 'rfc7009',
  refusals: [],
};

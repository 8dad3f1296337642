import type { ProviderProfile } from './profile.ts';

/** Any provider: the standards, the settings, and what answers show. */
export const generic: ProviderProfile = {
  title: 'any other',
  offlineAccess: { scope: 'offline_access' },
  ending: 'rfc7009',
  refusals: [],
};

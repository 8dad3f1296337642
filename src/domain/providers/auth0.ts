import type { ProviderProfile } from './profile.ts';

/** Auth0, by its documentation. The rotation overlap is 0 s unless it is set; windows are set for each application. */
export const auth0: ProviderProfile = {
  title: 'Auth0',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'sometimes',
  reuse: { graceSeconds: 0, returns: 'new' },
  ending: 'rfc7009',
  refusals: [],
  recognise: ({ issuer, members }) =>
    issuer.hostname.endsWith('.auth0.com') || members?.has('mfa_challenge_endpoint') === true,
};

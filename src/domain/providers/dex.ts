import type { ProviderProfile } from './profile.ts';

/**
 * Dex, read in its source: server/grants/refresh.go and server/tokens/refresh_store.go. A dead token is answered with `invalid_request`, and so is a fault of
 * its storage, with 500. One token for each person, connector and client: a new login deletes the one before.
 */
export const dex: ProviderProfile = {
  title: 'Dex',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'sometimes',
  // reuseInterval is none where it is not set; in it the same new token comes again.
  reuse: { graceSeconds: 0, returns: 'same' },
  oneGrantPerClient: true,
  ending: {},
  refusals: [
    {
      means: 'ended',
      statuses: [400, 400],
      errors: ['invalid_request'],
      description: /^Refresh token (is invalid or has already been claimed by another client|expired)\.?$/,
    },
    { means: 'transient', statuses: [500, 599], errors: ['invalid_request'] },
  ],
  recognise: ({ issuer, endpoints }) => {
    const at = (path: string) => `${issuer.href.replace(/\/$/, '')}${path}`;
    return (
      endpoints?.jwks_uri?.href === at('/keys') && endpoints.device_authorization_endpoint?.href === at('/device/code')
    );
  },
};

import type { ProviderProfile } from './profile.ts';

/** Authelia, by its documentation: refresh tokens live 90 minutes unless a lifespan of the client says otherwise. */
export const authelia: ProviderProfile = {
  title: 'Authelia',
  offlineAccess: { scope: 'offline_access' },
  rotation: 'always',
  reuse: { graceSeconds: 0, returns: 'new' },
  idle: {
    seconds: 90 * 60,
    setting: 'identity_providers.oidc.lifespans, a custom lifespan with refresh_token for this client',
  },
  ending: 'rfc7009',
  refusals: [],
  // Glewlwyd has its token endpoint at the same address.
  recognise: ({ endpoints }) =>
    endpoints?.token_endpoint?.pathname.endsWith('/api/oidc/token') === true &&
    endpoints.authorization_endpoint?.pathname.endsWith('/api/oidc/authorization') === true,
};

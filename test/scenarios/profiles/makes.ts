import type { Manner } from '../../../demo/provider/realm/manner.ts';
import type { RealmSettings } from '../../../demo/provider/realm/settings.ts';
import type { ProfileName } from '../../../src/domain/providers/profiles.ts';

/** A make of provider as the demo's provider plays it, and what of it custody cannot change. */
export interface Make {
  readonly profile: ProfileName;
  readonly realm: Partial<RealmSettings> & { readonly manner: Manner };
  /** Whether a grant outlives an answer that was lost on its way. */
  readonly outlivesLostAnswer: boolean;
}

const day = 86_400;
const once = { graceSeconds: 0, returns: 'new' } as const;
const limited = (idle: number, max: number) => ({
  offlineIdleSeconds: idle,
  offlineMaxLimited: true,
  offlineMaxSeconds: max,
});
const invalidGrant = (status: number, more: object = {}) => [status, { error: 'invalid_grant', ...more }] as const;

/** Every profile, and makes that are recognised as none. */
export const makes: Readonly<Record<string, Make>> = {
  Keycloak: { profile: 'keycloak', realm: { refreshTokenMaxReuse: 1, manner: {} }, outlivesLostAnswer: true },
  Auth0: {
    profile: 'auth0',
    realm: { manner: { refreshTokens: once, opaque: true, deadToken: invalidGrant(403) } },
    outlivesLostAnswer: false,
  },
  'Okta (organisation)': {
    profile: 'okta-org',
    realm: {
      ...limited(1000 * day, 90 * day),
      manner: { refreshTokens: { graceSeconds: 30, returns: 'new' }, opaque: true },
    },
    outlivesLostAnswer: true,
  },
  'Okta (custom)': {
    profile: 'okta-custom',
    realm: {
      offlineIdleSeconds: 7 * day,
      manner: { refreshTokens: { graceSeconds: 30, returns: 'new' }, opaque: true },
    },
    outlivesLostAnswer: true,
  },
  Entra: {
    profile: 'entra',
    realm: {
      offlineIdleSeconds: 90 * day,
      manner: {
        refreshTokens: 'free',
        opaque: true,
        without: ['revocation', 'introspection'],
        deadToken: invalidGrant(400, { error_codes: [50173] }),
        answer: { scope: 'openid profile email', refresh_expires_in: null },
      },
    },
    outlivesLostAnswer: true,
  },
  Google: {
    profile: 'google',
    realm: {
      offlineIdleSeconds: 182 * day,
      manner: { refreshTokens: 'kept', opaque: true, without: ['introspection'] },
    },
    outlivesLostAnswer: true,
  },
  Zitadel: {
    profile: 'zitadel',
    realm: { ...limited(30 * day, 90 * day), manner: { refreshTokens: once, opaque: true } },
    outlivesLostAnswer: false,
  },
  authentik: {
    profile: 'authentik',
    realm: { manner: { refreshTokens: once, answer: { token_type: 'bearer' } } },
    outlivesLostAnswer: false,
  },
  Authelia: {
    profile: 'authelia',
    realm: { offlineIdleSeconds: 90 * 60, manner: { refreshTokens: once, opaque: true } },
    outlivesLostAnswer: false,
  },
  Dex: {
    profile: 'dex',
    realm: {
      manner: {
        refreshTokens: { graceSeconds: 0, returns: 'same' },
        opaque: true,
        oneGrantPerClient: true,
        without: ['revocation', 'introspection', 'pushed requests'],
        deadToken: [
          400,
          {
            error: 'invalid_request',
            error_description: 'Refresh token is invalid or has already been claimed by another client.',
          },
        ],
      },
    },
    outlivesLostAnswer: false,
  },
  Hydra: {
    profile: 'hydra',
    realm: { manner: { refreshTokens: once, opaque: true, endsAccessTokens: true, without: ['introspection'] } },
    outlivesLostAnswer: false,
  },
  'oidc-provider': {
    profile: 'oidc-provider',
    realm: { ...limited(1000 * day, 14 * day), manner: { refreshTokens: once, opaque: true } },
    outlivesLostAnswer: false,
  },
  'one that says nothing of a dead token nor of a wrong secret': {
    profile: 'generic',
    realm: { manner: { refreshTokens: once, opaque: true, deadToken: [400, ''], refusedClient: [400, ''] } },
    outlivesLostAnswer: false,
  },
  'one that calls a dead token an invalid request, and has few endpoints': {
    profile: 'generic',
    realm: {
      manner: {
        refreshTokens: 'kept',
        opaque: true,
        deadToken: [400, { error: 'invalid_request' }],
        without: ['revocation', 'introspection', 'pushed requests'],
        answer: { scope: 'openid', expires_in: '300' },
      },
    },
    outlivesLostAnswer: true,
  },
  'one that refuses with status 200': {
    profile: 'generic',
    realm: {
      manner: {
        refreshTokens: 'kept',
        opaque: true,
        deadToken: [200, { error: 'invalid_grant' }],
        refusedClient: [200, { error: 'invalid_client' }],
        without: ['introspection'],
      },
    },
    outlivesLostAnswer: true,
  },
  'one that lists scopes and whose refreshes end access tokens': {
    profile: 'generic',
    realm: {
      manner: {
        refreshTokens: once,
        opaque: true,
        endsAccessTokens: true,
        answer: { scope: ['openid', 'profile'], refresh_expires_in: null },
      },
    },
    outlivesLostAnswer: false,
  },
};

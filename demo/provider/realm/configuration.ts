import type { Configuration } from 'oidc-provider';
import { answerPage } from '../pages/forms.ts';
import { errorPage } from '../pages/pages.ts';
import { claimsFor } from '../tokens/token-answer.ts';
import type { BrowserStore } from './adapter.ts';
import { deviceGrant } from './client.ts';
import { featuresFor, scopes } from './features.ts';
import type { Keys } from './keys.ts';
import type { Realm } from './realm.ts';

const years = 365 * 24 * 3600;

/**
 * oidc-provider's configuration. It keeps what happens in browsers: authorization requests, sign-ins, consents, devices.
 * The endpoints that clients ask are the demo's own, since they answer as Keycloak does.
 */
export function configurationFor(world: { realm: Realm; keys: Keys; store: BrowserStore }): Configuration {
  const { realm, keys, store } = world;
  return {
    adapter: store.adapter,
    jwks: { keys: [keys.signing().privateJwk] },
    cookies: {
      names: { session: 'demo_idp', interaction: 'demo_idp_step', resume: 'demo_idp_resume' },
      keys: [keys.cookieKey()],
    },
    scopes: [...scopes],
    claims: {
      openid: ['sub', 'roles'],
      profile: ['name', 'preferred_username', 'zoneinfo'],
      email: ['email', 'email_verified'],
    },
    findAccount: (_context, subject) => {
      const user = realm.users.get(subject);
      return user?.enabled ? { accountId: subject, claims: async (_use, scope) => claimsFor(user, scope) } : undefined;
    },
    loadExistingGrant: async ({ oidc }) => {
      const { client, session } = oidc;
      const consent = client && store.findConsent(session?.accountId ?? '', client.clientId);
      return consent && oidc.provider.Grant.find(consent.id);
    },
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    expiresWithSession: () => false,
    issueRefreshToken: () => false,
    ttl: {
      AuthorizationCode: 60,
      DeviceCode: 600,
      Interaction: 3600,
      Session: () => realm.settings().ssoSeconds,
      Grant: 10 * years,
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    // Its own fetch refuses loopback addresses, and that is where the clients of a demo live.
    fetch: (input, { dispatcher: _guard, ...init }: RequestInit = {}) => fetch(input, init),
    renderError: async (context, out) =>
      answerPage(context, await errorPage(out.error, out.error_description), context.status),
    discovery: {
      userinfo_endpoint: `${realm.issuer}/me`,
      revocation_endpoint: `${realm.issuer}/token/revocation`,
      introspection_endpoint: `${realm.issuer}/token/introspection`,
      end_session_endpoint: `${realm.issuer}/session/end`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      grant_types_supported: ['authorization_code', 'refresh_token', 'password', 'client_credentials', deviceGrant],
    },
    features: featuresFor(),
  };
}

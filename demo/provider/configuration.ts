import { html } from 'hono/html';
import { type Configuration, errors } from 'oidc-provider';
import { cloudAudience } from '../cloud/access.ts';
import { answerPage } from './http.ts';
import { errorPage, formPage, messagePage } from './pages/templates.ts';
import type { BrowserStore } from './realm/browser-store.ts';
import { deviceGrant } from './realm/client.ts';
import type { Keys } from './realm/keys.ts';
import type { Realm } from './realm/realm.ts';
import { claimsFor } from './tokens/token-response.ts';

const scopes = ['openid', 'profile', 'email', 'offline_access'];
const years = 365 * 24 * 3600;

/**
 * oidc-provider's configuration. It handles what happens in browsers: authorization requests, sign-ins, consents, devices.
 * The endpoints for clients are the demo's own, since they answer as Keycloak does.
 */
export function configurationFor(parts: { realm: Realm; keys: Keys; store: BrowserStore }): Configuration {
  const { realm, keys, store } = parts;
  const { without = [] } = realm.settings().manner;
  return {
    adapter: store.adapter,
    jwks: { keys: [keys.signing().privateJwk] },
    cookies: {
      names: { session: 'demo_idp', interaction: 'demo_idp_step', resume: 'demo_idp_resume' },
      keys: [keys.cookieKey()],
    },
    scopes,
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
    // oidc-provider's own fetch refuses loopback addresses, where the clients of the demo are.
    fetch: (input, { dispatcher: _guard, ...init }: RequestInit = {}) => fetch(input, init),
    renderError: async (context, out) =>
      answerPage(context, await errorPage(out.error, out.error_description), context.status),
    discovery: withoutUndefined({
      userinfo_endpoint: `${realm.issuer}/me`,
      revocation_endpoint: without.includes('revocation') ? undefined : `${realm.issuer}/token/revocation`,
      introspection_endpoint: without.includes('introspection') ? undefined : `${realm.issuer}/token/introspection`,
      end_session_endpoint: `${realm.issuer}/session/end`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      grant_types_supported: ['authorization_code', 'refresh_token', 'password', 'client_credentials', deviceGrant],
    }),
    features: { ...features, pushedAuthorizationRequests: { enabled: !without.includes('pushed requests') } },
  };
}

function withoutUndefined<T extends object>(members: T): T {
  for (const name in members) if (members[name] === undefined) delete members[name];
  return members;
}

/** What oidc-provider handles besides the code flow, with the pages for it. */
const features: NonNullable<Configuration['features']> = {
  devInteractions: { enabled: false },
  rpInitiatedLogout: { enabled: false },
  userinfo: { enabled: false },
  dPoP: { enabled: true },
  pushedAuthorizationRequests: { enabled: true },
  resourceIndicators: {
    enabled: true,
    defaultResource: async () => cloudAudience,
    useGrantedResource: async () => true,
    getResourceServerInfo: async (_context, resource) => {
      if (resource !== cloudAudience) throw new errors.InvalidTarget();
      return { scope: scopes.join(' '), audience: cloudAudience };
    },
  },
  deviceFlow: {
    enabled: true,
    userCodeInputSource: async (context, form, _out, error) =>
      answerPage(
        context,
        await formPage(
          'Connect a device',
          error ? 'That code is not known, or was used already.' : 'Type the code that your device shows.',
          form,
          html`<button class="main" type="submit" form="op.deviceInputForm">Go on</button>`,
        ),
      ),
    userCodeConfirmSource: async (context, form, client, _device, code) =>
      answerPage(
        context,
        await formPage(
          `Is it ${code}?`,
          `${client.clientName ?? client.clientId} shows this code if it is your device that asks.`,
          form,
          html`<button class="main" type="submit" form="op.deviceConfirmForm">Yes, it is</button>
<button type="submit" form="op.deviceConfirmForm" name="abort" value="yes">No</button>`,
        ),
      ),
    successSource: async (context) =>
      answerPage(context, await messagePage('Connected', 'You can go back to your device.')),
  },
};

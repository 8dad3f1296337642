import type { JWK } from 'jose';
import { type Configuration, errors } from 'oidc-provider';
import { featuresFor, type ProviderRules, scopes } from './idp-features.ts';
import { answerPage } from './idp-forms.ts';
import { errorPage } from './idp-pages.ts';
import type { ProviderStore } from './idp-store.ts';
import type { Person } from './people.ts';

const years = 365 * 24 * 3600;

/** oidc-provider's configuration for a provider that behaves like a Keycloak realm with Revoke Refresh Token on. */
export function configurationFor(
  options: { store: ProviderStore; people: readonly Person[]; signingKey: JWK; cookieKey: string },
  rules: ProviderRules,
): Configuration {
  const { store, people, signingKey, cookieKey } = options;
  const personOf = (subject: string | undefined) => people.find((person) => person.subject === subject);
  return {
    adapter: store.adapter,
    jwks: { keys: [signingKey] },
    cookies: {
      names: { session: 'demo_idp', interaction: 'demo_idp_step', resume: 'demo_idp_resume' },
      keys: [cookieKey],
    },
    scopes: [...scopes],
    claims: {
      openid: ['sub', 'roles'],
      profile: ['name', 'preferred_username', 'zoneinfo'],
      email: ['email', 'email_verified'],
    },
    findAccount: (_context, subject) => {
      const person = personOf(subject);
      return person && { accountId: subject, claims: async () => claimsOf(person) };
    },
    pkce: { required: () => true },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    ttl: {
      AccessToken: rules.accessTokenSeconds,
      IdToken: 300,
      DeviceCode: 600,
      Interaction: 3600,
      Session: 24 * 3600,
      // The store's own clock ends offline tokens; these only keep oidc-provider from doing it first.
      RefreshToken: 10 * years,
      Grant: 10 * years,
    },
    issueRefreshToken: (_context, client, source) => {
      if (!client.grantTypeAllowed('refresh_token') || !source.scopes.has('offline_access')) return false;
      if (!rules.withoutOfflineRole.has(source.accountId ?? '')) return true;
      throw new errors.CustomOIDCProviderError('not_allowed', 'Offline tokens not allowed for the user or client');
    },
    rotateRefreshToken: (context) => {
      // Asked before the old token is marked as used, so this refusal leaves it alive, as on Keycloak 26.7.1.
      if (rules.withoutOfflineRole.has(context.oidc.account?.accountId ?? '')) throw new errors.InvalidGrant('no role');
      return rules.rotate;
    },
    extraTokenClaims: (_context, token) => ({
      azp: token.clientId,
      ...('accountId' in token && { preferred_username: personOf(token.accountId)?.username }),
    }),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    // Its own fetch refuses loopback addresses, and that is where the clients of a demo live.
    fetch: (input, { dispatcher: _guard, ...init }: RequestInit = {}) => fetch(input, init),
    renderError: async (context, out) =>
      answerPage(context, await errorPage(out.error, out.error_description), context.status),
    features: featuresFor(rules),
  };
}

/** Every claim that the provider can tell; the granted scopes choose among them. */
export function claimsOf(person: Person): { sub: string; [claim: string]: unknown } {
  return {
    sub: person.subject,
    preferred_username: person.username,
    name: person.name,
    zoneinfo: person.zone,
    email: person.email,
    email_verified: true,
    ...(person.roles.length > 0 && { roles: person.roles }),
  };
}

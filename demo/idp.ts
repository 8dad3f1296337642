import { randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';
import { type Clock, systemClock } from '../src/clock.ts';
import { accountPages } from './idp-account.ts';
import { type DemoClient, metadataOf } from './idp-client.ts';
import { configurationFor } from './idp-configuration.ts';
import type { ProviderRules } from './idp-features.ts';
import { interactionPages } from './idp-interaction.ts';
import { type ProviderKnobs, turnKnobs } from './idp-knobs.ts';
import { openStore } from './idp-store.ts';
import { userinfoEndpoint } from './idp-userinfo.ts';
import { listenOnLoopback } from './loopback-server.ts';
import type { Person } from './people.ts';

export interface DemoProvider {
  /** The issuer identifier; its discovery document is where OpenID Connect Discovery says. */
  readonly issuer: string;
  /** The key that signs ID tokens and access tokens: its id, and the public half as PEM (SPKI). */
  readonly signingKey: { readonly id: string; readonly publicPem: string };
  readonly knobs: ProviderKnobs;
  stop(): Promise<void>;
}

export interface ProviderOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Ends offline tokens that nobody used; all else lives by the machine's clock. */
  clock?: Clock;
  clients: readonly DemoClient[];
  people: readonly Person[];
  options?: {
    /** Life of an access token; 300 by default. */
    accessTokenSeconds?: number;
    /** How long an offline token lives without being exchanged; 30 days by default. */
    offlineIdleSeconds?: number;
    /** Whether an offline token works only once (Keycloak's Revoke Refresh Token); true by default. */
    rotate?: boolean;
  };
}

const days = 24 * 3600;

/**
 * Starts an OpenID provider on 127.0.0.1 for the demo and for tests: authorization code with PKCE, pushed requests,
 * device flow, offline access with a consent page, rotation, revocation, introspection, back-channel logout.
 * Access tokens are JWTs (RS256) that name the person in `preferred_username`.
 */
export async function startProvider({
  port = 0,
  clock = systemClock(),
  clients,
  people,
  options = {},
}: ProviderOptions): Promise<DemoProvider> {
  const server = await listenOnLoopback(port);
  const key = await newSigningKey();
  const store = openStore(clock, options.offlineIdleSeconds ?? 30 * days);
  for (const client of clients) store.clients.set(client.id, metadataOf(client));
  const withoutOfflineRole = new Set<string>();
  const rules: ProviderRules = {
    accessTokenSeconds: options.accessTokenSeconds ?? 300,
    rotate: options.rotate ?? true,
    withoutOfflineRole,
  };
  const cookieKey = randomBytes(32).toString('base64url');
  const issuer = server.origin;
  const provider = new Provider(issuer, configurationFor({ store, people, signingKey: key.private, cookieKey }, rules));
  provider.use(interactionPages(provider, people));
  provider.use(accountPages(provider, store, people));
  provider.use(userinfoEndpoint({ issuer, publicKey: key.public, people }));
  provider.use(sayOfflineTokensHaveNoEnd);
  server.serve(provider.callback());
  return {
    issuer,
    signingKey: { id: key.id, publicPem: key.publicPem },
    knobs: turnKnobs({ store, server, people, withoutOfflineRole }),
    stop: () => server.down(),
  };
}

async function newSigningKey() {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const id = await calculateJwkThumbprint(await exportJWK(publicKey));
  const marks = { kid: id, alg: 'RS256', use: 'sig' };
  return {
    id,
    public: { ...(await exportJWK(publicKey)), ...marks },
    private: { ...(await exportJWK(privateKey)), ...marks },
    publicPem: await exportSPKI(publicKey),
  };
}

/** Keycloak's word for an offline token without `exp`: it does not mean that it has ended, nor that it never ends. */
const sayOfflineTokensHaveNoEnd: Parameters<Provider['use']>[0] = async (context, next) => {
  await next();
  if (context.path !== '/token' || context.status !== 200) return;
  const { body } = context;
  if (typeof body === 'object' && body !== null && 'refresh_token' in body) {
    context.body = { ...body, refresh_expires_in: 0 };
  }
};

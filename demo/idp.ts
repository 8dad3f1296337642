import { randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';
import { type Clock, systemClock } from '../src/clock.ts';
import { accountPages } from './idp-account.ts';
import { openBrowserStore } from './idp-adapter.ts';
import { adminPages } from './idp-admin.ts';
import { turnKnobs } from './idp-administration.ts';
import { openClientAuthentication } from './idp-authenticate.ts';
import { openClerk } from './idp-clerk.ts';
import type { DemoClient } from './idp-client.ts';
import { configurationFor } from './idp-configuration.ts';
import { openProofCheck } from './idp-dpop.ts';
import { type Faults, openFaults } from './idp-faults.ts';
import { firstGrants } from './idp-grants.ts';
import { interactionPages } from './idp-interaction.ts';
import { type Judge, openJudge } from './idp-judge.ts';
import { openKeys } from './idp-keys.ts';
import type { ProviderKnobs } from './idp-knobs.ts';
import { openLogoutSender } from './idp-logout-token.ts';
import { openOfflineAccess } from './idp-offline.ts';
import { openRealm, type RealmSettings } from './idp-realm.ts';
import { answerOrLetGo, realmGate, signingKeys, wordsOfKeycloak } from './idp-realm-endpoints.ts';
import { revocationEndpoints } from './idp-revocation.ts';
import { sessionEnd } from './idp-session-end.ts';
import { openTables } from './idp-tables.ts';
import { tokenEndpoint } from './idp-token.ts';
import { userinfoEndpoint } from './idp-userinfo.ts';
import { listenOnLoopback } from './loopback-server.ts';
import type { Person } from './people.ts';

export interface DemoProvider {
  /** The issuer identifier; its discovery document is where OpenID Connect Discovery says. */
  readonly issuer: string;
  /** The key that signs ID tokens and access tokens at the start: its id, and the public half as PEM (SPKI). */
  readonly signingKey: { readonly id: string; readonly publicPem: string };
  readonly knobs: ProviderKnobs;
  /** What goes wrong at the token endpoint. */
  readonly faults: Faults;
  /** What the provider saw of its clients. */
  readonly judge: Judge;
  stop(): Promise<void>;
}

export interface ProviderOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** The time that everything in the realm goes by. Proofs and assertions of clients are dated by the machine's clock. */
  clock?: Clock;
  clients: readonly DemoClient[];
  people: readonly Person[];
  options?: Partial<RealmSettings> & {
    /** Whether an offline token works only once (Keycloak's Revoke Refresh Token); true by default. */
    rotate?: boolean;
  };
  /** A file that keeps what the provider knows, so that another one can go on where this one was killed. */
  journal?: string;
}

const days = 24 * 3600;

const defaults: RealmSettings = {
  enabled: true,
  accessTokenSeconds: 300,
  ssoSeconds: 10 * 3600,
  offlineIdleSeconds: 30 * days,
  offlineMaxLimited: false,
  offlineMaxSeconds: 60 * days,
  revokeRefreshToken: true,
  refreshTokenMaxReuse: 0,
  notBefore: 0,
  behavesAs: '26.7',
  pushedFaultsAs: 'rfc9126',
  dpopNonce: false,
};

/**
 * Starts an OpenID provider on 127.0.0.1 for the demo and for tests. It plays a Keycloak realm as far as offline access
 * goes: sessions, rotation, consents, policies and refusals; and beyond that it can be made to fail, and judges its
 * clients. Access tokens are JWTs (RS256) that name the person in `preferred_username`.
 */
export async function startProvider({
  port = 0,
  clock = systemClock(),
  clients,
  people,
  options: { rotate = true, ...settings } = {},
  journal,
}: ProviderOptions): Promise<DemoProvider> {
  const server = await listenOnLoopback(port);
  const issuer = server.origin;
  const tables = openTables(journal);
  const realm = openRealm({
    ...{ issuer, clock, tables, people, clients },
    settings: { ...defaults, revokeRefreshToken: rotate, ...settings },
  });
  const keys = await openKeys(tables);
  const store = openBrowserStore(realm, tables);
  const isAgreed = (subject: string, clientId: string, scopes: readonly string[]) => {
    const consent = store.findConsent(subject, clientId);
    return consent !== undefined && scopes.every((scope) => consent.scopes.includes(scope));
  };
  const offline = openOfflineAccess({ realm, keys, tables, isAgreed }, (token) => noteReuse(token));
  const clerk = openClerk(tables, offline.find);
  const { judge, noteReuse } = openJudge({ clerk, offline, tables });
  const faults = openFaults();
  const authenticate = openClientAuthentication(realm);
  const checkProof = openProofCheck(realm);
  const sendLogoutToken = openLogoutSender({ realm, keys });
  const knobs = turnKnobs({ realm, keys, offline, store, server, sendLogoutToken });

  const { id, publicPem, privateJwk } = keys.signing();
  const cookieKeys = tables.open<string>('cookies');
  const cookieKey = cookieKeys.get('key') ?? randomBytes(32).toString('base64url');
  cookieKeys.put('key', cookieKey);
  const provider = new Provider(issuer, configurationFor({ realm, store, signingKey: privateJwk, cookieKey }));
  provider.silent = true;
  const grants = firstGrants({ provider, realm, store, offline });
  for (const middleware of [
    answerOrLetGo,
    tokenEndpoint({ realm, keys, offline, clock, clerk, authenticate, checkProof, chooseFault: faults.choose, grants }),
    realmGate(realm),
    revocationEndpoints({ realm, offline, authenticate }),
    signingKeys(keys),
    userinfoEndpoint({ realm, keys, checkProof }),
    interactionPages({ provider, realm, store }),
    sessionEnd({ provider, realm, keys, store, sendLogoutToken }),
    accountPages({ provider, realm, knobs }),
    adminPages({ realm, knobs }),
    wordsOfKeycloak(realm),
  ])
    provider.use(middleware);
  const answer = provider.callback();
  server.serve((request, response) => {
    response.setHeader('date', clock.now().toUTCString());
    answer(request, response);
  });
  return { issuer, signingKey: { id, publicPem }, knobs, faults, judge, stop: () => server.down() };
}

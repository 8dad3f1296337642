import { type Clock, systemClock } from '../../src/clock.ts';
import { listenOnLoopback } from '../loopback-server.ts';
import type { Person } from '../people.ts';
import { openEndpoints } from './endpoints.ts';
import { type Faults, openFaults } from './faults/faults.ts';
import { type Judge, openJudge } from './log/assertions.ts';
import { openClerk } from './log/request-log.ts';
import { openBrowserStore } from './realm/adapter.ts';
import { turnKnobs } from './realm/administration.ts';
import type { DemoClient } from './realm/client.ts';
import { openKeys } from './realm/keys.ts';
import { openRealm, type RealmSettings } from './realm/realm.ts';
import type { ProviderKnobs } from './realm/settings.ts';
import { openTables } from './realm/tables.ts';
import { openLogoutSender } from './tokens/logout-token.ts';
import { openOfflineAccess } from './tokens/offline.ts';

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
  pushedFaultsAs: 'keycloak',
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
  const tables = openTables(journal);
  const realm = openRealm({
    issuer: server.origin,
    clock,
    tables,
    people,
    clients,
    settings: { ...defaults, revokeRefreshToken: rotate, ...settings },
  });
  const keys = await openKeys(tables);
  const store = openBrowserStore(realm, tables);
  const offline = openOfflineAccess({ realm, keys, tables, store }, (token) => noteReuse(token));
  const clerk = openClerk(tables, offline.find);
  const { judge, noteReuse } = openJudge({ clerk, offline, tables });
  const { choose: chooseFault, ...faults } = openFaults();
  const sendLogoutToken = openLogoutSender({ realm, keys });
  const knobs = turnKnobs({ realm, keys, offline, store, server, sendLogoutToken });
  server.serve(openEndpoints({ realm, keys, store, offline, clerk, knobs, sendLogoutToken, chooseFault, clock }));
  const { id, publicPem } = keys.signing();
  const stop = () => server.down();
  return { issuer: realm.issuer, signingKey: { id, publicPem }, knobs, faults, judge, stop };
}

import { type Clock, systemClock } from '../../src/clock.ts';
import { listenOnLoopback, type OtherAddress } from '../loopback-server.ts';
import type { Person } from '../people.ts';
import { openEndpoints } from './endpoints.ts';
import { type Faults, openFaults } from './faults/faults.ts';
import { type LogAssertions, openAssertions } from './log/assertions.ts';
import { openRequestLog } from './log/request-log.ts';
import { openAdministration, type RealmAdministration } from './realm/administration.ts';
import { openBrowserStore } from './realm/browser-store.ts';
import type { DemoClient } from './realm/client.ts';
import { openKeys } from './realm/keys.ts';
import { openRealm } from './realm/realm.ts';
import { defaultSettings, type RealmSettings } from './realm/settings.ts';
import { openTables } from './realm/tables.ts';
import { openLogoutSender } from './tokens/logout-token.ts';
import { openOfflineAccess } from './tokens/offline-access.ts';

export interface DemoProvider {
  /** The issuer identifier; its discovery document is where OpenID Connect Discovery says. */
  readonly issuer: string;
  /** The key that signs ID tokens and access tokens at the start: its id, and the public half as PEM (SPKI). */
  readonly signingKey: { readonly id: string; readonly publicPem: string };
  /** What an administrator or a person does. */
  readonly admin: RealmAdministration;
  /** What goes wrong at the token endpoint. */
  readonly faults: Faults;
  /** What clients asked, and whether they did so correctly. */
  readonly log: LogAssertions;
  /** Connections are refused until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export interface ProviderOptions {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Where to listen instead of on 127.0.0.1. */
  at?: OtherAddress;
  /** The clock of the realm. Proofs and assertions of clients are dated by the machine's clock. */
  clock?: Clock;
  clients: readonly DemoClient[];
  people: readonly Person[];
  options?: Partial<RealmSettings>;
  /** A file that keeps the provider's state, so that it can be killed and started again. */
  journal?: string;
}

/**
 * Starts an OpenID provider on 127.0.0.1 for the demo and for tests. It behaves like a Keycloak realm as far as
 * offline access goes: sessions, rotation, consents, policies and refusals. Faults can be injected, and its request log
 * shows whether clients behave correctly. Access tokens are JWTs (RS256) that name the person in `preferred_username`.
 */
export async function startProvider({
  port = 0,
  at,
  clock = systemClock(),
  clients,
  people,
  options = {},
  journal,
}: ProviderOptions): Promise<DemoProvider> {
  const server = await listenOnLoopback(port, at);
  const tables = openTables(journal);
  const realm = openRealm({
    issuer: server.origin,
    clock,
    tables,
    people,
    clients,
    settings: { ...defaultSettings, ...options },
  });
  const keys = await openKeys(tables);
  const store = openBrowserStore(realm, tables);
  const offline = openOfflineAccess({ realm, keys, tables, store }, (token) => noteReuse(token));
  const requestLog = openRequestLog(tables, offline.find);
  const { log, noteReuse } = openAssertions({ requestLog, offline, tables });
  const { choose: chooseFault, ...faults } = openFaults();
  const sendLogoutToken = openLogoutSender({ realm, keys });
  const admin = openAdministration({ realm, keys, offline, store, sendLogoutToken });
  server.serve(openEndpoints({ realm, keys, store, offline, requestLog, admin, sendLogoutToken, chooseFault, clock }));
  const { id, publicPem } = keys.signing();
  const { down, up } = server;
  return { issuer: realm.issuer, signingKey: { id, publicPem }, admin, faults, log, down, up, stop: down };
}

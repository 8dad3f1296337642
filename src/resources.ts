import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import type { Config } from './config/config.ts';
import { type Canary, lockCanaries, saveCanary } from './database/canaries.ts';
import { type Database, inTransaction, openDatabase } from './database/client.ts';
import { startEmbeddedDatabase } from './database/embedded.ts';
import { migrateWhereNeeded, requireMigrations } from './database/migrate.ts';
import { openRunProgress, type RunProgressBoard } from './database/run-progress.ts';
import { openRunWatch, type RunWatch } from './database/run-watch.ts';
import { type Background, openBackground } from './domain/background.ts';
import { type Holder, openHolder } from './domain/holder.ts';
import { parseStoreAddress } from './domain/store-address.ts';
import { openTokenCache, type TokenCache } from './domain/token-cache.ts';
import { AppError } from './errors.ts';
import type { Log } from './log.ts';
import { type Meters, openMeters } from './meters.ts';
import { type Issuer, openIssuer } from './oidc/issuer.ts';
import { openQueues, type Queues, queuePrefix } from './queues.ts';
import { openServers, type Servers, type TransferLimits } from './sources/http/server.ts';
import type { Backend } from './store/backend/backend.ts';
import { type ScryptCosts, scryptCosts } from './store/format/key-file.ts';
import type { History } from './store/history/history.ts';
import { type LockOwner, openLockOwner } from './store/repository/locks.ts';
import { openStores } from './store/stores.ts';
import { type Keyring, parseKeyring, withFingerprintKey } from './vault/keyring.ts';
import { purposes } from './vault/purposes.ts';
import { seal, unseal } from './vault/seal.ts';
import { openSpool, type Spool } from './vault/spool.ts';

/** What one process keeps in memory for itself. */
export interface ProcessState {
  /** Access tokens, which live nowhere else. */
  tokenCache: TokenCache;
  /** This process in the locks of repositories. */
  lockOwner: LockOwner;
  /** The servers that sources fetch from: all runs of this process share their connections. */
  sourceServers: Servers;
  /** The runs that this process works on. */
  runWatch: RunWatch;
  runProgress: RunProgressBoard;
  meters: Meters;
  /** What goes on after the request that began it: restores to the source. */
  background: Background;
  /** When this process last failed to erase a repository, by its id. */
  failedErasures: Map<string, Date>;
  /**
   * Repositories of people who look at their snapshots now, by the person's id. Opening one costs the derivation of its key and
   * all of its index, and people turn page after page; so its key stays for two minutes after the last page, and ten at most.
   * It is in memory only, of a process that holds the keyring, which opens every repository, as long as it runs.
   */
  histories: Holder<History>;
}

/** Everything that is open while the service runs. Flows name the part of it that they need. */
export interface Resources extends ProcessState {
  config: Config;
  clock: Clock;
  log: Log;
  database: Database;
  queues: Queues;
  issuer: Issuer;
  keyring: Keyring;
  /** The place that one repository fills in the store of that address, or that of the settings where it is null. */
  store: (location: string, at: string | null) => Backend;
  /** The places of such a store in which something is. */
  places: (at: string | null) => Promise<string[]>;
  /** How hard the passwords of repositories are to try. */
  scrypt: ScryptCosts;
  /** What the provider answered and the database does not have yet, on this machine's disk. */
  spool: Spool;
  /** This process in leases. */
  holder: string;
}

/**
 * Opens database, queue, keyring, issuer and store, in that order; what was opened is closed again when a later one
 * fails. The embedded database is migrated here; a database of your own is migrated by `nightkeep migrate`.
 */
export async function openResources(
  config: Config,
  ground: { clock: Clock; log: Log },
): Promise<Resources & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const parsed = parseKeyring(config.keyring);
  const { url: databaseUrl, ownerUrl } = await locateDatabase(config, opened);
  const database = opened.adopt(await openDatabase(databaseUrl), (open) => open.$disconnect());
  const applied = ownerUrl === undefined ? [] : await migrateWhereNeeded(database, ownerUrl);
  for (const name of applied) ground.log.info('migration.applied', { name });
  await requireMigrations(database);
  const keyring = await openKeyring(database, parsed, ground.clock.now());
  const queues = opened.use(
    await openQueues({ redisUrl: config.redisUrl, postgresUrl: databaseUrl, prefix: queuePrefix, log: ground.log }),
  );
  const issuer = openIssuer({ provider: config.provider, publicUrl: config.publicUrl, ...ground });
  // A private key that cannot be read is refused at start.
  await issuer.publicKeys();
  const stores = opened.use(openStores(config, ground.clock));
  const addressOf = (at: string | null) => (at === null ? config.store : parseStoreAddress(at));
  const store: Resources['store'] = (location, at) => stores.open(addressOf(at), location);
  const holder = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const state = openProcessState({ ...ground, database }, config.sourceLimits.transfer);
  opened.use(state.histories);
  opened.use(state.background);
  const closing = opened.move();
  return {
    config,
    ...ground,
    database,
    queues,
    issuer,
    keyring,
    store,
    places: (at) => stores.places(addressOf(at)),
    scrypt: scryptCosts,
    spool: openSpool(join(config.dataDir, 'spool')),
    holder,
    ...state,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

export function openProcessState(
  resources: Pick<Resources, 'clock' | 'database' | 'log'>,
  transfer?: TransferLimits,
): ProcessState {
  return {
    tokenCache: openTokenCache(),
    lockOwner: openLockOwner(`nightkeep-${hostname()}`),
    sourceServers: openServers(resources.clock, transfer),
    runWatch: openRunWatch(resources),
    runProgress: openRunProgress(resources),
    meters: openMeters(),
    background: openBackground(),
    failedErasures: new Map(),
    histories: openHolder(resources.clock, {
      mostBytes: 256 * 1024 * 1024,
      renewMs: 1000,
      idleMs: 2 * 60_000,
      longestMs: 10 * 60_000,
    }),
  };
}

/**
 * The keyring as this database knows it: opens the canary of every key that the database is used with, and leaves one for the
 * key in front. Each canary holds the key of the fingerprints, so that this outlives every key and no fingerprint ever
 * changes. Throws `keyring/invalid` where a canary does not open: what is sealed under its key would be lost to this process.
 */
export async function openKeyring(database: Database, keyring: Keyring, at: Date): Promise<Keyring> {
  const { newest: keyId } = keyring;
  return inTransaction(database, async (transaction) => {
    const opened = (await lockCanaries(transaction)).map((canary) => openCanary(keyring, canary));
    const fingerprintKey = opened.find(isFingerprintKey)?.text ?? keyring.fingerprintKey.export();
    const own = opened.find((canary) => canary.keyId === keyId);
    if (own === undefined || !isFingerprintKey(own)) {
      const { sealed } = seal(keyring, purposes.canary(keyId), fingerprintKey);
      await saveCanary(transaction, { keyId, sealed, at });
    }
    return withFingerprintKey(keyring, fingerprintKey);
  });
}

function openCanary(keyring: Keyring, { keyId, sealed }: Canary): { keyId: string; text: Uint8Array } {
  try {
    return { keyId, text: unseal(keyring, purposes.canary(keyId), sealed) };
  } catch (cause) {
    throw new AppError(
      'keyring/invalid',
      `The keyring is not the one this database was sealed with: key ${keyId} is missing or another one. Put the right KEYRING back.`,
      { cause, detail: { keyId } },
    );
  }
}

/** Canaries of the first version held a known word instead. */
function isFingerprintKey({ text }: { text: Uint8Array }): boolean {
  return text.length === 32;
}

/** Yours, or the embedded one, which is ours to migrate. */
async function locateDatabase(
  { databaseUrl, dataDir }: Config,
  opened: AsyncDisposableStack,
): Promise<{ url: string; ownerUrl?: string }> {
  if (databaseUrl !== undefined) return { url: databaseUrl };
  return opened.use(await startEmbeddedDatabase(join(dataDir, 'postgres')));
}

import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import type { Config } from './config/config.ts';
import {
  type Database,
  inTransactionOnce,
  longTransactionMs,
  openDatabase,
  type Transaction,
} from './database/client.ts';
import { startEmbeddedDatabase } from './database/server/embedded.ts';
import { migrateWhereNeeded, requireMigrations } from './database/server/migrate.ts';
import { type Canary, lockCanaries, saveCanary } from './database/state/canaries.ts';
import { type BoundKind, type BoundRow, beforeAll, listBound, replaceSealed } from './database/state/sealed-values.ts';
import type { RowSeal } from './domain/row-facts.ts';
import { parseStoreAddress } from './domain/store-address.ts';
import { AppError, isAppError } from './errors.ts';
import type { Log } from './log.ts';
import type { Backend } from './store/backend/backend.ts';
import { type ScryptCosts, scryptCosts } from './store/format/key-file.ts';
import { type LockOwner, openLockOwner } from './store/repository/locks.ts';
import { openStores } from './store/stores.ts';
import { type Keyring, parseKeyring, withFingerprintKey } from './vault/keyring.ts';
import { purposes } from './vault/purposes.ts';
import {
  agreedRuleSealing,
  boundBy,
  boundLevel,
  boundMark,
  erasureSealing,
  fingerprintBytes,
  openUnboundPassword,
  personSealing,
  planSealing,
  sealPassword,
} from './vault/row-seals.ts';
import { seal, unseal } from './vault/seal.ts';

/** What work on repositories alone needs: a command that restores or checks talks to no provider, queue or source, and loads none. */
export interface RepositoryResources {
  config: Config;
  clock: Clock;
  log: Log;
  database: Database;
  keyring: Keyring;
  /** The place that one repository fills in the store of that address, or that of the settings where it is null. */
  store: (location: string, at: string | null) => Backend;
  /** The places of such a store in which something is. */
  places: (at: string | null) => Promise<string[]>;
  /** How hard the passwords of repositories are to try. */
  scrypt: ScryptCosts;
  /** This process in the locks of repositories. */
  lockOwner: LockOwner;
}

/**
 * Opens database, keyring and store, in that order; what was opened is closed again when a later one fails. The embedded database is
 * migrated here; a database of your own is migrated by `nightkeep migrate`.
 */
export async function openRepositoryResources(
  config: Config,
  ground: { clock: Clock; log: Log },
): Promise<RepositoryResources & AsyncDisposable & { databaseUrl: string }> {
  await using opened = new AsyncDisposableStack();
  const parsed = parseKeyring(config.keyring);
  const { url: databaseUrl, ownerUrl } = await locateDatabase(config, opened, ground.log);
  const database = opened.adopt(await openDatabase(databaseUrl), (open) => open.$disconnect());
  const applied = ownerUrl === undefined ? [] : await migrateWhereNeeded(database, ownerUrl);
  for (const name of applied) ground.log.info('migration.applied', { name });
  await requireMigrations(database);
  const keyring = await openKeyring(database, parsed, ground.clock.now());
  const stores = opened.use(openStores(config, ground.clock));
  const addressOf = (at: string | null) => (at === null ? config.store : parseStoreAddress(at));
  const closing = opened.move();
  return {
    config,
    ...ground,
    database,
    databaseUrl,
    keyring,
    store: (location, at) => stores.open(addressOf(at), location),
    places: (at) => stores.places(addressOf(at)),
    scrypt: scryptCosts,
    lockOwner: openOwnLocks(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** This process, as it calls itself in locks. */
export function openOwnLocks(): LockOwner {
  return openLockOwner(`nightkeep-${hostname()}`);
}

/**
 * The keyring as this database knows it: opens the canary of every key that the database is used with, and leaves one for the
 * key in front. Each canary holds the key of the fingerprints, so that this outlives every key and no fingerprint ever
 * changes. Throws `keyring/invalid` where a canary does not open: what is sealed under its key would be lost to this process.
 */
export async function openKeyring(database: Database, keyring: Keyring, at: Date): Promise<Keyring> {
  const { newest: keyId } = keyring;
  const open = async (transaction: Transaction) => {
    const opened = (await lockCanaries(transaction)).map((canary) => openCanary(keyring, canary));
    const known = opened.find(({ text }) => text.length >= fingerprintBytes)?.text.subarray(0, fingerprintBytes);
    const fingerprintKey = known ?? keyring.fingerprintKey.export();
    const bound = Math.max(0, ...opened.map(({ text }) => boundBy(text)));
    if (bound < 1) await bindRows(transaction, keyring);
    if (bound < boundLevel) await bindChoices(transaction, keyring);
    const own = opened.find((canary) => canary.keyId === keyId);
    if (own === undefined || boundBy(own.text) < boundLevel) {
      const { sealed } = seal(keyring, purposes.canary(keyId), Buffer.concat([fingerprintKey, boundMark]));
      await saveCanary(transaction, { keyId, sealed, at });
    }
    return withFingerprintKey(keyring, fingerprintKey);
  };
  // The first start of a version that seals rows seals all there are.
  return inTransactionOnce(database, open, { timeout: longTransactionMs });
}

/**
 * Rows of versions that did not seal whose they are and where they point are believed once, at the first start of one that does. The
 * canary says so from then on, and a row without its seal is refused.
 */
async function bindRows(transaction: Transaction, keyring: Keyring): Promise<void> {
  const [people, plans] = [personSealing(keyring), planSealing(keyring)];
  await sealAll(transaction, keyring, 'people', ({ facts }) => people.seal(facts));
  await sealAll(transaction, keyring, 'plans', ({ facts }) => plans.seal(facts));
  await sealAll(transaction, keyring, 'repository passwords', ({ id, facts, sealed }) => {
    const sealedPassword = sealed ?? new Uint8Array();
    try {
      return sealPassword(keyring, facts, openUnboundPassword(keyring, { id, sealedPassword })).sealed;
    } catch (error) {
      if (isAppError(error)) return undefined;
      throw error;
    }
  });
}

/** The same for what was chosen of snapshots. Nothing is sealed where all of them stay. */
async function bindChoices(transaction: Transaction, keyring: Keyring): Promise<void> {
  const [erasures, rules] = [erasureSealing(keyring), agreedRuleSealing(keyring)];
  await sealAll(transaction, keyring, 'requests to erase', ({ facts }) =>
    facts.eraseAt === null ? undefined : erasures.seal(facts),
  );
  await sealAll(transaction, keyring, 'retention rules', ({ facts }) =>
    facts.retentionAgreedAt === null ? undefined : rules.seal(facts),
  );
}

const rowsAtOnce = 500;

/** What cannot be sealed stays as it is. */
async function sealAll<Kind extends BoundKind>(
  transaction: Transaction,
  { newest: keyId }: Keyring,
  kind: Kind,
  sealedOf: (row: BoundRow<Kind>) => RowSeal | undefined,
): Promise<void> {
  for (let after = beforeAll.id; ; ) {
    const rows = await listBound(transaction, kind, { after, limit: rowsAtOnce });
    const values = rows.flatMap((seen) => {
      const sealed = sealedOf(seen);
      return sealed === undefined ? [] : [{ seen, sealed }];
    });
    await replaceSealed(transaction, kind, { keyId, values });
    after = rows.at(-1)?.id ?? after;
    if (rows.length < rowsAtOnce) return;
  }
}

function openCanary(keyring: Keyring, { keyId, sealed }: Canary): { keyId: string; text: Uint8Array } {
  try {
    return { keyId, text: unseal(keyring, purposes.canary(keyId), sealed) };
  } catch (cause) {
    throw new AppError(
      'keyring/invalid',
      `The keyring is not the one this database was sealed with: key ${keyId} is missing or has changed. Put the right KEYRING back.`,
      { cause, detail: { keyId } },
    );
  }
}

/** The database of the settings, or the embedded one, which is migrated here. */
async function locateDatabase(
  { databaseUrl, dataDir }: Config,
  opened: AsyncDisposableStack,
  log: Log,
): Promise<{ url: string; ownerUrl?: string }> {
  if (databaseUrl !== undefined) return { url: databaseUrl };
  return opened.use(await startEmbeddedDatabase(join(dataDir, 'postgres'), log));
}

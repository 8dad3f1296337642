import { saveAudit } from '../../database/audit.ts';
import { listAppliedMigrations } from '../../database/migrate.ts';
import { listSealedCanaries, readState, type StateRows, writeState } from '../../database/state.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { unseal } from '../../vault/seal.ts';
import { cutOff, readSealedFile, writeSealedFile } from '../../vault/sealed-file.ts';
import { version } from '../../version.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring'>;

/** What an export says of itself, before everything else. */
interface Manifest {
  readonly createdAt: string;
  /** Of the Nightkeep that made it. */
  readonly version: string;
  readonly migrations: readonly string[];
  readonly withTokens: boolean;
  /** A sealed text of every key that something in it may be sealed with, in base64. */
  readonly canaries: readonly { readonly keyId: string; readonly sealed: string }[];
}

/** What was moved: rows by table. */
export interface MovedState {
  readonly createdAt: string;
  readonly withTokens: boolean;
  readonly rows: Readonly<Record<string, number>>;
}

/** Writes Nightkeep's own state into a file, sealed with the keyring. Offline tokens stay out unless they are asked for. */
export async function exportState(
  { clock, database, keyring }: Needs,
  { to, withTokens, by }: { to: string; withTokens: boolean; by: string },
): Promise<MovedState> {
  const at = clock.now();
  await saveAudit(database, { at, by, act: 'state-exported', about: withTokens ? 'with tokens' : 'without tokens' });
  const canaries = (await listSealedCanaries(database)).map(({ keyId, sealed }) => ({
    keyId,
    sealed: Buffer.from(sealed).toString('base64'),
  }));
  const migrations = await listAppliedMigrations(database);
  const manifest: Manifest = { createdAt: at.toISOString(), version, migrations, withTokens, canaries };
  const count = openCount();
  await writeSealedFile(keyring, to, async ({ write }) => {
    await write(JSON.stringify(manifest));
    await readState(database, { withTokens }, async (part) => {
      count.add(part);
      await write(`${part.table}\n${part.rows.join('\n')}`);
    });
    await write(JSON.stringify({ end: count.rows }));
  });
  return { createdAt: manifest.createdAt, withTokens, rows: count.rows };
}

/**
 * Reads such a file into an empty, migrated database, all of it or nothing. Throws `keyring/invalid` before anything is written where the
 * keyring is another one, and `request/invalid` where the file is cut off, another version made it, or the database is in use.
 */
export async function importState(resources: Needs, { from, by }: { from: string; by: string }): Promise<MovedState> {
  const texts = readSealedFile(resources.keyring, from);
  try {
    return await importTexts(resources, texts, by);
  } finally {
    await texts.return(undefined);
  }
}

async function importTexts(
  { clock, database, keyring }: Needs,
  texts: AsyncGenerator<string>,
  by: string,
): Promise<MovedState> {
  const { value: first, done } = await texts.next().catch((error: unknown) => Promise.reject(asKeyring(error)));
  if (done) throw cutOff();
  const manifest: Manifest = JSON.parse(first);
  for (const canary of manifest.canaries) openCanary(keyring, canary);
  refuseAnotherVersion(manifest, await listAppliedMigrations(database));
  const count = openCount();
  const { createdAt, withTokens } = manifest;
  await writeState(database, partsOf(texts, count), async (transaction) => {
    const at = clock.now();
    await saveAudit(transaction, { at, by, act: 'state-imported', about: createdAt });
  });
  return { createdAt, withTokens, rows: count.rows };
}

async function* partsOf(texts: AsyncIterable<string>, count: ReturnType<typeof openCount>): AsyncGenerator<StateRows> {
  let isWhole = false;
  for await (const text of texts) {
    if (isWhole) throw cutOff();
    const [table = '', ...rows] = text.split('\n');
    if (rows.length === 0) {
      isWhole = JSON.stringify(JSON.parse(table).end) === JSON.stringify(count.rows);
      if (!isWhole) throw cutOff();
      continue;
    }
    const part = { table, rows };
    count.add(part);
    yield part;
  }
  if (!isWhole) throw cutOff();
}

function openCount() {
  const rows: Record<string, number> = {};
  return {
    rows,
    add: (part: StateRows) => {
      rows[part.table] = (rows[part.table] ?? 0) + part.rows.length;
    },
  };
}

function openCanary(keyring: Keyring, { keyId, sealed }: Manifest['canaries'][number]): void {
  try {
    unseal(keyring, purposes.canary(keyId), Buffer.from(sealed, 'base64'));
  } catch (error) {
    throw asKeyring(error);
  }
}

function asKeyring(error: unknown): unknown {
  if (!isAppError(error, 'seal/unknown-key') && !isAppError(error, 'seal/broken')) return error;
  return new AppError(
    'keyring/invalid',
    `The keyring is not the one that the export was sealed with, or the file was altered. Nothing was imported. ${error.message}`,
    { cause: error },
  );
}

function refuseAnotherVersion(manifest: Manifest, here: readonly string[]): void {
  if (manifest.migrations.toSorted().join() === here.toSorted().join()) return;
  throw new AppError(
    'request/invalid',
    `Nightkeep ${manifest.version} made the export, whose tables are others than those of ${version} here (${manifest.migrations.length} migrations, and ${here.length} here). Import it with that version, then upgrade.`,
  );
}

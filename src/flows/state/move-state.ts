import { saveAudit } from '../../database/audit.ts';
import type { Transaction } from '../../database/client.ts';
import { compareWith, listAppliedMigrations } from '../../database/server/migrate.ts';
import { readCanaries } from '../../database/state/canaries.ts';
import { readState, type StateRows, writeState } from '../../database/state/state.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import type { Keyring } from '../../vault/keyring.ts';
import { purposes } from '../../vault/purposes.ts';
import { unseal } from '../../vault/seal.ts';
import { cutOff, type Sink, sealTexts, unsealTexts } from '../../vault/sealed-texts.ts';
import { readPieces, writeFileWhole } from '../../vault/whole-file.ts';
import { version } from '../../version.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring'>;

/** What an export says of itself, before everything else. */
export interface Manifest {
  readonly createdAt: string;
  /** The version of Nightkeep that made it. */
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
  resources: Needs,
  { to, withTokens, by, signal }: { to: string; withTokens: boolean; by: string; signal?: AbortSignal },
): Promise<MovedState> {
  const at = resources.clock.now();
  const about = withTokens ? 'with tokens' : 'without tokens';
  await saveAudit(resources.database, { at, by, act: 'state-exported', about });
  let moved: MovedState | undefined;
  await writeFileWhole(to, async (sink) => {
    const stoppable: Sink = async (bytes) => {
      signal?.throwIfAborted();
      await sink(bytes);
    };
    moved = await writeExport(resources, stoppable, { withTokens, at });
  });
  if (moved === undefined) throw new Error('Nothing was written.');
  return moved;
}

/** Hands an export to a sink, sealed with the keyring: every table as it is at one moment, which is no earlier than `at`. */
export async function writeExport(
  { database, keyring }: Pick<Needs, 'database' | 'keyring'>,
  sink: Sink,
  { withTokens, at }: { withTokens: boolean; at: Date },
): Promise<MovedState> {
  const canaries = (await readCanaries(database)).map(({ keyId, sealed }) => ({
    keyId,
    sealed: Buffer.from(sealed).toString('base64'),
  }));
  const migrations = await listAppliedMigrations(database);
  const manifest: Manifest = { createdAt: at.toISOString(), version, migrations, withTokens, canaries };
  const count = openCount();
  await sealTexts(keyring, sink, async ({ write }) => {
    await write(JSON.stringify(manifest));
    await readState(database, { withTokens }, async (part) => {
      count.add(part);
      await write(`${part.table}\n${part.rows.join('\n')}`);
    });
    await write(JSON.stringify({ end: count.rows }));
  });
  return { createdAt: manifest.createdAt, withTokens, rows: count.rows };
}

/** Who imports it, and what may stop that as long as nothing is committed. */
export interface Importing {
  readonly by: string;
  readonly signal?: AbortSignal | undefined;
}

/** As `readExport` does, from a file. Throws `usage/invalid` where it cannot be read. */
export async function importState(
  resources: Needs,
  { from, ...importing }: Importing & { from: string },
): Promise<MovedState> {
  return readExport(resources, readPieces(from), importing);
}

/**
 * Reads an export into an empty, migrated database, all of it or nothing. One that an older version made is brought through the migrations
 * that came since. Throws `keyring/invalid` before anything is written where the keyring is another one, and `request/invalid` where the
 * export is cut off, a later version made it, or the database is in use.
 */
export async function readExport(
  resources: Needs,
  chunks: AsyncIterable<Buffer>,
  importing: Importing,
): Promise<MovedState> {
  const texts = unsealTexts(resources.keyring, chunks);
  try {
    return await importTexts(resources, texts, importing);
  } finally {
    await texts.return(undefined);
  }
}

async function importTexts(
  { clock, database, keyring }: Needs,
  texts: AsyncGenerator<string>,
  { by, signal }: Importing,
): Promise<MovedState> {
  const manifest = await readManifest(keyring, texts);
  const { missing, unknown } = await compareWith(manifest.migrations);
  if (unknown.length > 0) throw laterVersion(manifest, unknown);
  const count = openCount();
  const { createdAt, withTokens } = manifest;
  const after = async (transaction: Transaction) => {
    await saveAudit(transaction, { at: clock.now(), by, act: 'state-imported', about: createdAt });
    signal?.throwIfAborted();
  };
  await writeState(database, partsOf(texts, { count, signal }), { missing, after });
  return { createdAt, withTokens, rows: count.rows };
}

/** Reads what an export says of itself. Throws `keyring/invalid` where this keyring does not open all that is in it. */
export async function readManifest(keyring: Keyring, texts: AsyncGenerator<string>): Promise<Manifest> {
  const { value: first, done } = await texts.next().catch((error: unknown) => Promise.reject(asKeyring(error)));
  if (done) throw cutOff();
  const manifest: Manifest = JSON.parse(first);
  for (const canary of manifest.canaries) openCanary(keyring, canary);
  return manifest;
}

async function* partsOf(
  texts: AsyncIterable<string>,
  { count, signal }: { count: ReturnType<typeof openCount>; signal: AbortSignal | undefined },
): AsyncGenerator<StateRows> {
  let isWhole = false;
  for await (const text of texts) {
    signal?.throwIfAborted();
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

function laterVersion(manifest: Manifest, unknown: readonly string[]): AppError {
  return new AppError(
    'request/invalid',
    `Nightkeep ${manifest.version} made the export, with tables that this version (${version}) does not know (${unknown.at(-1)}). Import it with that version or a later one.`,
  );
}

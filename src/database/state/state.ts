import { AppError } from '../../errors.ts';
import { type Database, inLongTransaction, type Transaction } from '../client.ts';
import { Prisma } from '../generated/client.ts';
import { readMigrations } from '../server/schema-engine.ts';
import { lockCanaries } from './canaries.ts';

interface Exported {
  readonly table: string;
  /** Columns that are saved as something else than they are: JSON that is laid over the row `t`. */
  readonly instead?: string;
  /** The same where tokens stay out. */
  readonly withoutTokens?: string;
  /** Numbered by the database, which numbers them anew. */
  readonly isNumbered?: true;
  /** May be there already in an installation that was only started. */
  readonly isOfService?: true;
  /** By this column its row may be there already, made by a trigger as another table was written: the exported one takes its place. */
  readonly madeFor?: string;
}

/** What an export holds, in an order in which nothing refers to what comes later. test/scenarios/state/state.test.ts says of each other table why it is left out. */
export const exported: readonly Exported[] = [
  { table: 'canaries', isOfService: true },
  { table: 'users' },
  {
    table: 'grants',
    withoutTokens: `jsonb_build_object('sealed_dpop_key', NULL, 'dpop_key_id', NULL, 'next_exchange_at', NULL)
      || CASE WHEN t.state = 'withdrawn' THEN '{}' ELSE '{"state": "needs_consent", "reason": "imported"}'::jsonb END`,
  },
  { table: 'consents' },
  {
    table: 'token_generations',
    withoutTokens: `'{"sealed": null}'::jsonb || CASE WHEN t.sealed IS NULL THEN '{}' ELSE '{"state": "dead"}'::jsonb END`,
  },
  { table: 'exchanges' },
  { table: 'circuits', isOfService: true },
  { table: 'proven_questions', isOfService: true },
  { table: 'logout_tokens', isOfService: true },
  { table: 'provider_keys', isOfService: true },
  { table: 'plans' },
  { table: 'runs' },
  // The store goes on after an export: cards are looked at anew, and data that was checkpointed may be gone.
  {
    table: 'repositories',
    instead: `'{"checkpoint": null, "card_digest": null, "card_due_at": "1970-01-01T00:00:00Z"}'::jsonb`,
  },
  { table: 'verifications', madeFor: 'user_id' },
  { table: 'restores' },
  { table: 'notices' },
  { table: 'person_erasures' },
  { table: 'events', isNumbered: true, isOfService: true },
  { table: 'audit', isNumbered: true, isOfService: true },
];

const batch = 500;

export interface StateRows {
  readonly table: string;
  /** Each as JSON, in PostgreSQL's own words. */
  readonly rows: readonly string[];
}

/** Reads every exported table as it is at one moment. Without tokens no consent can be used, and people are asked to agree again. */
export async function readState(
  database: Database,
  { withTokens }: { withTokens: boolean },
  take: (part: StateRows) => Promise<void>,
): Promise<void> {
  await inLongTransaction(database, async (transaction) => {
    for (const one of exported) {
      const changes = [one.instead, withTokens ? undefined : one.withoutTokens].filter(
        (change) => change !== undefined,
      );
      await readRows(transaction, { ...one, changes }, take);
    }
  });
}

/** Reads a table as it is, or with changes laid over its rows; numbered rows in their order. */
async function readRows(
  transaction: Transaction,
  { table, isNumbered, changes, schema }: Exported & { changes: readonly string[]; schema?: string },
  take: (part: StateRows) => Promise<void>,
): Promise<void> {
  const row = `((to_jsonb(t) ${isNumbered ? "- 'id'" : ''}) ${changes.map((change) => `|| (${change})`).join(' ')})::text`;
  const from = schema === undefined ? table : `${schema}.${table}`;
  await transaction.$executeRawUnsafe(
    `DECLARE exported CURSOR FOR SELECT ${row} AS row FROM ${from} t ${isNumbered ? 'ORDER BY t.id' : ''}`,
  );
  for (;;) {
    const found = await transaction.$queryRawUnsafe<{ row: string }[]>(`FETCH ${batch} FROM exported`);
    if (found.length > 0) await take({ table, rows: found.map((one) => one.row) });
    if (found.length < batch) break;
  }
  await transaction.$executeRawUnsafe('CLOSE exported');
}

/**
 * Writes an export into an empty database, all of it or nothing. Throws `request/invalid` where the database is in use. Canaries of the
 * export take the place of those that the start has left, so that fingerprints stay what they were. `missing` are the migrations of this
 * version that the export was made without: its rows are brought through them.
 */
export async function writeState(
  database: Database,
  parts: AsyncIterable<StateRows>,
  { missing, after }: { missing: readonly string[]; after: (transaction: Transaction) => Promise<void> },
): Promise<void> {
  await inLongTransaction(database, async (transaction) => {
    await lockCanaries(transaction);
    await refuseUnlessEmpty(transaction);
    await transaction.canary.deleteMany();
    if (missing.length > 0) await writeOlder(transaction, parts, missing);
    else for await (const part of parts) await writeRows(transaction, part);
    await after(transaction);
  });
}

/** Where the tables of an older version stand meanwhile. */
const olderSchema = 'nightkeep_import';

/** Makes the tables as they were, fills them, and takes them through the migrations that came since, as an upgrade does. */
async function writeOlder(
  transaction: Transaction,
  parts: AsyncIterable<StateRows>,
  missing: readonly string[],
): Promise<void> {
  const { migrationDirectories } = await readMigrations();
  const isSince = ({ path }: (typeof migrationDirectories)[number]) => missing.includes(path);
  const apply = async (migrations: typeof migrationDirectories) => {
    for (const { migrationFile } of migrations) await transaction.$executeRawUnsafe(migrationFile.content.value);
  };
  await transaction.$executeRawUnsafe(`CREATE SCHEMA ${olderSchema}`);
  await transaction.$executeRawUnsafe(`SET LOCAL search_path TO ${olderSchema}`);
  await apply(migrationDirectories.filter((one) => !isSince(one)));
  for await (const part of parts)
    await insertRows(
      transaction,
      part,
      exported.find(({ table }) => table === part.table),
    );
  await apply(migrationDirectories.filter(isSince));
  await transaction.$executeRawUnsafe('SET LOCAL search_path TO DEFAULT');
  for (const one of exported)
    await readRows(transaction, { ...one, changes: [], schema: olderSchema }, (part) => writeRows(transaction, part));
  await transaction.$executeRawUnsafe(`DROP SCHEMA ${olderSchema} CASCADE`);
}

async function writeRows(transaction: Transaction, part: StateRows): Promise<void> {
  const known = exported.find(({ table }) => table === part.table);
  if (known === undefined)
    throw new AppError('request/invalid', `The export holds a table that this version does not know: ${part.table}.`);
  await insertRows(transaction, part, known);
}

async function insertRows(
  transaction: Transaction,
  { table, rows }: StateRows,
  { isOfService, madeFor }: Pick<Exported, 'isOfService' | 'madeFor'> = {},
): Promise<void> {
  const columns = Object.keys(JSON.parse(rows[0] ?? '{}'));
  const [name, ...names] = [table, ...columns].map((text) => `"${text.replaceAll('"', '""')}"`);
  const inPlace = `ON CONFLICT (${madeFor}) DO UPDATE SET ${names.map((one) => `${one} = excluded.${one}`).join(', ')}`;
  await transaction.$executeRawUnsafe(
    `INSERT INTO ${name} (${names.join(', ')}) SELECT ${names.join(', ')}
      FROM jsonb_populate_recordset(NULL::${name}, $1::jsonb)
      ${madeFor !== undefined ? inPlace : isOfService ? 'ON CONFLICT DO NOTHING' : ''}`,
    `[${rows.join(',')}]`,
  );
}

async function refuseUnlessEmpty(transaction: Transaction): Promise<void> {
  for (const { table, isOfService } of exported) {
    if (isOfService) continue;
    const [{ used } = { used: true }] = await transaction.$queryRaw<{ used: boolean }[]>(
      Prisma.sql`SELECT EXISTS (SELECT FROM ${Prisma.raw(table)}) AS used`,
    );
    if (used)
      throw new AppError(
        'request/invalid',
        `The database is in use (${table} holds something), so nothing was imported. Import into an empty one that is migrated.`,
      );
  }
}

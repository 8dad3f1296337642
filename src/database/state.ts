import { AppError } from '../errors.ts';
import { type Canary, lockCanaries } from './canaries.ts';
import { type Database, inLongTransaction, type Transaction } from './client.ts';
import { Prisma } from './generated/client.ts';

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
}

/** What an export holds, in an order in which nothing refers to what comes later. */
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
  { table: 'repositories', instead: `'{"checkpoint": null, "card_digest": null}'::jsonb` },
  { table: 'verifications' },
  { table: 'restores' },
  { table: 'notices' },
  { table: 'person_erasures' },
  { table: 'events', isNumbered: true, isOfService: true },
  { table: 'audit', isNumbered: true, isOfService: true },
];

/** What it leaves out, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  rate_limits: 'they are of minutes',
  web_sessions: 'people sign in again',
  run_progress: 'it is worth nothing once the process has gone that wrote it',
};

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
      const { table } = one;
      await transaction.$executeRawUnsafe(
        `DECLARE exported CURSOR FOR SELECT ${wordsOf(one, withTokens)} AS row FROM ${table} t`,
      );
      for (;;) {
        const found = await transaction.$queryRawUnsafe<{ row: string }[]>(`FETCH ${batch} FROM exported`);
        if (found.length > 0) await take({ table, rows: found.map(({ row }) => row) });
        if (found.length < batch) break;
      }
      await transaction.$executeRawUnsafe('CLOSE exported');
    }
  });
}

function wordsOf({ instead, withoutTokens, isNumbered }: Exported, withTokens: boolean): string {
  const changes = [instead, withTokens ? undefined : withoutTokens].filter((change) => change !== undefined);
  return `((to_jsonb(t) ${isNumbered ? "- 'id'" : ''}) ${changes.map((change) => `|| (${change})`).join(' ')})::text`;
}

/**
 * Writes an export into an empty database, all of it or nothing. Throws `request/invalid` where the database is in use. Canaries of the
 * export take the place of those that the start has left, so that fingerprints stay what they were.
 */
export async function writeState(
  database: Database,
  parts: AsyncIterable<StateRows>,
  after: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  await inLongTransaction(database, async (transaction) => {
    await lockCanaries(transaction);
    await refuseUnlessEmpty(transaction);
    await transaction.canary.deleteMany();
    for await (const part of parts) await writeRows(transaction, part);
    await after(transaction);
  });
}

async function writeRows(transaction: Transaction, { table, rows }: StateRows): Promise<void> {
  const known = exported.find((one) => one.table === table);
  const [first] = rows;
  if (known === undefined || first === undefined)
    throw new AppError('request/invalid', `The export holds a table that this version does not know: ${table}.`);
  const columns = Object.keys(JSON.parse(first)).map((name) => `"${name.replaceAll('"', '""')}"`);
  const names = columns.join(', ');
  await transaction.$executeRawUnsafe(
    `INSERT INTO ${table} (${names}) SELECT ${names} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)
      ${known.isOfService ? 'ON CONFLICT DO NOTHING' : ''}`,
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

/** The canaries, for an export. */
export async function listSealedCanaries(database: Database): Promise<Canary[]> {
  return database.canary.findMany({ select: { keyId: true, sealed: true } });
}

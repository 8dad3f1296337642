import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { addressesOfServers } from '../domain/database-address.ts';
import { hourMs } from '../durations.ts';
import { AppError, isAppError } from '../errors.ts';
import { connectionTo } from './connection.ts';
import { type FaultWords, faultWords, kindOfFault, postgresRefusal } from './fault.ts';
import { PrismaClient } from './generated/client.ts';

/** The open database. Verbs on it are functions in this folder: `(database, input) => …`. */
export type Database = PrismaClient;

/** A transaction's view of the database; verbs that only ever run inside another one's transaction take this. */
export type Transaction = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>;

/** How long to wait for a connection of the pool: other work may have all of them, and a busy machine is slow to open one. */
const connectionMs = 10_000;
/** Longer than that, so that it is the pool that says what is missing; Prisma's own 2 s would fail work on a busy machine. */
const startMs = 2 * connectionMs;
/** A transaction may wait for a row that another one holds; Prisma's own 5 s are less than that takes on a busy machine. */
const transactionMs = 30_000;

/** Opens a pool of at most `connections` to that address, or to the one of several servers that takes writes; throws `database/unavailable` or `database/not-migrated`. `patienceMs`: see `connectionTo`. */
export async function openDatabase(url: string, connections = 10, patienceMs?: number): Promise<Database> {
  const database = new PrismaClient({
    adapter: new PrismaPg(
      { ...connectionTo(url, patienceMs), max: connections, connectionTimeoutMillis: connectionMs },
      { statementNameGenerator: ({ sql }) => nameOf(sql) },
    ),
    transactionOptions: { maxWait: startMs, timeout: transactionMs },
  });
  try {
    await ping(database);
  } catch (error) {
    await database.$disconnect();
    throw cannotOpen(url, error);
  }
  return database;
}

/** Resolves once the database has answered; throws what the driver throws. */
export async function ping(database: Database): Promise<void> {
  await database.$queryRaw`SELECT 1`;
}

/**
 * Does the work in one transaction: all that it writes is saved, or nothing where it throws. The work touches nothing but the database,
 * since it may be done again (`repeated`). The only door to transactions, whose limits are those of `openDatabase`; what takes longer
 * reads as an outage (`asOutage`).
 */
export function inTransaction<T>(database: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return repeated(() => database.$transaction(work));
}

/** The same for work that touches something else as well: it is done once. */
export function inTransactionOnce<T>(
  database: Database,
  work: (transaction: Transaction) => Promise<T>,
  limits: { timeout?: number } = {},
): Promise<T> {
  return database.$transaction(work, limits);
}

const mostTries = 4;

/**
 * Does again what PostgreSQL ended, so that nothing of it is saved: of transactions or statements that wait for each other it
 * ends one.
 */
export async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= mostTries || !isDeadlock(error)) throw error;
    }
  }
}

/** Of raw queries only the words tell. */
function isDeadlock(error: unknown): boolean {
  if (!(error instanceof Error) || isAppError(error)) return false;
  return (
    ('code' in error && error.code === 'P2034') || /deadlock detected|write conflict or a deadlock/.test(error.message)
  );
}

/** So long a transaction may take that reads or writes all there is. */
export const longTransactionMs = hourMs;

/** The same for what reads or writes all there is: it sees the database as it is at one moment, and may take an hour. */
export function inLongTransaction<T>(database: Database, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return database.$transaction(work, {
    isolationLevel: 'RepeatableRead',
    maxWait: startMs,
    timeout: longTransactionMs,
  });
}

const names = new Map<string, string>();

/** Long hand-written statements are planned once per connection; those that Prisma writes are too many to keep. */
function nameOf(sql: string): string {
  if (!sql.trimStart().startsWith('WITH')) return '';
  const name = names.get(sql) ?? createHash('sha256').update(sql).digest('hex').slice(0, 32);
  names.set(sql, name);
  return name;
}

const outageCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024']);
/** Of raw queries, and of connections that were torn, only the words tell. */
const outageWords =
  /Can't reach database server|Connection terminated|is not queryable|Server has closed the connection|terminating connection|timeout exceeded when trying to connect|the database system is |Unable to start a transaction in the given time|cannot be executed on an expired transaction/;

/** Whether a driver says that PostgreSQL is away, too slow to go on with, or refuses what an operator can mend. */
export function isOutage(error: unknown): error is Error {
  if (!(error instanceof Error) || isAppError(error)) return false;
  if (postgresRefusal(error) !== undefined) return true;
  return ('code' in error && outageCodes.has(String(error.code))) || outageWords.test(error.message);
}

/** `database/unavailable` in place of what drivers throw where PostgreSQL is away or refuses; other errors stay as they are. */
export function asOutage(error: unknown): unknown {
  return isOutage(error) ? unavailable(error, postgresRefusal(error)) : error;
}

function cannotOpen(url: string, cause: unknown): AppError {
  const kind = kindOfFault(cause);
  const name = URL.parse(addressesOfServers(url)[0] ?? '')?.pathname.slice(1) ?? '';
  if (kind === 'DatabaseDoesNotExist' && name !== '')
    return unavailable(cause, [
      `The database "${name}" does not exist.`,
      `Create it with: createdb ${name}. Or correct the name in DATABASE_URL.`,
    ]);
  return unavailable(cause, kind === undefined ? postgresRefusal(cause) : faultWords[kind]);
}

const away: FaultWords = [
  'PostgreSQL does not answer.',
  'Check DATABASE_URL, and that the server runs and lets this user in.',
];

function unavailable(cause: unknown, [what, cure]: FaultWords = away): AppError {
  return new AppError('database/unavailable', `${what} ${cure}`, { cause, retry: { afterMs: 5_000 } });
}

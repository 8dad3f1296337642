import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { HouseError } from '../errors.ts';
import { PrismaClient } from './generated/client.ts';

/** The open database. Verbs on it are functions in this folder: `(database, input) => …`. */
export type Database = PrismaClient;

/** A transaction's view of the database; verbs that only ever run inside another one's transaction take this. */
export type Transaction = Omit<PrismaClient, '$connect' | '$disconnect' | '$on' | '$transaction' | '$extends'>;

/** Opens a pool of at most `connections`; throws `database/unavailable` or `database/not-migrated`. */
export async function openDatabase(url: string, connections = 10): Promise<Database> {
  const database = new PrismaClient({
    adapter: new PrismaPg(
      { connectionString: url, max: connections, connectionTimeoutMillis: 10_000 },
      { statementNameGenerator: ({ sql }) => nameOf(sql) },
    ),
  });
  try {
    await database.$queryRaw`SELECT 1`;
  } catch (error) {
    await database.$disconnect();
    throw unavailable(error);
  }
  return database;
}

const names = new Map<string, string>();

/** Long statements of our own are planned once a connection; those that Prisma writes are too many to keep. */
function nameOf(sql: string): string {
  if (!sql.trimStart().startsWith('WITH')) return '';
  const name = names.get(sql) ?? createHash('sha256').update(sql).digest('hex').slice(0, 32);
  names.set(sql, name);
  return name;
}

function unavailable(cause: unknown): HouseError {
  return new HouseError(
    'database/unavailable',
    'PostgreSQL does not answer. Check DATABASE_URL, and that the server runs and lets this user in.',
    { cause, retry: { afterMs: 5_000 } },
  );
}

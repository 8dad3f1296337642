import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Database } from '../../src/database/client.ts';
import { PrismaClient } from '../../src/database/generated/client.ts';

/** Opens the database with a count of all that PostgreSQL is sent, BEGIN and COMMIT included. */
export function openCounting(url: string): { database: Database; count: () => number } {
  let sent = 0;
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on('connect', (client) => {
    const query = client.query.bind(client);
    Reflect.set(client, 'query', (...args: unknown[]) => {
      sent += 1;
      return Reflect.apply(query, client, args);
    });
  });
  return { database: new PrismaClient({ adapter: new PrismaPg(pool) }), count: () => sent };
}

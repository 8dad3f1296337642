import pg from 'pg';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { kept, makeAsNew, openTestDatabase } from '../servers/postgres.ts';

/** A database of its own, and a look at it. */
export interface DatabaseFixture extends AsyncDisposable {
  readonly url: string;
  readonly database: Database;
}

/** A database with those who are connected to it: whoever opens a client reads, and a server plans, much that one that is there knows. */
interface Connected extends DatabaseFixture {
  readonly sweeper: pg.Client;
}

/** As new again, for this worker's next test. */
const swept: Connected[] = [];

export async function openDatabaseFixture(): Promise<DatabaseFixture> {
  const connected = swept.pop() ?? (await connect());
  const { url, database, sweeper } = connected;
  return {
    url,
    database,
    [Symbol.asyncDispose]: async () => {
      if (await makeAsNew(sweeper).catch(() => false)) swept.push(connected);
      else await connected[Symbol.asyncDispose]();
    },
  };
}

async function connect(): Promise<Connected> {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await openTestDatabase());
  const named = Object.assign(new URL(url), { search: new URLSearchParams({ application_name: kept }) }).href;
  const database = opened.adopt(await openDatabase(named), (one) => one.$disconnect());
  const sweeper = opened.adopt(new pg.Client({ connectionString: url }), (one) => one.end());
  sweeper.on('error', () => {}); // What it is asked next rejects as well.
  await sweeper.connect();
  const closing = opened.move();
  return { url, database, sweeper, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

import { type Database, openDatabase } from '../../../src/database/client.ts';
import { openTestDatabase } from '../servers/postgres.ts';

/** A database of its own, and a look at it. */
export interface DatabaseFixture extends AsyncDisposable {
  readonly url: string;
  readonly database: Database;
}

export async function openDatabaseFixture(): Promise<DatabaseFixture> {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await openTestDatabase());
  const database = opened.adopt(await openDatabase(url), (one) => one.$disconnect());
  const closing = opened.move();
  return { url, database, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

import type { Database } from '../../src/database/client.ts';

/** Every row of every table of the house, in PostgreSQL's own words, in an order that does not change. */
export async function everyRow(database: Database): Promise<string[]> {
  const tables = await database.$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'`;
  const rows = await Promise.all(
    tables.map(({ name }) => database.$queryRawUnsafe<{ row: string }[]>(`SELECT t::text AS row FROM "${name}" t`)),
  );
  return rows
    .flat()
    .map(({ row }) => row)
    .toSorted();
}

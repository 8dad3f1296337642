import type { Database } from '../client.ts';

/** A PostgreSQL server as it is now. */
export interface ServerFacts {
  version: string;
  /** The first number of the version. */
  major: number;
  now: Date;
  /** A standby, or set to take no writes. */
  readOnly: boolean;
  connections: number;
  mostConnections: number;
  /** Of this database, on disk. */
  bytes: number;
}

/** What the doctor asks about the PostgreSQL server. */
export async function inspectServer(database: Database): Promise<ServerFacts> {
  const [facts] = await database.$queryRaw<[ServerFacts]>`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
      clock_timestamp() AS now, pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "readOnly",
      (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
      current_setting('max_connections')::int AS "mostConnections",
      pg_database_size(current_database())::float8 AS bytes`;
  return facts;
}

/** Whether the queue that lives in this schema is paused. */
export async function isQueuePaused(database: Database, schema: string, queue: string): Promise<boolean> {
  const rows = await database.$queryRawUnsafe<unknown[]>(
    `SELECT 1 FROM "${schema}".meta WHERE queue = $1 AND field = 'paused'`,
    queue,
  );
  return rows.length > 0;
}

/** Whether the queue has created its tables in this schema. */
export async function hasQueueTables(database: Database, schema: string): Promise<boolean> {
  const [{ exists }] = await database.$queryRaw<[{ exists: boolean }]>`
    SELECT to_regclass(${`${schema}.job`}) IS NOT NULL AS "exists"`;
  return exists;
}

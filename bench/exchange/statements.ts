import pg from 'pg';

/** Counts all statements that this process sends to PostgreSQL from now on, BEGIN and COMMIT included. */
export function countStatements(): () => number {
  let sent = 0;
  const { query } = pg.Client.prototype;
  Reflect.set(pg.Client.prototype, 'query', function counted(this: pg.Client, ...args: unknown[]) {
    sent += 1;
    return Reflect.apply(query, this, args);
  });
  return () => sent;
}

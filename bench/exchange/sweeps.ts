import type { Database } from '../../src/database/client.ts';
import { listGrantsToExchange } from '../../src/database/grants.ts';

/** One row: how long it takes to find what is due among so many grants, the median of several tries. */
export interface SweepTime {
  grants: number;
  due: number;
  ms: number;
}

const limit = 10_000;
const tries = 9;

/** Fills the table with grants, in SQL, and times the question of the keep-alive sweep at several sizes. */
export async function timeSweeps(database: Database): Promise<SweepTime[]> {
  const rows: SweepTime[] = [];
  for (const [grants, due] of [
    [1_000, 100],
    [100_000, 100],
    [100_000, 1_000],
    [100_000, 10_000],
  ] as const) {
    await fill(database, grants, due);
    rows.push({ grants, due, ms: await timeOne(database, due) });
  }
  return rows;
}

async function fill(database: Database, grants: number, due: number): Promise<void> {
  await database.$executeRaw`DELETE FROM users`;
  await database.$executeRaw`
    INSERT INTO users (id, issuer, subject, created_at)
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'https://idp.example', n::text, now()
    FROM generate_series(1, ${grants}::int) n`;
  await database.$executeRaw`
    INSERT INTO grants (id, user_id, issuer, client_id, subject, scope, last_exchanged_at, idle_deadline, next_exchange_at, created_at)
    SELECT id, id, issuer, 'nightkeep', subject, 'openid offline_access', now(), now() + interval '20 days' + random() * interval '10 days',
      now() + CASE WHEN subject::int <= ${due}::int THEN interval '-1 minute' ELSE interval '1 day' + random() * interval '7 days' END, now()
    FROM users`;
  await database.$executeRaw`ANALYZE grants`;
}

async function timeOne(database: Database, due: number): Promise<number> {
  const times: number[] = [];
  for (let tried = 0; tried < tries; tried += 1) {
    const begin = performance.now();
    const found = await listGrantsToExchange(database, { at: new Date(), limit });
    times.push(performance.now() - begin);
    if (found.length !== due) throw new Error(`The sweep found ${found.length} of ${due}.`);
  }
  return Math.round((times.toSorted((a, b) => a - b)[Math.floor(tries / 2)] ?? 0) * 100) / 100;
}

import { type Database, openDatabase } from '../../src/database/client.ts';
import { listGrantsToExchange } from '../../src/database/consent/grants.ts';
import { insertGrants, makeDue } from './filler-rows.ts';

/** How long it takes to find what is due among the grants: the median of several tries. */
export interface SweepTime {
  grants: number;
  due: number;
  ms: number;
}

const limit = 10_000;
const tries = 9;

/** Fills the table of grants to several sizes, and times the query of the keep-alive sweep at each. Whoever was in it is gone then. */
export async function timeSweeps(database: Database, ownerUrl: string): Promise<SweepTime[]> {
  await using opened = new AsyncDisposableStack();
  const owner = opened.adopt(await openDatabase(ownerUrl), (one) => one.$disconnect());
  const rows: SweepTime[] = [];
  for (const [grants, dues] of [
    [1_000, [100]],
    [100_000, [100, 1_000, 10_000]],
  ] as const) {
    // To delete them one by one takes longer than all that is measured here.
    await owner.$executeRaw`TRUNCATE users CASCADE`;
    await insertGrants(database, grants);
    for (const due of dues) {
      await makeDue(database, due);
      await owner.$executeRaw`VACUUM ANALYZE grants`;
      rows.push({ grants, due, ms: await timeOne(database, due) });
    }
  }
  return rows;
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

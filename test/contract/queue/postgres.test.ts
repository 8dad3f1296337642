import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { openQueues } from '../../../src/queues.ts';
import { workOn } from '../../../worker/work-on.ts';
import { openCuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';
import { type QueuePlace, queueContract } from './queue-contract.ts';

describe('the queue in PostgreSQL', () => {
  queueContract(openPlace);

  test('is asked for jobs again after a second where it answers with an error', async () => {
    await using place = await openPlace();
    await using queues = await openQueues({ ...place.settings, log: silentLog });
    await queues.backUps.enqueue([{ runId: 'a', attempt: 0 }]);
    await place.ask('ALTER TABLE nightkeep_queue.job RENAME TO hidden');
    const pauses: number[] = [];
    const over = Promise.withResolvers<void>();
    const sleep = (ms: number) => {
      pauses.push(ms);
      return over.promise;
    };
    const got: string[] = [];
    const clock = { ...systemClock(), sleep };
    const work = await workOn(queues.connection, async ({ runId }) => void got.push(runId), {
      concurrency: 1,
      clock,
      log: silentLog,
    });
    try {
      await vi.waitFor(() => expect(pauses).toEqual([1_000]), { timeout: 100_000 });
      await place.ask('ALTER TABLE nightkeep_queue.hidden RENAME TO job');
      expect({ pauses, got }).toEqual({ pauses: [1_000], got: [] });
      over.resolve();
      await vi.waitFor(() => expect(got).toEqual(['a']), { timeout: 100_000 });
    } finally {
      over.resolve();
      await work.close(0);
    }
  });
});

async function openPlace(): Promise<QueuePlace & { ask(sql: string): Promise<unknown[]> }> {
  const database = await openTestDatabase({ empty: true });
  const url = new URL(database.url);
  const proxy = await openCuttableProxy(url.hostname, Number(url.port || 5432));
  url.host = `127.0.0.1:${proxy.port}`;
  return {
    settings: { postgresUrl: url.href, prefix: 'nightkeep_queue' },
    proxy,
    dump: async () => JSON.stringify(await ask(database.url, 'SELECT * FROM nightkeep_queue.job')),
    events: async () => {
      const rows = await ask(database.url, 'SELECT event FROM nightkeep_queue.event');
      return rows.map((row) => String(Object(row).event));
    },
    ask: (sql) => ask(database.url, sql),
    [Symbol.asyncDispose]: async () => {
      await proxy.cut();
      await database[Symbol.asyncDispose]();
    },
  };
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(sql);
    return rows;
  } finally {
    await client.end();
  }
}

import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { silentLog } from '../../../src/log.ts';
import { openQueues } from '../../../src/queues/queues.ts';
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

  test.each([
    ['waits', 0],
    ['was delayed until now', 1],
  ])('a run for now that %s stays with the worker that claims it just then', async (_, delayMs) => {
    await using place = await openPlace();
    await using queues = await openQueues({ ...place.settings, log: silentLog });
    await queues.backUps.enqueue([{ runId: 'a', attempt: 0, delayMs }]);
    const claiming = new pg.Client({ connectionString: place.settings.postgresUrl });
    await claiming.connect();
    try {
      await claiming.query('BEGIN');
      const claim = `SELECT id FROM nightkeep_queue.move_to_active('back-ups', 'token', 600000, $1, NULL, NULL, NULL)`;
      expect((await claiming.query(claim, [Date.now() + 60_000])).rows).toEqual([{ id: 'run-a-0' }]);
      let isDone = false;
      const asked = queues.backUps.enqueue([{ runId: 'a', attempt: 0, now: true }]).finally(() => {
        isDone = true;
      });
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await vi.waitUntil(async () => isDone || (await place.ask(waiting)).length > 0, { timeout: 100_000 });
      await claiming.query('COMMIT');
      await asked;
    } finally {
      await claiming.end();
    }
    expect(await queues.backUps.counts()).toEqual({ waiting: 0, active: 1, delayed: 0 });
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

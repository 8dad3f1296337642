import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openLog, silentLog } from '../../../src/log.ts';
import { askRedisForeign } from '../../../src/queues/foreign-data.ts';
import { askRedisInfo } from '../../../src/queues/inspect-redis.ts';
import { openQueues } from '../../../src/queues/queues.ts';
import { workOn } from '../../../worker/work-on.ts';
import { openCuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { redisServer, startRedis } from '../../support/servers/redis.ts';
import { type QueuePlace, queueContract } from './queue-contract.ts';

const settings = { postgresUrl: 'postgres://nowhere.invalid/not-used', prefix: 'nightkeep_test' };

describe.skipIf(redisServer === undefined)('the queue in Redis', () => {
  queueContract(openPlace);

  test('a database that the server does not have is refused at the start, and nothing is put into another one', async () => {
    await using redis = await startRedis(redisServer ?? '');
    const opening = openQueues({ ...settings, redisUrl: `${redis.url}/99`, log: silentLog });
    await expect(opening).rejects.toMatchObject({ code: 'queue/unavailable' });
    await expect(askRedisInfo(`${redis.url}/99`)).rejects.toThrow('out of range');
    expect(await askRedisInfo(`${redis.url}/3`)).toContain('redis_version');
  });

  test('whoever can write to Redis has no more done than what the table of runs says, and fills no log with huge jobs', async () => {
    await using redis = await startRedis(redisServer ?? '');
    await using queues = await openQueues({ ...settings, redisUrl: redis.url, log: silentLog });
    const lines: string[] = [];
    const log = openLog({ clock: systemClock(), level: 'debug', write: (line) => lines.push(line) });
    const huge = 'x'.repeat(1_000_000);
    const forged: [unknown, object][] = [
      [{ runId: huge }, {}],
      [{ runId: 'of-nobody', traceparent: huge, more: huge }, { priority: 1 }],
      [{ runId: 'of-nobody', traceparent: 'x'.repeat(10_000), more: 'x'.repeat(10_000) }, { priority: 1 }],
      [{ runId: { $ne: null } }, { lifo: true }],
      [[huge], {}],
      [{}, { jobId: `run-${huge}` }],
    ];
    for (const [data, options] of forged) await queues.bullmq.add('back-up', data, { removeOnFail: true, ...options });
    const got: unknown[] = [];
    const handler = async (job: unknown) => {
      got.push(job);
      throw new Error(huge);
    };
    const work = await workOn(queues.connection, handler, { concurrency: 2, clock: systemClock(), log });
    try {
      await vi.waitFor(async () => expect(await queues.bullmq.getJobCountByTypes()).toBe(0), { timeout: 60_000 });
    } finally {
      await work.close(1_000);
    }
    expect(got).toEqual([{ runId: 'of-nobody' }]);
    expect(lines.length).toBeGreaterThanOrEqual(forged.length);
    expect(lines.join('\n').length).toBeLessThan(100_000);
  });

  test('what is longer than any job is dropped unread, wherever it lies, and the next one is taken', async () => {
    await using redis = await startRedis(redisServer ?? '');
    await using queues = await openQueues({ ...settings, redisUrl: redis.url, log: silentLog });
    const client = new Redis(redis.url);
    const at = (name: string) => `${settings.prefix}:back-ups:${name}`;
    const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))?.[1]);
    const huge = 'x'.repeat(2_000_000);
    const got: string[] = [];
    const lines: string[] = [];
    const log = openLog({ clock: systemClock(), level: 'warn', write: (line) => lines.push(line) });
    try {
      await queues.backUps.enqueue([{ runId: 'honest', attempt: 0 }]);
      const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`field ${index}`, 'x']));
      const forged = { data: { data: huge }, opts: { opts: huge, data: '{}' }, name: { [huge]: '1' }, fields };
      for (const [id, job] of Object.entries(forged)) {
        await client.hset(at(id), job);
        await client.rpush(at('wait'), id);
      }
      await client.rpush(at('wait'), huge, 'meta-of-nobody');
      await client.hset(at('later'), { data: huge });
      await client.zadd(at('delayed'), 1, 'later');
      await client.hset(at('first'), { data: huge });
      await client.zadd(at('prioritized'), 1, 'first');
      await client.rpush(at('wait'), 'events');
      const before = await sent();
      const handler = async ({ runId }: { runId: string }) => void got.push(runId);
      const work = await workOn(queues.connection, handler, { concurrency: 1, clock: systemClock(), log });
      try {
        await vi.waitFor(() => expect(got).toEqual(['honest']), { timeout: 60_000 });
      } finally {
        await work.close(0);
      }
      expect((await sent()) - before).toBeLessThan(500_000);
      const dropped = lines.flatMap((line) => (line.includes('queue.job-dropped') ? JSON.parse(line).job : []));
      expect(dropped.toSorted()).toEqual(
        ['data', 'events', 'fields', 'first', 'later', 'name', 'opts', huge.slice(0, 100)].toSorted(),
      );
      expect(await client.exists(at('events'), at('wait'), at('meta'))).toBeGreaterThanOrEqual(2);
      expect(await client.exists(at('data'), at('opts'), at('name'), at('fields'), at('later'), at('first'))).toBe(0);
    } finally {
      client.disconnect();
    }
  });

  test('what somebody else put there hides no job from operators, and brings nothing but ids to them', async () => {
    await using redis = await startRedis(redisServer ?? '');
    await using queues = await openQueues({ ...settings, redisUrl: redis.url, log: silentLog });
    await queues.backUps.pause();
    await queues.backUps.enqueue([{ runId: 'honest', attempt: 0 }]);
    const client = new Redis(redis.url);
    const forged: Record<string, [data: string, timestamp: string]> = {
      'no-json': ['{"runId":', '1'],
      nothing: ['null', '1e99'],
      'a-query': ['{"runId":{"$ne":null}}', 'x'],
      ['long'.repeat(9_999)]: [JSON.stringify({ runId: 'x'.repeat(99_999) }), '1'],
    };
    try {
      for (const [id, [data, timestamp]] of Object.entries(forged)) {
        await client.hset(`${settings.prefix}:back-ups:${id}`, { name: 'back-up', data, timestamp });
        await client.lpush(`${settings.prefix}:back-ups:paused`, id);
      }
    } finally {
      client.disconnect();
    }
    const jobs = await queues.backUps.list(9);
    expect(jobs).toContainEqual(expect.objectContaining({ id: 'run-honest-0', runId: 'honest' }));
    expect(jobs.filter(({ id }) => id !== 'run-honest-0').map(({ runId }) => runId)).toEqual(['', '', '']);
    for (const { id, queuedAt } of jobs) {
      expect(id.length).toBeLessThanOrEqual(100);
      expect(queuedAt.getTime()).not.toBeNaN();
    }
  });

  test('what another program put where the queue is kept is named with the cure, once, and nights go on when it is gone', async () => {
    await using redis = await startRedis(redisServer ?? '');
    const client = new Redis(redis.url);
    const put: Record<string, (key: string) => Promise<unknown>> = {
      wait: (key) => client.set(key, 'x'),
      active: (key) => client.hset(key, 'a', 'b'),
      delayed: (key) => client.lpush(key, 'x'),
      events: (key) => client.zadd(key, 1, 'x'),
      meta: (key) => client.sadd(key, 'x'),
      id: (key) => client.set(key, 'of somebody else'),
    };
    const haunt = async ([name, write]: [string, (key: string) => Promise<unknown>]) => {
      const own = { ...settings, prefix: `${settings.prefix}_${name}` };
      const key = `${own.prefix}:back-ups:${name}`;
      await write(key);
      const lines: string[] = [];
      const log = openLog({ clock: systemClock(), level: 'warn', write: (line) => lines.push(line) });
      await using queues = await openQueues({ ...own, redisUrl: redis.url, log });
      const first = () => queues.backUps.enqueue([{ runId: 'first', attempt: 0 }]);
      // What nobody needs to put a job in hides no other fault, and is told where it is needed.
      const isNeeded = !['active', 'delayed'].includes(name);
      if (!isNeeded) await first();
      const asking: Promise<unknown> = isNeeded ? first() : queues.backUps.counts();
      const refused = await asking.catch((error: unknown) => error);
      expect(refused, name).toMatchObject({ code: 'queue/damaged', detail: { keys: [key] } });
      expect(String(refused)).toMatch(new RegExp(`Redis holds .*: ${key} as a \\w+ where .* DEL ${key}\\.`));
      expect(await askRedisForeign(redis.url, own.prefix), name).toMatchObject([{ key }]);
      const got: string[] = [];
      const handler = async ({ runId }: { runId: string }) => void got.push(runId);
      lines.length = 0;
      const work = await workOn(queues.connection, handler, { concurrency: 1, clock: systemClock(), log });
      try {
        if (name !== 'id') await vi.waitFor(() => expect(lines.join()).toContain(`DEL ${key}`), { timeout: 60_000 });
        await client.del(key);
        await first();
        await vi.waitFor(() => expect(got).toEqual(['first']), { timeout: 30_000 });
        expect(lines.filter((line) => line.includes(`DEL ${key}`)).length, name).toBeLessThanOrEqual(1);
        expect(lines.join()).not.toContain('does not answer');
      } finally {
        await work.close(0);
      }
    };
    try {
      await Promise.all(Object.entries(put).map(haunt));
    } finally {
      client.disconnect();
    }
  });

  test('what another program put under the ids of jobs stops neither these nor others', async () => {
    await using redis = await startRedis(redisServer ?? '');
    const lines: string[] = [];
    const log = openLog({ clock: systemClock(), level: 'warn', write: (line) => lines.push(line) });
    await using queues = await openQueues({ ...settings, redisUrl: redis.url, log });
    const client = new Redis(redis.url);
    const at = (name: string) => `${settings.prefix}:back-ups:${name}`;
    const got: string[] = [];
    try {
      await client.set(at('run-a-0'), 'x');
      await client.sadd(at('run-b-0'), 'x');
      const runs = ['a', 'b', 'c'].map((runId) => ({ runId, attempt: 0 }));
      await queues.backUps.enqueue([{ runId: 'a', attempt: 0, now: true }, ...runs.slice(1)]);
      const handler = async ({ runId }: { runId: string }) => void got.push(runId);
      const work = await workOn(queues.connection, handler, { concurrency: 1, clock: systemClock(), log });
      try {
        await vi.waitFor(() => expect(got.toSorted()).toEqual(['a', 'b', 'c']), { timeout: 60_000 });
      } finally {
        await work.close(0);
      }
      expect(lines).toEqual([]);
    } finally {
      client.disconnect();
    }
  });

  test('a restart of the server keeps what waits, and workers come back by themselves', async () => {
    await using redis = await startRedis(redisServer ?? '');
    await using queues = await openQueues({ ...settings, redisUrl: redis.url, log: silentLog });
    const got: string[] = [];
    const work = await workOn(
      queues.connection,
      async ({ runId }) => {
        got.push(runId);
      },
      { concurrency: 1, clock: systemClock(), log: silentLog },
    );
    try {
      await queues.backUps.enqueue([{ runId: 'later', attempt: 0, delayMs: 2_000 }]);
      await redis.restart();
      await vi.waitFor(() => queues.backUps.enqueue([{ runId: 'after', attempt: 0 }]), { timeout: 100_000 });
      await vi.waitFor(() => expect(got.toSorted()).toEqual(['after', 'later']), { timeout: 100_000 });
    } finally {
      await work.close(0);
    }
  });
});

async function openPlace(): Promise<QueuePlace> {
  const redis = await startRedis(redisServer ?? '');
  const proxy = await openCuttableProxy('127.0.0.1', Number(new URL(redis.url).port));
  return {
    settings: { ...settings, redisUrl: `redis://127.0.0.1:${proxy.port}` },
    proxy,
    dump: () => dump(redis.url),
    events: () => events(redis.url),
    [Symbol.asyncDispose]: async () => {
      await proxy.cut();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function events(url: string): Promise<string[]> {
  const client = new Redis(url);
  try {
    const noted = await client.xrange(`${settings.prefix}:back-ups:events`, '-', '+');
    return noted.map(([, fields]) => fields[fields.indexOf('event') + 1] ?? '');
  } finally {
    client.disconnect();
  }
}

async function dump(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    const keys = await client.keys(`${settings.prefix}:back-ups:run-*`);
    const jobs = await Promise.all(keys.map((key) => client.hgetall(key)));
    return JSON.stringify(jobs);
  } finally {
    client.disconnect();
  }
}

import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { freePort } from '../../src/database/server/free-port.ts';
import { texts } from '../../src/web/texts/en.ts';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { eventsOf, eventually, type Nightkeep } from '../support/harness/nightkeep.ts';
import { consent } from '../support/harness/service-fixture.ts';
import type { Visitor } from '../support/realms/realm.ts';
import { openCuttableProxy } from '../support/servers/cuttable-proxy.ts';
import { redisServer, startRedis } from '../support/servers/redis.ts';

describe.skipIf(redisServer === undefined)('web and worker apart, on one PostgreSQL and one Redis', () => {
  const opened = new AsyncDisposableStack();
  let installation: Installation;
  let wire: Awaited<ReturnType<typeof openCuttableProxy>>;
  let web: Nightkeep;
  let worker: Nightkeep;
  let visitor: Visitor;
  let workerPort: number;
  let healthPort: number;

  beforeAll(async () => {
    const redis = opened.use(await startRedis(redisServer ?? ''));
    wire = opened.use(await openCuttableProxy('127.0.0.1', Number(new URL(redis.url).port)));
    installation = opened.use(
      await openInstallation({
        settings: { REDIS_URL: `redis://127.0.0.1:${wire.port}`, GRACE_SECONDS: '0', RATE_RUNS: '1000/1h' },
      }),
    );
    [workerPort, healthPort] = [await freePort(), await freePort()];
    [web, worker] = await Promise.all([installation.start({}, '--roles', 'web'), startWorker()]);
    visitor = await consent(installation, alice);
  });
  afterAll(() => opened.disposeAsync());

  const startWorker = () =>
    installation.start({ PORT: String(workerPort), HEALTH_PORT: String(healthPort) }, '--roles', 'worker');
  const runs = () => installation.database.run.findMany({ orderBy: { queuedAt: 'asc' } });
  const pressNow = async () => {
    await visitor.open(installation.url.href);
    await visitor.press(texts.home.now);
  };
  /** Who did what became of the run. */
  const workersOf = async (runId: string) => {
    const events = await installation.database.event.findMany({ where: { subjectId: runId, NOT: { from: null } } });
    return new Set(events.map(({ by }) => Number(by.split('/').at(-2))));
  };

  test('what is asked for at web is done by the worker: the first backup, and another one now', async () => {
    await pressNow();
    await installation.atRest();
    const done = await runs();
    expect(done.map(({ trigger, state }) => [trigger, state])).toEqual([
      ['consent', 'succeeded'],
      ['person', 'succeeded'],
    ]);
    for (const { id } of done) expect(await workersOf(id)).toEqual(new Set([worker.pid]));
  });

  test('the worker serves no pages, says that it works, and answers at its health port', async () => {
    expect(worker.stdout).toBe('Nightkeep works.\n');
    await expect(fetch(`http://127.0.0.1:${workerPort}/livez`)).rejects.toThrow('fetch failed');
    const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${healthPort}${path}`)).status;
    expect([await statusOf('/livez'), await statusOf('/readyz'), await statusOf('/consent')]).toEqual([200, 200, 404]);
    expect(await statusOf('/metrics')).toBe(404);
  });

  test('without Redis the page says so, and all goes on when it is back, though the whole queue is lost', async () => {
    await wire.cut();
    await pressNow();
    expect(await visitor.text()).toContain(texts.errors.told['queue/unavailable'].happened ?? '');
    expect((await runs()).at(-1)).toMatchObject({ trigger: 'person', state: 'queued' });
    await visitor.open(installation.url.href);
    expect(await visitor.text()).toContain(texts.home.protected);
    await wire.restore();
    await eventually(async () => {
      await pressNow();
      return !(await visitor.text()).includes(texts.errors.told['queue/unavailable'].happened ?? '');
    });
    await installation.atRest();
    expect(new Set((await runs()).map(({ state }) => state))).toEqual(new Set(['succeeded']));
  });

  test('the whole queue may be lost: a worker that starts fills it again', async () => {
    worker.signal('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
    await pressNow();
    const client = new Redis(installation.settings.REDIS_URL ?? '');
    await client.flushall();
    client.disconnect();
    expect((await runs()).at(-1)).toMatchObject({ state: 'queued' });
    worker = await startWorker();
    await installation.atRest();
    const last = (await runs()).at(-1);
    expect(last).toMatchObject({ state: 'succeeded' });
    expect(await workersOf(last?.id ?? '')).toEqual(new Set([worker.pid]));
  });

  test('both end well while Redis is away', async () => {
    await wire.cut();
    for (const each of [web, worker]) each.signal('SIGTERM');
    for (const each of [web, worker]) {
      const { code, stderr } = await each.ended;
      expect(code).toBe(0);
      expect(eventsOf(stderr)).not.toContain('run.ended-badly');
    }
    await wire.restore();
  });

  test('without Redis none starts, and says why', async () => {
    await wire.cut();
    const { code, stderr } = await installation.run(['start']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'nightkeep: The queue in Redis does not answer. Check that Redis runs and that REDIS_URL names it.\n',
    });
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { AppError } from '../../../src/errors.ts';
import { type Log, openLog, silentLog } from '../../../src/log.ts';
import type { BackUpJob } from '../../../src/queues/jobs.ts';
import { openQueues, type QueueSettings, type Queues } from '../../../src/queues/queues.ts';
import { startTracing, traced, traceparent } from '../../../src/tracing.ts';
import { type Handler, type Work, type WorkOptions, workOn } from '../../../worker/work-on.ts';
import type { CuttableProxy } from '../../support/servers/cuttable-proxy.ts';
import { openOtlpSink } from '../../support/servers/otlp-sink.ts';

/** A place for queues that can be taken away: settings lead through the proxy. */
export interface QueuePlace extends AsyncDisposable {
  settings: Omit<QueueSettings, 'log'>;
  proxy: CuttableProxy;
  /** Everything the queue holds, as text. */
  dump(): Promise<string>;
  /** What it noted of its jobs: a word each. */
  events(): Promise<string[]>;
}

const clock = systemClock();
/** Patience costs nothing where all is well, and other work may have the processors. */
const soon = { timeout: 100_000, interval: 10 };
/** Waits a tenth as long. */
const hasty: Clock = { ...clock, sleep: (ms, signal) => clock.sleep(ms / 10, signal) };

/** What every backend of the queue has to keep, whatever it is made of. */
export function queueContract(openPlace: () => Promise<QueuePlace>): void {
  let place: QueuePlace;
  let queues: Queues;
  const works: Work[] = [];
  const lines: string[] = [];
  const log: Log = openLog({ clock, level: 'debug', write: (line) => lines.push(line) });

  beforeAll(async () => {
    place = await openPlace();
    queues = await openQueues({ ...place.settings, log });
  });
  afterEach(async () => {
    for (const work of works.splice(0)) await work.close(0);
    await vi.waitFor(() => queues.backUps.clear(), soon); // It may still be coming back from an outage.
    lines.length = 0;
  });
  afterAll(async () => {
    await queues[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const work = async (handler: Handler, options: Partial<WorkOptions> = {}) => {
    const started = await workOn(queues.connection, handler, { concurrency: 4, clock, log, ...options });
    works.push(started);
    return started;
  };
  const requests = (count: number) => Array.from({ length: count }, () => ({ runId: randomUUID(), attempt: 0 }));
  const enqueueOne = async (runId: string, more: { attempt?: number; delayMs?: number; now?: boolean } = {}) =>
    queues.backUps.enqueue([{ runId, attempt: 0, ...more }]);

  test('what a run is part of in a trace goes along, and without a trace nothing but its id', async () => {
    const got: BackUpJob[] = [];
    await work(async (job) => void got.push(job));
    const [one, two] = [randomUUID(), randomUUID()];
    await enqueueOne(one);
    await vi.waitFor(() => expect(got).toEqual([{ runId: one }]), soon);
    await using sink = await openOtlpSink();
    let asked: string | undefined;
    {
      const settings = { endpoint: sink.endpoint, headers: {}, version: '1', instance: 'test' };
      await using _tracing = await startTracing({ ...settings, log });
      await traced({ name: 'asked' }, async () => {
        asked = traceparent();
        await enqueueOne(two);
      });
      await vi.waitFor(() => expect(got[1]?.runId).toBe(two), soon);
    }
    const [, traceId] = asked?.split('-') ?? [];
    expect(got[1]?.traceparent).toContain(traceId);
    const [send] = sink.spans().filter(({ name }) => name === 'send back-ups');
    expect(sink.spans().find(({ name }) => name === 'process back-ups')).toMatchObject({
      traceId,
      parentSpanId: send?.spanId,
    });
  });

  test('the jobs by state are told as Prometheus reads them', async () => {
    await queues.backUps.enqueue(requests(3));
    expect(await queues.backUps.metrics()).toMatch(/^bullmq_job_count\{queue="back-ups", state="waiting"\} 3$/m);
  });

  test('what it noted of its jobs goes after a time, and no job with it', async () => {
    const noted = async () => (await place.events()).filter((event) => event === 'waiting').length;
    await queues.backUps.enqueue(requests(1_200));
    const before = await noted();
    expect(before).toBeGreaterThanOrEqual(1_200);
    await queues.backUps.forgetEvents(new Date(clock.now().getTime() - 3_600_000));
    expect(await noted()).toBe(before);
    await queues.backUps.forgetEvents(new Date(clock.now().getTime() + 60_000));
    expect(await noted()).toBe(0);
    expect(await queues.backUps.counts()).toMatchObject({ waiting: 1_200 });
  });

  describe('delivery', () => {
    test('thousands put in at once are each delivered once', async () => {
      const put = requests(2_500);
      const got: string[] = [];
      await queues.backUps.enqueue(put);
      expect(await queues.backUps.counts()).toEqual({ waiting: 2_500, active: 0, delayed: 0 });
      await work(async ({ runId }) => void got.push(runId), { concurrency: 32 });
      await vi.waitFor(() => expect(got.length).toBeGreaterThanOrEqual(put.length), soon);
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
      expect(got.toSorted()).toEqual(put.map(({ runId }) => runId).toSorted());
    });

    test('one attempt of a run waits once, however often it is put in', async () => {
      await Promise.all([enqueueOne('a'), enqueueOne('a'), enqueueOne('a')]);
      await queues.backUps.enqueue([
        { runId: 'a', attempt: 0 },
        { runId: 'a', attempt: 0 },
        { runId: 'a', attempt: 1 },
      ]);
      expect(await queues.backUps.counts()).toMatchObject({ waiting: 2 });
    });

    test('a run being worked on is not put in again', async () => {
      const gate = Promise.withResolvers<void>();
      const handler = vi.fn(() => gate.promise);
      await work(handler);
      await enqueueOne('a');
      await vi.waitFor(() => expect(handler).toHaveBeenCalled(), soon);
      await enqueueOne('a');
      expect(await queues.backUps.counts()).toEqual({ waiting: 0, active: 1, delayed: 0 });
      gate.resolve();
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
      expect(handler).toHaveBeenCalledTimes(1);
    });

    test('a run that is done, or was given up, may be put in again under the same attempt', async () => {
      const handler = vi.fn<Handler>(async () => {
        if (handler.mock.calls.length === 1) throw new Error('a bug');
      });
      await work(handler);
      for (const calls of [1, 2, 3]) {
        await enqueueOne('a');
        await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(calls), soon);
        await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
      }
    });

    test('a run for now is no longer delayed', async () => {
      const got: string[] = [];
      await enqueueOne('a', { delayMs: 600_000, attempt: 3 });
      await queues.backUps.enqueue(requests(20));
      await enqueueOne('a', { now: true, attempt: 3 });
      expect(await queues.backUps.counts()).toEqual({ waiting: 21, active: 0, delayed: 0 });
      await work(async ({ runId }) => void got.push(runId), { concurrency: 1 });
      await vi.waitFor(() => expect(got).toHaveLength(21), soon);
      expect(got).toContain('a');
    });

    test('a paused queue gives out nothing until it is resumed, whoever asks, and lists its jobs by their ids', async () => {
      const got: string[] = [];
      expect(await queues.backUps.isPaused()).toBe(false);
      await queues.backUps.pause();
      await enqueueOne('a');
      await enqueueOne('b', { delayMs: 600_000 });
      await work(async ({ runId }) => void got.push(runId));
      expect(await queues.backUps.isPaused()).toBe(true);
      expect(await queues.backUps.counts()).toEqual({ waiting: 1, active: 0, delayed: 1 });
      const jobs = await queues.backUps.list(10);
      expect(jobs).toMatchObject([
        { id: 'run-a-0', state: 'waiting' },
        { id: 'run-b-0', state: 'delayed' },
      ]);
      expect(await queues.backUps.list(1)).toHaveLength(1);
      expect(got).toEqual([]);
      await queues.backUps.resume();
      expect(await queues.backUps.isPaused()).toBe(false);
      await vi.waitFor(() => expect(got).toEqual(['a']), soon);
      await queues.backUps.drain();
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
    });

    test('a run for now that was delayed is taken at once by a worker that waits', async () => {
      const got: string[] = [];
      await work(async ({ runId }) => void got.push(runId));
      for (const round of [1, 2]) {
        await enqueueOne('a', { delayMs: 600_000 });
        // Once it has done another one, the worker waits, and knows of the delayed one.
        await enqueueOne(`b${round}`);
        await vi.waitFor(() => expect(got).toContain(`b${round}`), soon);
        await enqueueOne('a', { now: true });
        await vi.waitFor(() => expect(got.filter((runId) => runId === 'a')).toHaveLength(round), soon);
        await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
      }
    });

    test('a run for now that is being worked on stays as it is', async () => {
      const gate = Promise.withResolvers<void>();
      const handler = vi.fn(() => gate.promise);
      await work(handler);
      await enqueueOne('a');
      await vi.waitFor(() => expect(handler).toHaveBeenCalled(), soon);
      await enqueueOne('a', { now: true });
      expect(await queues.backUps.counts()).toEqual({ waiting: 0, active: 1, delayed: 0 });
      gate.resolve();
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
      expect(handler).toHaveBeenCalledTimes(1);
    });

    test('a delayed run is delivered after its delay', async () => {
      const from = clock.elapsed();
      const handler = vi.fn<Handler>(async () => {});
      await work(handler);
      await enqueueOne('a', { delayMs: 300 });
      expect(await queues.backUps.counts()).toEqual({ waiting: 0, active: 0, delayed: 1 });
      await vi.waitFor(() => expect(handler).toHaveBeenCalled(), soon);
      expect(clock.elapsed() - from).toBeGreaterThan(290);
    });

    test('no more are worked on at once than the worker takes', async () => {
      let now = 0;
      let most = 0;
      let done = 0;
      await queues.backUps.enqueue(requests(40));
      await work(
        async () => {
          most = Math.max(most, ++now);
          await clock.sleep(10);
          now--;
          done++;
        },
        { concurrency: 5 },
      );
      await vi.waitFor(() => expect(done).toBe(40), soon);
      expect(most).toBe(5);
    });

    test('cleared means forgotten', async () => {
      await queues.backUps.enqueue(requests(10));
      await enqueueOne('later', { delayMs: 60_000 });
      await queues.backUps.clear();
      expect(await queues.backUps.counts()).toEqual(nothing);
    });
  });

  describe('failure', () => {
    test('what may succeed later is tried again, no earlier than it says', async () => {
      const times: number[] = [];
      await work(async () => {
        times.push(clock.elapsed());
        if (times.length === 1) throw new AppError('source/unavailable', 'Away.', { retry: { afterMs: 400 } });
      });
      await enqueueOne('a');
      await vi.waitFor(() => expect(times).toHaveLength(2), soon);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(350);
    });

    test('what will not succeed later is given up at once', async () => {
      const handler = vi.fn<Handler>(async () => {
        throw new AppError('grant/not-usable', 'Withdrawn.');
      });
      await work(handler);
      await enqueueOne('a');
      await vi.waitFor(() => expect(handler).toHaveBeenCalled(), soon);
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toEqual(nothing), soon);
      expect(handler).toHaveBeenCalledTimes(1);
    });

    test('a job lost to another worker aborts the signal with its reason', async () => {
      const reason = Promise.withResolvers<unknown>();
      await work((_job, signal) => untilAborted(signal).finally(() => reason.resolve(signal.reason)), {
        lockMs: 1_000,
      });
      await enqueueOne('a');
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toMatchObject({ active: 1 }), soon);
      await queues.backUps.clear();
      expect(await reason.promise).toMatchObject({ code: 'run/lost-lease' });
    });
  });

  describe('closing', () => {
    test('a job that ends in the time of grace is not aborted', async () => {
      const gate = Promise.withResolvers<void>();
      let signal: AbortSignal | undefined;
      const started = await work((_job, given) => {
        signal = given;
        return gate.promise;
      });
      await enqueueOne('a');
      await vi.waitFor(() => expect(signal).toBeDefined(), soon);
      const closed = started.close(20_000);
      gate.resolve();
      await closed;
      expect(signal?.aborted).toBe(false);
      expect(await queues.backUps.counts()).toEqual(nothing);
    });

    test('a job that does not is aborted, awaited and given to the next worker', async () => {
      let ended = false;
      const first = await work((_job, signal) =>
        untilAborted(signal).finally(() => {
          ended = true;
        }),
      );
      await enqueueOne('a');
      await vi.waitFor(async () => expect(await queues.backUps.counts()).toMatchObject({ active: 1 }), soon);
      await first.close(50);
      expect(ended).toBe(true);
      const second = vi.fn<Handler>(async () => {});
      await work(second);
      await vi.waitFor(() => expect(second).toHaveBeenCalledWith({ runId: 'a' }, expect.anything()), soon);
    });

    test('nothing new is taken while closing', async () => {
      const handler = vi.fn<Handler>((_job, signal) => untilAborted(signal));
      const started = await work(handler, { concurrency: 1 });
      await queues.backUps.enqueue(requests(3));
      await vi.waitFor(() => expect(handler).toHaveBeenCalled(), soon);
      await started.close(100);
      expect(handler).toHaveBeenCalledTimes(1);
    });
  });

  describe('an outage', () => {
    test('at the start is told with its cure', async () => {
      await place.proxy.cut();
      try {
        const opening = openQueues({ ...place.settings, log: silentLog });
        await expect(opening).rejects.toMatchObject({
          code: 'queue/unavailable',
          message: expect.stringMatching(/does not answer. Check that .* runs and that .*_URL names it/),
        });
      } finally {
        await place.proxy.restore();
      }
    });

    test('at any moment of the start is told or is over, and what has started works', {
      timeout: 100_000,
    }, async () => {
      for (let connections = 0, tried = true; tried; connections += 1) {
        const dropped = place.proxy.dropOne(connections);
        const got: string[] = [];
        try {
          await using other = await openQueues({ ...place.settings, log });
          const worker = await workOn(other.connection, async ({ runId }) => void got.push(runId), {
            concurrency: 1,
            clock,
            log,
          });
          try {
            const runId = randomUUID();
            await vi.waitFor(() => other.backUps.enqueue([{ runId, attempt: 0 }]), soon);
            await vi.waitFor(() => expect(got).toEqual([runId]), soon);
          } finally {
            await worker.close(0);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'queue/unavailable' });
        }
        tried = dropped();
      }
      place.proxy.dropOne(Number.POSITIVE_INFINITY);
    });

    test('in the middle lets enqueueing fail fast, and workers come back by themselves', async () => {
      const got: string[] = [];
      await work(async ({ runId }) => void got.push(runId));
      await enqueueOne('before');
      await vi.waitFor(() => expect(got).toEqual(['before']), soon);
      await place.proxy.cut();
      const from = clock.elapsed();
      await expect(enqueueOne('meanwhile')).rejects.toMatchObject({ code: 'queue/unavailable' });
      expect(clock.elapsed() - from).toBeLessThan(30_000);
      await place.proxy.restore();
      await vi.waitFor(() => enqueueOne('after'), soon);
      await vi.waitFor(() => expect(got).toEqual(['before', 'after']), soon);
    });

    test('that only drops connections is not noticed', async () => {
      const got: string[] = [];
      await work(async ({ runId }) => void got.push(runId));
      await enqueueOne('before');
      await vi.waitFor(() => expect(got).toEqual(['before']), soon);
      place.proxy.drop();
      await vi.waitFor(() => enqueueOne('after'), soon);
      await vi.waitFor(() => expect(got).toEqual(['before', 'after']), soon);
    });

    test('does not keep a worker from closing', async () => {
      const handler = vi.fn<Handler>((_job, signal) => untilAborted(signal));
      const started = await work(handler, { clock: hasty });
      await enqueueOne('a');
      await vi.waitFor(() => expect(handler).toHaveBeenCalled(), soon);
      await place.proxy.cut();
      try {
        await started.close(10);
      } finally {
        await place.proxy.restore();
      }
    });

    test('is not the end of a process that shuts down', async () => {
      const other = await openQueues({ ...place.settings, log });
      await place.proxy.cut();
      try {
        await other[Symbol.asyncDispose]();
      } finally {
        await place.proxy.restore();
      }
    });
  });

  test('no secret of an error reaches the queue or the log', async () => {
    const cause = new Error('secret-of-the-cause');
    await work(async () => {
      throw new AppError('source/unavailable', 'Away: Bearer secret-of-the-message', {
        cause,
        retry: { afterMs: 60_000 },
      });
    });
    await enqueueOne('a');
    await vi.waitFor(async () => expect(await queues.backUps.counts()).toMatchObject({ delayed: 1 }), soon);
    expect(await place.dump()).not.toMatch(/secret-of/);
    expect(await place.dump()).toMatch(/source\/unavailable: Away/);
    expect(lines.join('\n')).not.toMatch(/secret-of-the-message/);
  });
}

const nothing = { waiting: 0, active: 0, delayed: 0 };

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

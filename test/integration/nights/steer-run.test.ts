import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cancelRun, cancelRuns } from '../../../src/database/nights/run-cancellations.ts';
import { finishRun } from '../../../src/database/nights/run-ends.ts';
import { claimRun, renewRun } from '../../../src/database/nights/run-leases.ts';
import { findLiveRun, listRunProgress } from '../../../src/database/nights/run-progress.ts';
import type { RunProgress } from '../../../src/domain/run-progress.ts';
import { AppError } from '../../../src/errors.ts';
import { healRuns } from '../../../src/flows/nights/heal-runs.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { type Outcome, steerRun, type Work } from '../../../src/flows/nights/steer-run.ts';
import { openLog } from '../../../src/log.ts';
import { type NightFixture, openNightFixture, savePlan } from '../../support/harness/nights.ts';

const outcome: Outcome = {
  state: 'succeeded',
  snapshotId: 'abc',
  counts: { entries: 3 },
  problems: [],
  problemCount: 0,
};
const second = 1_000;
let fixture: NightFixture;
let runId: string;
let planId: string;
beforeEach(async () => {
  fixture = await openNightFixture();
  planId = await savePlan(fixture.resources.database);
  await openNight(fixture.resources);
  runId = fixture.taken()[0]?.runId ?? '';
});
afterEach(() => fixture[Symbol.asyncDispose]());

const claim = (holder: string, id = runId) =>
  claimRun(fixture.resources.database, { runId: id, holder, at: fixture.resources.clock.now() });
const steer = (work: Work, signal = new AbortController().signal) =>
  steerRun(fixture.resources, { runId, signal }, work);
const run = () => fixture.resources.database.run.findUniqueOrThrow({ where: { id: runId } });
const fail = (retry?: { afterMs: number }) => async () => {
  throw new AppError('source/unavailable', 'The server is away.', retry === undefined ? {} : { retry });
};
const states = async () =>
  (await fixture.resources.database.event.findMany({ where: { subjectId: runId }, orderBy: { id: 'asc' } })).map(
    ({ to }) => to,
  );
const progress: RunProgress = {
  step: 'reading',
  entries: 2,
  expected: null,
  problems: 1,
  bytesRead: 30,
  requests: 4,
  ms: 5_000,
  folder: 'files/a\0b',
};
/** Work that begins, and then goes on until it is told to end. */
function untilAborted() {
  const begun = Promise.withResolvers<void>();
  const work: Work = ({ signal, report }) => {
    report(() => progress);
    begun.resolve();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('a stream was torn'))));
  };
  return { begun: begun.promise, work };
}

describe('claiming a run', () => {
  test('is for one of many who try, and raises the fence', async () => {
    const claims = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((holder) => claim(holder)));
    expect(claims.filter((each) => each !== null)).toMatchObject([{ id: runId, planId, fence: 1, attempt: 1 }]);
  });

  test('fences out the holder whose lease lapsed', async () => {
    const { database, clock } = fixture.resources;
    const first = await claim('first');
    await clock.advance(61 * second);
    const next = await claim('second');
    if (first === null || next === null) throw new Error('both were to be had');
    expect(next.fence).toBe(2);
    expect(await renewRun(database, { run: first, at: clock.now() })).toBe(false);
    const end = { end: outcome, at: clock.now() };
    expect(await finishRun(database, { run: first, holder: 'first', ...end })).toBe(false);
    expect(await finishRun(database, { run: next, holder: 'second', ...end })).toBe(true);
    expect(await run()).toMatchObject({ state: 'succeeded', snapshotId: 'abc', leaseHolder: null });
  });

  test('is refused while another run of the plan is being worked on, also when both are claimed at once', async () => {
    const { database, clock } = fixture.resources;
    for (let round = 0; round < 10; round++) {
      const make = (slot: string) =>
        database.run.create({
          data: {
            id: crypto.randomUUID(),
            planId,
            night: `2026-06-${round}`,
            slot,
            trigger: 'person',
            dueAt: clock.now(),
            queuedAt: clock.now(),
          },
        });
      const pair = [await make('a'), await make('b')];
      const claims = await Promise.all(pair.map(({ id }) => claim(`holder of ${id}`, id)));
      expect(claims.filter((each) => each !== null)).toHaveLength(1);
      await database.run.deleteMany({ where: { id: { in: pair.map(({ id }) => id) } } });
    }
  });

  test('is refused before it is due', async () => {
    await fixture.resources.database.run.updateMany({ data: { dueAt: new Date('2026-05-01T00:00:01Z') } });
    expect(await claim('early')).toBeNull();
    await fixture.resources.clock.advance(second);
    expect(await claim('in time')).not.toBeNull();
  });
});

describe('steering a run', () => {
  test('that goes well ends it with what its work came to', async () => {
    await steer(async () => outcome);
    expect(await run()).toMatchObject({ state: 'succeeded', snapshotId: 'abc', counts: { entries: 3 }, attempt: 1 });
    expect(await states()).toEqual(['queued', 'running', 'succeeded']);
  });

  test('is counted with its result, its time and its data, and a try that goes on later is not', async () => {
    const { clock, meters } = fixture.resources;
    await steer(fail({ afterMs: second }));
    expect(await meters.text()).toContain('nightkeep_run_total{result="failed"} 0');
    await clock.advance(10 * 60 * second);
    await steer(async () => {
      await clock.advance(90 * second);
      return { ...outcome, state: 'partial', counts: { bytesRead: 70, dataAdded: 40 }, problemCount: 3 };
    });
    const text = await meters.text();
    for (const line of [
      'run_total{result="partial"} 1',
      'run_duration_seconds_sum 90',
      'run_duration_seconds_bucket{le="60"} 0',
      'run_duration_seconds_bucket{le="180"} 1',
      'bytes_read_total 70',
      'bytes_added_total 40',
      'item_warnings_total 3',
    ])
      expect(text).toContain(`nightkeep_${line}\n`);
  });

  test('that fails for good is counted as that', async () => {
    await steer(async () => {
      throw new AppError('grant/not-usable', 'The consent has ended.');
    });
    expect(await fixture.resources.meters.text()).toMatch(/nightkeep_run_total\{result="failed"\} 1/);
  });

  test('names the run and whose it is in every line of the log', async () => {
    const { clock, database } = fixture.resources;
    const lines: string[] = [];
    const log = openLog({ clock, level: 'debug', write: (line) => lines.push(line) });
    await steerRun({ ...fixture.resources, log }, { runId, signal: new AbortController().signal }, async () => outcome);
    const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'run.finished', runId, userId }]);
  });

  test('keeps its lease for as long as the work takes, and tells how far it is', async () => {
    const done = Promise.withResolvers<Outcome>();
    const begun = Promise.withResolvers<void>();
    const steered = steer(({ report }) => {
      report(() => progress);
      begun.resolve();
      return done.promise;
    });
    await begun.promise;
    await fixture.resources.clock.advance(300 * second);
    expect(await claim('somebody else')).toBeNull();
    expect((await run()).leaseHolder).toBe('first');
    const { database } = fixture.resources;
    const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
    const { folder: _, ...withoutFolder } = progress;
    expect(await findLiveRun(database, { userId, runId })).toMatchObject({
      progress: { ...progress, folder: 'files/a\\x00b' },
    });
    expect(await findLiveRun(database, { userId: randomUUID(), runId })).toBeNull();
    expect(await listRunProgress(database, [runId])).toEqual(new Map([[runId, withoutFolder]]));
    done.resolve(outcome);
    await steered;
    expect((await run()).state).toBe('succeeded');
    expect(await database.runProgress.count()).toBe(0);
  });

  test('that fails for a reason that may pass waits ever longer, says why, and fails when its window and the grace are over', async () => {
    const tried: string[] = [];
    // Midnight is 02:00 in Berlin, and the window is over at 05:00.
    const until = new Date('2026-05-01T04:00:00Z');
    expect(await run()).toMatchObject({ triedUntil: until });
    while ((await run()).state === 'queued') {
      tried.push(fixture.resources.clock.now().toISOString().slice(11, 16));
      await steer(fail({ afterMs: 5 * second }));
      const [job] = fixture.taken();
      if (job !== undefined) expect(await run()).toMatchObject({ state: 'queued', message: 'The server is away.' });
      await fixture.resources.clock.advance(job?.delayMs ?? 0);
    }
    expect(tried.slice(0, 7)).toEqual(['00:00', '00:01', '00:03', '00:07', '00:15', '00:30', '00:45']);
    expect(tried.slice(-2)).toEqual(['03:45', '03:59']);
    expect(await run()).toMatchObject({ state: 'failed', errorCode: 'source/unavailable', attempt: tried.length });
  });

  test('that goes well at a later try says nothing of those before', async () => {
    await steer(fail({ afterMs: 5 * second }));
    await fixture.resources.clock.advance(fixture.taken()[0]?.delayMs ?? 0);
    await steer(async () => outcome);
    expect(await run()).toMatchObject({ state: 'succeeded', attempt: 2, message: null, errorCode: null });
  });

  test('that is told to wait for longer than it has is tried once more just before its time is over', async () => {
    await steer(fail({ afterMs: 365 * 24 * 3_600 * second }));
    expect(fixture.taken()).toMatchObject([{ delayMs: (4 * 3_600 - 60) * second }]);
  });

  test('that only somebody can mend fails at once', async () => {
    await steer(async () => {
      throw new AppError('config/invalid', 'FILES_URL names a claim that is not there.');
    });
    expect(await run()).toMatchObject({ state: 'failed', errorCode: 'config/invalid', attempt: 1 });
    expect(fixture.taken()).toEqual([]);
  });

  test('that meets a bug is tried again, and shows no detail to people', async () => {
    await steer(async () => {
      throw new Error('secret detail');
    });
    expect(await run()).toMatchObject({ state: 'queued', errorCode: 'internal', attempt: 1 });
    expect((await run()).message).toMatch(/^Internal error/);
  });

  test('is tried every minute while the circuit is open, which counts for nothing', async () => {
    for (let minutes = 1; minutes <= 20; minutes++) {
      await steer(async () => {
        throw new AppError('provider/circuit-open', 'In trouble.', { retry: { afterMs: 20 * second } });
      });
      expect(fixture.taken()).toMatchObject([{ delayMs: 60 * second }]);
      expect(await run()).toMatchObject({ state: 'queued', attempt: 0 });
      await fixture.resources.clock.advance(60 * second);
    }
  });

  test('saves how it ended once the database is back, so that nothing is done again', async () => {
    const { clock, database } = fixture.resources;
    const away = vi.fn(() => Promise.reject(new Error("Can't reach database server")));
    const save = vi.spyOn(database, '$executeRaw');
    const steered = steer(async () => {
      save.mockImplementation(away as never);
      return outcome;
    });
    await expect.poll(() => away.mock.calls.length).toBeGreaterThan(0);
    save.mockRestore();
    await expect
      .poll(async () => {
        await clock.advance(5 * second);
        return (await run()).state;
      })
      .not.toBe('running');
    await steered;
    expect(await run()).toMatchObject({ state: 'succeeded', attempt: 1, snapshotId: 'abc' });
  });

  test('has what is damaged verified at once where it brought a snapshot, which may have mended it', async () => {
    const { clock, database } = fixture.resources;
    const { userId } = await database.plan.findFirstOrThrow();
    const nextAt = new Date(clock.now().getTime() + 3_600_000);
    const since = clock.now();
    await database.verification.create({ data: { userId, since, nextAt, damageState: 'lost' } });
    await steer(async () => {
      throw new AppError('source/forbidden', 'No.');
    });
    expect(await database.verification.findFirst()).toMatchObject({ nextAt });
    await database.run.updateMany({ data: { state: 'queued', dueAt: clock.now() } });
    await steer(async () => outcome);
    expect(await database.verification.findFirst()).toMatchObject({ nextAt: clock.now() });
  });

  test('that lost the database for a moment is tried again', async () => {
    await steer(async () => {
      await fixture.resources.database.$executeRaw`SELECT pg_terminate_backend(pg_backend_pid())`;
      return outcome;
    });
    expect(await run()).toMatchObject({ state: 'queued', errorCode: 'database/unavailable', attempt: 1 });
  });

  test('that is stopped returns to the queue as a new job and uses no attempt up', async () => {
    const stop = new AbortController();
    const { begun, work } = untilAborted();
    const steered = steer(work, stop.signal);
    await begun;
    stop.abort(new AppError('run/stopped', 'The service shuts down.'));
    await steered;
    expect(await run()).toMatchObject({ state: 'queued', attempt: 0, leaseHolder: null });
    expect(fixture.taken()).toEqual([{ runId, attempt: 1, delayMs: 0 }]);
  });

  test('ends the work within a second when the run is cancelled, and gives its lease back once the work has ended', async () => {
    const { database, clock } = fixture.resources;
    const ended = Promise.withResolvers<never>();
    const aborted = Promise.withResolvers<void>();
    const steered = steer(({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve());
      return ended.promise;
    });
    await expect.poll(async () => (await run()).state).toBe('running');
    const { grantId } = await database.plan.findFirstOrThrow();
    expect(await cancelRuns(database, { grantId, at: clock.now(), by: 'alice', reason: 'withdrawn' })).toBe(1);
    await clock.advance(second);
    await aborted.promise;
    expect(await run()).toMatchObject({ state: 'cancelled', leaseHolder: 'first' });
    ended.reject(new Error('a stream was torn'));
    await steered;
    expect(await run()).toMatchObject({ state: 'cancelled', leaseHolder: null, leaseUntil: null });
    expect(await states()).toEqual(['queued', 'running', 'cancelled']);
    expect(fixture.taken()).toEqual([]);
  });

  test('ends within a second when the person cancels it, and leaves consent and plan as they are', async () => {
    const { database, clock } = fixture.resources;
    const { begun, work } = untilAborted();
    const steered = steer(work);
    await begun;
    const plan = await database.plan.findUniqueOrThrow({ where: { id: planId }, include: { grant: true } });
    const cancel = (userId: string) =>
      cancelRun(database, { userId, runId, at: clock.now(), by: `user:${userId}`, reason: 'cancelled by the person' });
    expect(await cancel(randomUUID())).toBe(false);
    expect(await cancel(plan.userId)).toBe(true);
    expect(await cancel(plan.userId)).toBe(false);
    await clock.advance(second);
    await steered;
    expect(await run()).toMatchObject({ state: 'cancelled', leaseHolder: null, snapshotId: null, errorCode: null });
    expect(await database.runProgress.count()).toBe(0);
    expect(await database.plan.findUniqueOrThrow({ where: { id: planId }, include: { grant: true } })).toEqual(plan);
    expect(fixture.taken()).toEqual([]);
  });

  test('leaves a cancelled run cancelled also when its work ends well, or is stopped, just then', async () => {
    const { database, clock } = fixture.resources;
    const { grantId } = await database.plan.findFirstOrThrow();
    const cancel = () => cancelRuns(database, { grantId, at: clock.now(), by: 'alice', reason: 'withdrawn' });
    await steer(async () => {
      await cancel();
      return outcome;
    });
    expect(await run()).toMatchObject({ state: 'cancelled', snapshotId: null, leaseHolder: null });
    await database.run.update({ where: { id: runId }, data: { state: 'queued' } });
    await steer(async () => {
      await cancel();
      throw new AppError('run/stopped', 'The service shuts down.', { retry: { afterMs: 0 } });
    });
    expect(await run()).toMatchObject({ state: 'cancelled', leaseHolder: null });
    expect(fixture.taken()).toEqual([]);
  });

  test('looks after all runs in hand with one statement, and no longer once they have ended', async () => {
    const { database, clock } = fixture.resources;
    await savePlan(database);
    await openNight(fixture.resources);
    const other = fixture.taken()[0]?.runId ?? '';
    const [one, two] = [untilAborted(), untilAborted()];
    const steered = [
      steer(one.work),
      steerRun(fixture.resources, { runId: other, signal: new AbortController().signal }, two.work),
    ];
    await Promise.all([one.begun, two.begun]);
    const asked = vi.spyOn(database, '$queryRaw');
    await clock.advance(second / 2);
    expect(asked).toHaveBeenCalledTimes(1);
    for (const { grantId } of await database.plan.findMany())
      await cancelRuns(database, { grantId, at: clock.now(), by: 'alice', reason: 'withdrawn' });
    await clock.advance(second);
    await Promise.all(steered);
    asked.mockClear();
    await clock.advance(10 * second);
    expect(asked).not.toHaveBeenCalled();
    asked.mockRestore();
  });

  test('is aborted at once when another worker has the run', async () => {
    const { database, clock } = fixture.resources;
    const { begun, work } = untilAborted();
    const steered = steer(work);
    await begun;
    await database.run.update({ where: { id: runId }, data: { fence: { increment: 1 }, leaseHolder: 'another' } });
    await clock.advance(second);
    await steered;
    expect(await run()).toMatchObject({ state: 'running', leaseHolder: 'another' });
  });

  test('ends the work when the lease ran out while the database was away', async () => {
    const { begun, work } = untilAborted();
    const steered = steer(work);
    await begun;
    const away = vi.spyOn(fixture.resources.database.run, 'updateMany').mockRejectedValue(new Error('away'));
    await fixture.resources.clock.advance(60 * second);
    await steered;
    away.mockRestore();
    expect((await run()).state).toBe('running');
  });

  test('ends the work before the lease runs out where the database leaves renewals without an answer', async () => {
    const { database, clock } = fixture.resources;
    const { begun, work } = untilAborted();
    const steered = steer(work);
    await begun;
    const silent = vi.spyOn(database.run, 'updateMany').mockImplementation(() => new Promise(() => {}) as never);
    await clock.advance(45 * second);
    silent.mockRestore();
    await clock.advance(10 * second);
    await steered;
    expect(await run()).toMatchObject({ state: 'running', leaseHolder: fixture.resources.holder });
  });

  describe('before it writes a snapshot', () => {
    const begun = () => Promise.withResolvers<void>();
    /** Works for five seconds, and then writes its snapshot if it may. */
    function writing() {
      const [working, asking, written] = [begun(), begun(), vi.fn()];
      const work: Work = async ({ confirm }) => {
        working.resolve();
        await fixture.resources.clock.sleep(5 * second);
        const may = confirm();
        asking.resolve();
        await may;
        written();
        return outcome;
      };
      return { working: working.promise, asking: asking.promise, written, work };
    }
    const silence = () =>
      vi.spyOn(fixture.resources.database.run, 'updateMany').mockImplementation(() => new Promise(() => {}) as never);

    test('asks the database whether it is still its own, and waits for the answer', async () => {
      const { clock, database } = fixture.resources;
      const { working, asking, written, work } = writing();
      const steered = steer(work);
      await working;
      const away = vi.spyOn(database.run, 'updateMany').mockRejectedValue(new Error('away'));
      await clock.advance(5 * second);
      await asking;
      await expect.poll(() => away.mock.calls.length).toBeGreaterThan(0);
      expect(written).not.toHaveBeenCalled();
      away.mockRestore();
      await expect
        .poll(async () => {
          await clock.advance(second);
          return written.mock.calls.length;
        })
        .toBeGreaterThan(0);
      await steered;
      expect(await run()).toMatchObject({ state: 'succeeded', snapshotId: 'abc' });
    });

    test('writes none where no answer comes while the lease lasts, so that the next worker writes the only one', async () => {
      const { working, asking, written, work } = writing();
      const steered = steer(work);
      await working;
      const silent = silence();
      await fixture.resources.clock.advance(5 * second);
      await asking;
      await fixture.resources.clock.advance(40 * second);
      silent.mockRestore();
      await fixture.resources.clock.advance(10 * second);
      await steered;
      expect(written).not.toHaveBeenCalled();
      expect(await run()).toMatchObject({ state: 'running', snapshotId: null });
    });

    test('writes none where another worker has the run by now', async () => {
      const { clock, database } = fixture.resources;
      const { working, written, work } = writing();
      const steered = steer(work);
      await working;
      await database.run.update({ where: { id: runId }, data: { fence: { increment: 1 }, leaseHolder: 'another' } });
      await clock.advance(5 * second);
      await steered;
      expect(written).not.toHaveBeenCalled();
    });

    test('does not ask what it was told within the last second', async () => {
      const asked = silence();
      await steer(async ({ confirm }) => {
        await confirm();
        return outcome;
      });
      expect(asked).not.toHaveBeenCalled();
    });
  });

  test('that somebody else has does nothing', async () => {
    await claim('somebody else');
    const work = vi.fn(async () => outcome);
    await steer(work);
    expect(work).not.toHaveBeenCalled();
  });
});

describe('healing', () => {
  test('returns runs whose worker died, whose tries do not count, ever later, and says when that is often', async () => {
    const pauses: number[] = [];
    for (let lost = 1; lost <= 8; lost++) {
      expect(await claim('that dies')).toMatchObject({ attempt: 1 });
      expect(await healRuns(fixture.resources)).toEqual({ returned: 0, failed: 0, queued: 0 });
      await fixture.resources.clock.advance(61 * second);
      if (lost >= 5) expect(await claim('that takes over at once')).toBeNull();
      expect(await healRuns(fixture.resources)).toMatchObject({ returned: 1 });
      const [job] = fixture.taken();
      const words =
        lost < 5 ? /^The worker that made this backup stopped/ : `${lost} times in a row. The operator must`;
      expect(await run()).toMatchObject({
        state: 'queued',
        attempt: 0,
        errorCode: 'run/lost-worker',
        message: expect.stringMatching(words),
      });
      pauses.push(job?.delayMs ?? 0);
      await fixture.resources.clock.advance(job?.delayMs ?? 0);
    }
    expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
    expect(pauses.at(-1)).toBeLessThanOrEqual(15 * 60 * second);
    await steer(async () => outcome);
    expect(await run()).toMatchObject({ state: 'succeeded', errorCode: null });
  });

  test('says of a run whose time is over how many workers it lost', async () => {
    const { clock, database } = fixture.resources;
    expect(await claim('that dies')).not.toBeNull();
    await database.run.update({
      where: { id: runId },
      data: { lostWorkers: 6, triedUntil: new Date(clock.now().getTime() + 30 * second) },
    });
    await clock.advance(61 * second);
    expect(await healRuns(fixture.resources)).toMatchObject({ failed: 1 });
    const words = expect.stringMatching(/7 times in a row, and its time was over\. The operator must find out/);
    expect(await run()).toMatchObject({ state: 'failed', errorCode: 'run/lost-worker', message: words });
    expect((await states()).at(-1)).toBe('failed');
  });

  test('counts only workers that were lost one after the other', async () => {
    for (let round = 0; round < 3; round++) {
      for (let lost = 1; lost <= 3; lost++) {
        expect(await claim('that dies')).not.toBeNull();
        await fixture.resources.clock.advance(61 * second);
      }
      expect(await healRuns(fixture.resources)).toMatchObject({ returned: 1 });
      await fixture.resources.clock.advance(fixture.taken()[0]?.delayMs ?? 0);
      await steer(fail({ afterMs: 1 }));
      await fixture.resources.clock.advance(fixture.taken()[0]?.delayMs ?? 0);
    }
    expect(await run()).toMatchObject({ state: 'queued', attempt: 3 });
  });

  test('fails a run whose worker died when its time was over, and says so', async () => {
    await fixture.resources.clock.advance(4 * 3_600 * second - 30 * second);
    expect(await claim('that dies')).not.toBeNull();
    await fixture.resources.clock.advance(61 * second);
    expect(await claim('in time, were it not over')).toBeNull();
    expect(await healRuns(fixture.resources)).toMatchObject({ returned: 0, failed: 1 });
    expect(await run()).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/its time was over/),
    });
  });

  test('leaves a run that nobody took in its time to the first worker that comes', async () => {
    await fixture.resources.clock.advance(20 * 3_600 * second);
    expect(await healRuns(fixture.resources)).toMatchObject({ queued: 1, failed: 0 });
    await steer(async () => outcome);
    expect((await run()).state).toBe('succeeded');
  });

  test('puts queued runs into the queue again, as the same jobs, with what is left of their wait', async () => {
    expect(await healRuns(fixture.resources)).toMatchObject({ queued: 1 });
    expect(fixture.taken()).toEqual([{ runId, attempt: 0, delayMs: 0 }]);
    await steer(fail({ afterMs: 1 }));
    const [job] = fixture.taken();
    await fixture.resources.clock.advance(15 * second);
    await healRuns(fixture.resources);
    expect(fixture.taken()).toEqual([{ ...job, delayMs: 45 * second }]);
  });
});

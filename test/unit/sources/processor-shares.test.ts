import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openProcessorShares, type ProcessorShare } from '../../../src/sources/http/processor-shares.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

/** Lets the thread do what has come, so many times. */
async function loops(count: number): Promise<void> {
  for (let loop = 0; loop < count; loop++) await setImmediate();
}

const never = new AbortController().signal;

/**
 * A thread of which the runs take as much as they are let, in pieces of a millisecond each, one after the other: `wants` says how many each would like in
 * a millisecond. Answers the part of the thread that each had, of `seconds`.
 */
async function partsOf(wants: readonly number[], { seconds = 20 } = {}): Promise<number[]> {
  const clock = manualClock('2026-11-23T01:00:00Z');
  let taken = 0;
  const shares = openProcessorShares(clock, () => taken);
  const runs = wants.map((want) => ({ want, share: shares.open(), wish: 0, had: 0, last: 0 }));
  for (let ms = 0; ms < seconds * 1000; ms++) {
    for (const run of runs) run.wish = Math.min(1, run.wish + run.want);
    const [next] = runs
      .filter(({ share, wish }) => share.hasCredit && wish >= 1)
      .toSorted((one, other) => one.last - other.last);
    if (next !== undefined) {
      next.wish = 0;
      next.had++;
      next.last = ms;
      next.share.did(1);
      taken++;
    }
    await clock.advance(1);
  }
  return runs.map(({ had }) => had / (seconds * 1000));
}

test('a run that would take all of the thread has little more than its part beside others, who have all that they want', async () => {
  const [greedy = 1, ...others] = await partsOf([1, 0.05, 0.05, 0.05]);
  expect(greedy).toBeLessThan(0.38);
  for (const part of others) expect(part).toBeGreaterThan(0.048);
});

test('as many as would take all of it have equal parts, and none of the thread is left', async () => {
  const parts = await partsOf([1, 1, 1, 1]);
  for (const part of parts) expect(part).toBeGreaterThan(0.23);
});

test('three that would take all of it leave the fourth its part', async () => {
  const parts = await partsOf([1, 1, 1, 0.2]);
  expect(parts[3]).toBeGreaterThan(0.19);
});

test('a run alone takes all of it', async () => {
  expect(await partsOf([1])).toEqual([1]);
});

test('runs that fetch little never wait, though the thread is busy all the time with other work of a hundred', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const shares = openProcessorShares(clock, clock.elapsed);
  const runs = Array.from({ length: 100 }, () => shares.open());
  for (const run of runs.slice(0, 10))
    for (let request = 0; request < 30; request++) {
      expect(run.hasCredit).toBe(true);
      run.did(1);
      await clock.advance(40);
    }
});

test('nobody is behind for long, whatever the thread was busy with, once it has nothing to do', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const busyUntil = clock.elapsed() + 60_000;
  const shares = openProcessorShares(clock, () => Math.min(clock.elapsed(), busyUntil));
  const runs = Array.from({ length: 100 }, () => shares.open());
  for (let passed = 0; passed < 60_000; passed += 20) {
    for (const run of runs.slice(0, 10)) run.did(100);
    await clock.advance(20);
  }
  expect(runs.slice(0, 10).some(({ hasCredit }) => hasCredit)).toBe(false);
  await clock.advance(1_500);
  expect(runs.every(({ hasCredit }) => hasCredit)).toBe(true);
});

/** Two runs, of which the first took a second of the thread. */
async function inDebt() {
  const clock = manualClock('2026-11-23T01:00:00Z');
  let taken = 0;
  const shares = openProcessorShares(clock, () => taken);
  const [debtor, other] = [shares.open(), shares.open()];
  const take = async (share: ProcessorShare, ms: number) => {
    for (let passed = 0; passed < ms; passed++) {
      share.did(1);
      taken++;
      await clock.advance(1);
    }
  };
  await take(debtor, 1000);
  return { clock, debtor, other };
}

test('one that waits goes on when it has some of its part again', async () => {
  const { clock, debtor, other } = await inDebt();
  await other.turn(never);
  let went = false;
  void debtor.turn(never).then(() => {
    went = true;
  });
  await clock.advance(20);
  await loops(3);
  expect([went, debtor.hasCredit]).toEqual([false, false]);
  await clock.advance(1000);
  await loops(3);
  expect([went, debtor.hasCredit]).toEqual([true, true]);
});

test('one that waits goes on at once when it is alone, and when it is ended', async () => {
  const { debtor, other } = await inDebt();
  const ended = new AbortController();
  const waiting = debtor.turn(ended.signal);
  ended.abort(new Error('ended'));
  await expect(waiting).rejects.toThrow('ended');
  const going = debtor.turn(never);
  other[Symbol.dispose]();
  await going;
});

test('does one piece of work at a time, however many it has: others get in between, and their one piece waits for one of it', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const shares = openProcessorShares(clock, () => 0);
  const [greedy, other] = [shares.open(), shares.open()];
  const done: string[] = [];
  const pieces = Array.from({ length: 100 }, () => greedy.turn(never).then(() => done.push('greedy')));
  await loops(5);
  const begun = done.length;
  expect(begun).toBeGreaterThan(0);
  await other.turn(never).then(() => done.push('other'));
  expect(done.length).toBeLessThan(begun + 5);
  await Promise.all(pieces);
  expect(done).toHaveLength(101);
});

test('does all its pieces at once where it is alone', async () => {
  const share = openProcessorShares(manualClock('2026-11-23T01:00:00Z'), () => 0).open();
  let done = 0;
  for (let piece = 0; piece < 100; piece++) void share.turn(never).then(() => done++);
  await Promise.resolve().then(() => {});
  expect([share.isAlone, done]).toEqual([true, 100]);
});

test('ends all pieces that wait for their turn when the run is ended', async () => {
  const { debtor } = await inDebt();
  const ended = new AbortController();
  const waiting = Array.from({ length: 10 }, () => debtor.turn(ended.signal));
  ended.abort(new Error('ended'));
  const results = await Promise.allSettled(waiting);
  expect(results.every(({ status }) => status === 'rejected')).toBe(true);
});

/** Whether a run of which other threads have so much of a processor all the time has some of its part left, and one beside it, where the thread gets none for a part of the time. */
async function leftBeside({ elsewhere, heldUp }: { elsewhere: number; heldUp: number }): Promise<boolean[]> {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const shares = openProcessorShares(
    clock,
    () => 0.9 * clock.elapsed(),
    () => 7 + heldUp * clock.elapsed(),
  );
  const [sealing, other] = [shares.open(), shares.open()];
  for (let ms = 0; ms < 5_000; ms += 20) {
    sealing.had(20 * elsewhere);
    await clock.advance(20);
  }
  return [sealing.hasCredit, other.hasCredit];
}

test('what other threads of a run take is put down to it as far as this one waits for a processor meanwhile, and else to nobody', async () => {
  expect(await leftBeside({ elsewhere: 2, heldUp: 0.5 })).toEqual([false, true]);
  expect(await leftBeside({ elsewhere: 2, heldUp: 0 })).toEqual([true, true]);
  expect(await leftBeside({ elsewhere: 0.5, heldUp: 0.5 })).toEqual([true, true]);
});

test('a run that sealed much is forgiven as soon as it is alone, and waits no longer than a quarter of a second for its part else', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const shares = openProcessorShares(clock, clock.elapsed, clock.elapsed);
  const [sealing, other] = [shares.open(), shares.open()];
  sealing.had(60_000);
  await clock.advance(20);
  expect([sealing.hasCredit, other.hasCredit]).toEqual([false, true]);
  await clock.advance(520);
  expect(sealing.hasCredit).toBe(true);
  sealing.had(60_000);
  await clock.advance(20);
  expect(sealing.hasCredit).toBe(false);
  other[Symbol.dispose]();
  expect(sealing.hasCredit).toBe(true);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dayMs } from '../../../src/durations.ts';
import { foreseeSnapshots, judgeSnapshots, removedAmong } from '../../../src/flows/retention/judge-snapshots.ts';
import { parseId, type SnapshotId, type TreeId } from '../../../src/store/format/ids.ts';
import { timestamp } from '../../../src/store/format/timestamp.ts';
import type { SavedSnapshot } from '../../../src/store/repository/snapshots.ts';

const zone = 'Europe/London';
const tree = parseId<TreeId>('ab'.repeat(32));
const first = Date.parse('2026-11-27T20:58:00Z');
const snapshotOf = (number: number, at: Date): SavedSnapshot => ({
  id: parseId<SnapshotId>((number + 1).toString(16).padStart(64, '0')),
  snapshot: { time: timestamp(at, zone), tree, paths: ['/files'], hostname: 'nightkeep' },
});
const factsOf = (complete: SavedSnapshot | undefined) => ({
  agreedAt: new Date(first),
  alarmAt: null,
  completeId: complete?.id ?? null,
  zone,
});

test('what is said to go after the next backup is what goes then, night after night', () => {
  const rule = fc.record({
    daily: fc.integer({ min: 1, max: 7 }),
    weekly: fc.integer({ min: 0, max: 4 }),
    monthly: fc.integer({ min: 0, max: 3 }),
  });
  let gone = 0;
  fc.assert(
    fc.property(rule, (rule) => {
      let saved: readonly SavedSnapshot[] = [];
      let foreseen: ReadonlySet<string> = new Set();
      for (let night = 0; night < 60; night++) {
        const at = new Date(first + night * dayMs);
        const own = snapshotOf(night, at);
        const there = [...saved, own];
        const { going } = judgeSnapshots(there, factsOf(own), { rule, now: at });
        expect(new Set(going)).toEqual(foreseen);
        gone += going.length;
        saved = there.filter(({ id }) => !going.includes(id));
        const next = new Date(at.getTime() + dayMs);
        const judged = foreseeSnapshots(saved, factsOf(own), { rule, now: new Date(at.getTime() + 60_000), next });
        foreseen = new Set(judged.going);
        const without = judged.snapshots.filter(({ reasons }) => reasons.length === 0);
        expect(new Set(without.map(({ id }) => id))).toEqual(foreseen);
      }
    }),
    { numRuns: 20 },
  );
  expect(gone).toBeGreaterThan(500);
});

test.each([{ last: 3 }, { daily: 3 }, { daily: 2, weekly: 1 }, { within: { years: 0, months: 0, days: 3, hours: 0 } }])(
  'what a clock that was ahead dated into the future stays, and takes no place of those that follow: %j',
  (rule) => {
    const ahead = [400, 401, 402, 403].map((night) => snapshotOf(night, new Date(first + night * dayMs)));
    const nights = Array.from({ length: 8 }, (_, night) => snapshotOf(night, new Date(first + night * dayMs)));
    const now = new Date(first + 7 * dayMs + 60_000);
    const alone = judgeSnapshots(nights, factsOf(nights.at(-1)), { rule, now });
    const among = judgeSnapshots([...ahead, ...nights], factsOf(nights.at(-1)), { rule, now });
    expect(alone.going.length).toBeGreaterThan(0);
    expect(among.going).toEqual(alone.going);
    expect(among.snapshots.slice(0, 4).map(({ time, reasons }) => [time, reasons])).toEqual(
      ahead.toReversed().map(({ snapshot: { time } }) => [time, ['future']]),
    );
    const next = new Date(first + 8 * dayMs);
    const foreseen = foreseeSnapshots([...ahead, ...nights], factsOf(nights.at(-1)), { rule, now, next });
    expect(foreseen.going).toEqual(foreseeSnapshots(nights, factsOf(nights.at(-1)), { rule, now, next }).going);
  },
);

test('once its time has come, what was dated into the future goes by the rule as all others', () => {
  const [ahead, ...later] = [10, 11, 12, 13].map((night) => snapshotOf(night, new Date(first + night * dayMs)));
  const saved = [ahead ?? expect.unreachable(), ...later];
  const now = new Date(first + 13 * dayMs + 60_000);
  expect(judgeSnapshots(saved, factsOf(later.at(-1)), { rule: { last: 3 }, now }).going).toEqual([ahead?.id]);
});

test('the last that holds everything stays as long as backups are in part', () => {
  const [complete, ...parts] = Array.from({ length: 4 }, (_, night) =>
    snapshotOf(night, new Date(first + night * dayMs)),
  );
  const at = { rule: { last: 2 }, now: new Date(first + 3.1 * dayMs), next: new Date(first + 4 * dayMs) };
  const saved = [complete ?? expect.unreachable(), ...parts];
  expect(foreseeSnapshots(saved, factsOf(complete), at).going).toEqual(
    parts
      .slice(0, 2)
      .map(({ id }) => id)
      .toReversed(),
  );
});

test('nothing goes where nothing is there, or somebody should look first', () => {
  const at = { rule: { last: 1 }, now: new Date(first), next: new Date(first + dayMs) };
  expect(foreseeSnapshots([], factsOf(undefined), at).going).toEqual([]);
  const saved = [0, 1, 2].map((night) => snapshotOf(night, new Date(first - night * dayMs)));
  const facts = { ...factsOf(saved[0]), alarmAt: new Date(first) };
  expect(foreseeSnapshots(saved, facts, at)).toMatchObject({ hold: 'alarm', going: [] });
});

test('what is missing was removed by somebody where the rule keeps it, and all of it where nothing goes by a rule', () => {
  const nights = Array.from({ length: 4 }, (_, night) => snapshotOf(night, new Date(first + night * dayMs)));
  const [old, before] = nights.slice(0, 2).map(({ id, snapshot: { time } }) => ({ id, time }));
  const absent = [old, before].filter((one) => one !== undefined);
  const saved = nights.slice(2);
  const facts = factsOf(nights.at(-1));
  const asked = { rule: { daily: 3 }, now: new Date(first + 3 * dayMs + 60_000) };
  expect(removedAmong(absent, saved, facts, asked)).toEqual([before?.id]);
  for (const held of [{ agreedAt: null }, { alarmAt: new Date(first) }])
    expect(removedAmong(absent, saved, { ...facts, ...held }, asked)).toEqual([old?.id, before?.id]);
  expect(removedAmong(absent, saved, facts, { ...asked, rule: {} })).toEqual([old?.id, before?.id]);
});

test('by a span, what goes after the next backup is what was said for the moment at which it ends: a later one lets another go', () => {
  const rule = { within: { years: 0, months: 0, days: 3, hours: 0 } };
  const minute = 60_000;
  const nights = Array.from({ length: 4 }, (_, night) => snapshotOf(night, new Date(first + night * dayMs + minute)));
  const now = new Date(first + 3 * dayMs + 2 * minute);
  const ending = (late: number) => {
    const next = new Date(first + 4 * dayMs + late);
    const own = snapshotOf(4, next);
    const foreseen = foreseeSnapshots(nights, factsOf(nights.at(-1)), { rule, now, next });
    const then = new Date(next.getTime() + 1);
    expect(foreseen.going).toEqual(judgeSnapshots([...nights, own], factsOf(own), { rule, now: then }).going);
    return foreseen.going.length;
  };
  expect([ending(0), ending(minute - 1_000), ending(minute), ending(2 * minute)]).toEqual([1, 1, 2, 2]);
});

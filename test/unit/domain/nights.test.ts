import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  dateIn,
  isValidZone,
  lastWindow,
  latestNightOfAll,
  type NightPlan,
  nextNight,
  turnOver,
} from '../../../src/domain/nights.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';

const zones = Intl.supportedValuesOf('timeZone');
const plan = (over: Partial<NightPlan> = {}): NightPlan => ({
  id: '00000000-0000-4000-8000-000000000000',
  zone: 'Europe/Berlin',
  windowStart: '01:00',
  windowEnd: '05:00',
  ...over,
});
/** By its id its place is the very start of the window. */
const first = (over: Partial<NightPlan>) =>
  plan({ windowEnd: over.windowStart?.replace(/\d$/, '1') ?? '01:01', ...over });
const dateAfter = (date: string) => new Date(Date.parse(date) + dayMs).toISOString().slice(0, 10);

/** Walks from a moment and answers what is wrong with the first night that breaks a promise. */
function walk(own: NightPlan, from: Date, nights: number): string | undefined {
  let last = nextNight(own, from);
  for (let step = 0; step < nights; step++) {
    const next = nextNight(own, last.night);
    const say = (what: string) => `${what}: ${JSON.stringify({ own, last, next })}`;
    if (next.night !== dateAfter(last.night)) return say('a date is skipped or repeated');
    if (next.dueAt <= last.dueAt) return say('not later than the night before');
    if (step % 4 === 0 && nextNight(own, last.dueAt).night !== next.night) return say('another next by its moment');
    last = next;
  }
  return undefined;
}

describe('nights', () => {
  test('come once a date, each later than the one before, in every zone and around every change of its clocks', () => {
    /** Zones that change their clocks alike on the same date are all told by the first of them. */
    const walked = new Set<string>();
    for (const zone of zones) {
      expect(walk(plan({ zone }), new Date(Date.UTC(2026, 0, 1)), 1)).toBeUndefined();
      const name = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
      const offset = (at: number) => name.format(at).split(' ')[1];
      let before = offset(Date.UTC(2000, 0, 1));
      for (let at = Date.UTC(2000, 0, 1); at < Date.UTC(2041, 0, 1); at += 20 * dayMs) {
        const after = offset(at + 20 * dayMs);
        if (after === before) continue;
        let change = at + dayMs;
        let changed = offset(change);
        for (; changed === before; changed = offset(change)) change += dayMs;
        const alike = [change, before, changed].join();
        before = after;
        if (walked.has(alike)) continue;
        walked.add(alike);
        expect(walk(plan({ zone }), new Date(change - dayMs), 3)).toBeUndefined();
      }
    }
  });

  const time = fc
    .integer({ min: 1, max: 1439 })
    .map((minutes) => new Date(minutes * 60_000).toISOString().slice(11, 16));

  test('come once a date for any plan, window and moment', () => {
    fc.assert(
      fc.property(
        fc.record({ id: fc.uuid(), zone: fc.constantFrom(...zones), windowStart: time, windowEnd: time }),
        fc.date({ min: new Date('2000-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        (own, from) => {
          expect(walk(own, from, 20)).toBeUndefined();
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('are due inside the window, reckoned in elapsed minutes', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.constantFrom(...zones),
        fc.date({ min: new Date('2000-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        (id, zone, from) => {
          const { night, dueAt } = nextNight(plan({ id, zone }), from);
          const edge = (local: string) => nextNight(first({ zone, windowStart: local }), dateBefore(night)).dueAt;
          expect(dueAt >= edge('01:00') && dueAt < edge('05:00')).toBe(true);
          expect(dueAt.getTime() % 60_000).toBe(edge('01:00').getTime() % 60_000);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('spread over the window by the id of the plan, in the order of ids, so that plans of a minute lie side by side in indexes', () => {
    const ids = Array.from({ length: 2_000 }, () => randomUUID()).toSorted();
    const minutes = ids.map((id) => {
      const { dueAt } = nextNight(plan({ id, zone: 'UTC' }), '2026-01-01');
      return (dueAt.getTime() - Date.parse('2026-01-02T01:00Z')) / 60_000;
    });
    const quarters = [0, 1, 2, 3].map((quarter) => minutes.filter((each) => Math.floor(each / 60) === quarter).length);
    expect(Math.min(...quarters)).toBeGreaterThan(400);
    expect(new Set(minutes).size).toBeGreaterThan(230);
    expect(minutes.toSorted((one, other) => one - other)).toEqual(minutes);
  });

  test.each([
    ['in a gap at the first moment after', 'Europe/Berlin', '02:30', '2026-03-29', '2026-03-29T01:00:00.000Z'],
    ['in an overlap at the first of both', 'Europe/Berlin', '02:30', '2026-10-25', '2026-10-25T00:30:00.000Z'],
    ['in a gap at midnight', 'America/Santiago', '00:10', '2026-09-06', '2026-09-06T04:00:00.000Z'],
    ['on half hours', 'Australia/Lord_Howe', '02:10', '2026-10-04', '2026-10-03T15:30:00.000Z'],
    ['on a date that Samoa left out', 'Pacific/Apia', '01:00', '2011-12-30', '2011-12-30T10:00:00.000Z'],
    ['on quarter hours', 'Asia/Kathmandu', '01:00', '2026-01-02', '2026-01-01T19:15:00.000Z'],
  ])('start %s', (_what, zone, windowStart, night, dueAt) => {
    expect(nextNight(first({ zone, windowStart }), dateBefore(night)).dueAt.toISOString()).toBe(dueAt);
  });

  test('count for the date on which a window over midnight starts', () => {
    const late = plan({ zone: 'UTC', windowStart: '23:00', windowEnd: '03:00' });
    const { night, dueAt } = nextNight(late, new Date('2026-05-01T12:00Z'));
    expect(night).toBe('2026-05-01');
    expect(dueAt.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-05-01T23:00Z'));
    expect(nextNight(late, dueAt).night).toBe('2026-05-02');
    expect(nextNight(late, new Date(dueAt.getTime() - 1))).toEqual({ night, dueAt });
  });

  test('that were missed are caught up by the latest of them', () => {
    const { window, next } = turnOver({ ...plan(), nextNight: '2026-05-01' }, new Date('2026-05-09T12:00Z'));
    expect([window.night, next.night]).toEqual(['2026-05-09', '2026-05-10']);
  });

  test('go on after the one waited for, also where the window moved to later meanwhile', () => {
    const moved = { ...plan({ windowStart: '22:00', windowEnd: '23:00' }), nextNight: '2026-05-09' };
    const { window, next } = turnOver(moved, new Date('2026-05-09T12:00Z'));
    expect([window.night, next.night]).toEqual(['2026-05-09', '2026-05-10']);
    expect(window.end.getTime() - window.start.getTime()).toBe(60 * 60_000);
  });
});

describe('the night of all plans', () => {
  const hours = (windowStart: string, windowEnd: string, zone = 'UTC') => ({ windowStart, windowEnd, zone });
  const nights = (all: readonly ReturnType<typeof hours>[], at: string, zone = 'UTC') =>
    (['start', 'end'] as const).map((bound) => {
      const { night, start, end } = latestNightOfAll(all, zone, new Date(at), bound);
      return [night.slice(5), start.toISOString().slice(5, 16), end.toISOString().slice(5, 16)];
    });

  test('is that of one window where all have the same hours', () => {
    const one = [hours('01:00', '05:00', 'Europe/Berlin')];
    const [first, second] = ['05-04T23:00', '05-05T23:00'];
    expect(nights(one, '2026-05-05T02:59:59Z', 'Europe/Berlin')).toEqual([
      ['05-05', first, '05-05T03:00'],
      ['05-04', '05-03T23:00', '05-04T03:00'],
    ]);
    expect(nights(one, '2026-05-05T03:00:00Z', 'Europe/Berlin')).toEqual(
      Array(2).fill(['05-05', first, '05-05T03:00']),
    );
    expect(nights(one, '2026-05-05T23:00:00Z', 'Europe/Berlin')[0]).toEqual(['05-06', second, '05-06T03:00']);
  });

  test('begins with the first of their windows and is over with the last, whatever their zones', () => {
    const all = [hours('01:00', '05:00'), hours('22:00', '23:00'), hours('01:00', '05:00', 'America/New_York')];
    const night = ['05-05', '05-04T22:00', '05-05T09:00'];
    expect(nights(all, '2026-05-05T08:59:59Z')).toEqual([night, ['05-04', '05-03T22:00', '05-04T09:00']]);
    expect(nights(all, '2026-05-05T09:00:00Z')).toEqual([night, night]);
    expect(nights(all, '2026-05-05T21:59:59Z')).toEqual([night, night]);
    expect(nights(all, '2026-05-05T22:00:00Z')[0]?.[0]).toBe('05-06');
  });

  test('has one window of each, and comes once a date, in every zone', () => {
    const time = fc.constantFrom('00:00', '05:00', '11:59', '12:00', '12:01', '23:59');
    const one = fc.record({ zone: fc.constantFrom(...zones), windowStart: time, windowEnd: time });
    const at = fc.date({ min: new Date('2012-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), fc.constantFrom(...zones), at, (all, zone, at) => {
        const over = latestNightOfAll(all, zone, at, 'end');
        expect(over.start <= over.end && over.end <= at).toBe(true);
        expect(latestNightOfAll(all, zone, over.start, 'start')).toEqual(over);
        const begun = latestNightOfAll(all, zone, at, 'start');
        expect(begun.night >= over.night && begun.start <= at).toBe(true);
        expect(at.getTime() - begun.start.getTime()).toBeLessThan(49 * hourMs);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the last window', () => {
  const moment = fc.date({ min: new Date('2012-01-01'), max: new Date('2040-01-01'), noInvalidDate: true });
  const zone = fc.constantFrom(...zones);

  test('is over, holds its night, and comes once a date, in every zone and for every window', () => {
    const hours = fc.constantFrom('00:00', '01:00', '05:00', '12:30', '22:00', '23:59');
    fc.assert(
      fc.property(zone, hours, hours, moment, (zone, windowStart, windowEnd, at) => {
        const own = plan({ zone, windowStart, windowEnd });
        const { night, start, end } = lastWindow(own, at);
        expect(start < end && end <= at).toBe(true);
        const { dueAt } = nextNight(own, dateBefore(night));
        expect(start <= dueAt && dueAt < end).toBe(true);
        expect(lastWindow(own, end).night).toBe(night);
        const before = lastWindow(own, new Date(end.getTime() - 1));
        expect(before.night).toBe(dateBefore(night));
        expect(at.getTime() - end.getTime()).toBeLessThan(25 * hourMs + 1);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['Europe/Berlin', '02:00', '03:00', '2026-03-29', '01:00', '02:00'],
    ['Europe/London', '01:10', '01:50', '2026-03-29', '01:00', '01:40'],
    ['America/Havana', '00:00', '01:00', '2026-03-08', '05:00', '06:00'],
  ])('of hours that clocks leave out is as long as ever, right after them: %s', (...row) => {
    const [zone, windowStart, windowEnd, night, from, until] = row;
    const own = plan({ zone, windowStart, windowEnd });
    const window = { night, start: new Date(`${night}T${from}Z`), end: new Date(`${night}T${until}Z`) };
    expect(lastWindow(own, window.end)).toEqual(window);
    const { dueAt } = nextNight(own, dateBefore(night));
    expect(window.start <= dueAt && dueAt < window.end).toBe(true);
    expect(lastWindow(own, dueAt).night).toBe(dateBefore(night));
  });

  test.each([
    ['zone', { zone: 'Mars/Olympus' }, { zone: 'UTC' }],
    ['zone of many characters', { zone: 'x'.repeat(1e6) }, { zone: 'UTC' }],
    ['beginning', { windowStart: '24:00' }, { windowStart: '00:00' }],
    ['end', { windowEnd: '5' }, { windowEnd: '00:00' }],
  ])('of no %s that is known is reckoned all the same', (_, odd, same) => {
    const at = new Date('2026-11-14T12:00:00Z');
    expect(nextNight(plan(odd), at)).toEqual(nextNight(plan(same), at));
    for (const nextNight of ['', 'x', '+010000-01-01', '2026-13-41'])
      expect(turnOver({ ...plan(odd), nextNight }, at)).toEqual(
        turnOver({ ...plan(same), nextNight: '2026-11-01' }, at),
      );
  });

  test('of a zone that is not known any more is that of UTC', () => {
    const at = new Date('2026-05-01T05:00Z');
    expect(lastWindow(plan({ zone: 'Mars/Olympus' }), at)).toEqual(lastWindow(plan({ zone: 'UTC' }), at));
  });
});

test('a zone is one that Intl knows', () => {
  expect(['UTC', 'Europe/Berlin', 'Etc/UTC', 'Mars/Olympus', ''].map(isValidZone)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test('the date depends on the zone', () => {
  const at = new Date('2026-05-01T23:30Z');
  expect([dateIn('UTC', at), dateIn('Asia/Tokyo', at)]).toEqual(['2026-05-01', '2026-05-02']);
});

function dateBefore(date: string): string {
  return new Date(Date.parse(date) - dayMs).toISOString().slice(0, 10);
}

test('zones that are written in ever other ways take no more and more memory', () => {
  const { DateTimeFormat } = Intl;
  let made = 0;
  Intl.DateTimeFormat = new Proxy(DateTimeFormat, {
    construct(target, given) {
      made++;
      return Reflect.construct(target, given);
    },
  });
  try {
    const name = 'america/indiana/indianapolis';
    const spelled = (number: number) =>
      name.replace(/[a-z]/g, (letter, at: number) => ((number >> (at % 13)) & 1 ? letter.toUpperCase() : letter));
    for (let number = 0; number < 2_500; number++) expect(isValidZone(spelled(number))).toBe(true);
    const before = made;
    for (let number = 0; number < 2_500; number++) isValidZone(spelled(number));
    expect(made - before).toBeGreaterThan(1_000);
  } finally {
    Intl.DateTimeFormat = DateTimeFormat;
  }
});

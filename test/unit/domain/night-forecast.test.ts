import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BusyHours, busiestHours, forecastNight, type PlansAlike } from '../../../src/domain/night-forecast.ts';
import { type NightPlan, nextNight } from '../../../src/domain/nights.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { nextWindow } from '../../support/fixtures/next-window.ts';

const from = new Date('2026-05-05T01:00:00Z');
const ahead = {
  hours: { from, to: new Date(from.getTime() + 4 * hourMs), plans: 720_000 },
  rate: { count: 50, spanMs: 1_000 },
  refreshesEach: 1,
  typicalMs: 1_000,
  places: 64,
};

describe('whether the window holds the night that comes', () => {
  test('is up to the provider where it may be asked less often than workers could', () => {
    const forecast = forecastNight(ahead);
    expect(forecast).toMatchObject({
      ...ahead.hours,
      neededMs: 4 * hourMs,
      by: 'provider',
      holds: true,
      windowMs: 4 * hourMs,
    });
    expect(forecast?.workersMs).toBe((720_000 * 1_000) / 64);
    const oneMore = { ...ahead.hours, plans: 720_001 };
    expect(forecastNight({ ...ahead, hours: oneMore })).toMatchObject({ by: 'provider', holds: false });
    expect(forecastNight({ ...ahead, refreshesEach: 1.25 })).toMatchObject({ neededMs: 5 * hourMs, holds: false });
  });

  test('is up to the workers where backups take long, or the provider may be asked as often as needed', () => {
    const slow = forecastNight({ ...ahead, typicalMs: 2_000 });
    expect(slow).toMatchObject({ neededMs: 6.25 * hourMs, by: 'workers', holds: false });
    expect(forecastNight({ ...ahead, rate: undefined })).toMatchObject({
      by: 'workers',
      providerMs: null,
      holds: true,
    });
  });

  test('is not said where nobody is to be backed up, or nothing is known', () => {
    expect(forecastNight({ ...ahead, hours: null })).toBeNull();
    expect(forecastNight({ ...ahead, rate: undefined, places: 0 })).toBeNull();
    expect(forecastNight({ ...ahead, rate: undefined, typicalMs: null })).toBeNull();
    expect(forecastNight({ ...ahead, typicalMs: null })).toMatchObject({ by: 'provider', workersMs: null });
  });
});

const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60) % 24).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const hours = (zone: string, opens: number, minutes: number) => ({
  zone,
  windowStart: clock(opens),
  windowEnd: clock(opens + minutes),
});
/** So many plans, whose ids spread them evenly over their window. */
const plansOf = (count: number, own: Omit<NightPlan, 'id'>): NightPlan[] =>
  Array.from({ length: count }, (_, place) => ({
    ...own,
    id: `${Math.floor(((place + 0.5) / count) * 2 ** 32)
      .toString(16)
      .padStart(8, '0')}-0000-4000-8000-000000000000`,
  }));

/** As the table counts them once the planner was there. */
function alikeAt(plans: readonly NightPlan[], at: Date): PlansAlike[] {
  const counts = new Map<string, PlansAlike>();
  for (const { id, ...own } of plans) {
    const nextOne = nextNight({ ...own, id }, at).night;
    const key = JSON.stringify([own, nextOne]);
    const plans = (counts.get(key)?.plans ?? 0) + 1;
    counts.set(key, { ...own, nextNight: nextOne, plans });
  }
  return [...counts.values()];
}

const evenings = [
  // Berlin's clocks are set forward, and back; and a day of none.
  ...['2026-03-28T18:00:00Z', '2026-10-24T18:00:00Z', '2026-05-04T18:00:00Z'],
  // Noon, the minute before, a minute of the night, and a leap day.
  ...['2026-05-04T10:00:00Z', '2026-05-04T09:59:00Z', '2026-05-04T01:30:00Z', '2028-02-29T23:59:30Z'],
].map((text) => new Date(text));

describe('the busiest hours', () => {
  test('are the next window with all plans, whenever it opens and however long it is, up to a whole day', () => {
    for (const at of evenings)
      for (let opens = 0; opens < 1_440; opens += 23)
        for (const minutes of [60, 61, 240, 719, 720, 721, 1_080, 1_430, 1_439, 1_440]) {
          const own = hours('Europe/Berlin', opens, minutes);
          const { start, end } = nextWindow(own, at);
          const found = busiestHours(alikeAt(plansOf(12, own), at), at);
          const say = `${at.toISOString()} ${own.windowStart}-${own.windowEnd}`;
          expect([say, found]).toEqual([say, { from: start, to: end, plans: 12 }]);
          expect(found && found.from > at && found.from.getTime() <= at.getTime() + 25 * hourMs).toBe(true);
        }
  }, 60_000);

  test('have the plans of a window that is over noon, or open all day, whether they are still due in the one before or not', () => {
    for (const [opens, minutes] of [
      [720, 1_440],
      [600, 240],
      [1_439, 1_439],
    ] as const)
      for (let passed = 0; passed < 1_440; passed += 15) {
        const at = new Date(Date.parse('2026-05-04T00:00:00Z') + passed * 60_000);
        const own = hours('UTC', opens, minutes);
        const groups = alikeAt(plansOf(96, own), at);
        expect(busiestHours(groups, at)).toMatchObject({ plans: 96, from: nextWindow(own, at).start });
      }
  });

  test('are as long as the window is in the night in which clocks change', () => {
    const own = hours('Europe/Berlin', 60, 240);
    for (const [text, length] of [
      ['2026-03-28T18:00:00Z', 3],
      ['2026-10-24T18:00:00Z', 5],
      ['2026-10-25T18:00:00Z', 4],
    ] as const) {
      const at = new Date(text);
      const found = busiestHours([{ ...own, nextNight: '2026-01-01', plans: 400 }], at);
      expect(found && found.to.getTime() - found.from.getTime()).toBe(length * hourMs);
    }
  });

  test('count who is due in them of other zones and other hours, and are those of the most crowded window', () => {
    const at = new Date('2026-05-04T18:00:00Z');
    const berlin = { ...hours('Europe/Berlin', 60, 240), nextNight: '2026-05-05', plans: 400 };
    const london = { ...hours('Europe/London', 60, 240), nextNight: '2026-05-05', plans: 100 };
    const tokyo = { ...hours('Asia/Tokyo', 60, 240), nextNight: '2026-05-06', plans: 399 };
    const tonight = { from: new Date('2026-05-04T23:00:00Z'), to: new Date('2026-05-05T03:00:00Z') };
    expect(busiestHours([tokyo, berlin], at)).toEqual({ ...tonight, plans: 400 });
    // Three quarters of them, who are due in these hours too.
    expect(busiestHours([tokyo, london, berlin], at)).toEqual({ ...tonight, plans: 475 });
    expect(busiestHours([{ ...tokyo, plans: 500 }, london, berlin], at)).toMatchObject({ plans: 500 });
    // An hour that a fifth chose, in the middle of the others'.
    const chosen = { ...hours('Europe/Berlin', 120, 60), nextNight: '2026-05-05', plans: 100 };
    expect(busiestHours([berlin, chosen], at)).toEqual({
      from: new Date('2026-05-05T00:00:00Z'),
      to: new Date('2026-05-05T01:00:00Z'),
      plans: 200,
    });
  });

  test('leave out who has had the night already, and hold nothing where there is nobody', () => {
    const at = new Date('2026-05-04T18:00:00Z');
    const own = hours('UTC', 1_320, 240);
    const groups = [
      { ...own, nextNight: '2026-05-04', plans: 30 },
      { ...own, nextNight: '2026-05-05', plans: 10 },
    ];
    // All are due in the night after, of which those that wait for it know.
    expect(busiestHours(groups, at)).toMatchObject({ from: new Date('2026-05-05T22:00:00Z'), plans: 40 });
    expect(busiestHours(groups.slice(0, 1), at)).toMatchObject({ from: new Date('2026-05-04T22:00:00Z'), plans: 30 });
    expect(busiestHours([], at)).toBeNull();
  });

  test('count paused plans whose pause is over once the next window opens, and no others', () => {
    const at = new Date('2026-05-04T18:00:00Z');
    const own = { ...hours('UTC', 1_320, 240), nextNight: '2026-04-01', plans: 30 };
    const until = (text: string) => [own, { ...own, plans: 10, pausedUntil: new Date(text) }];
    expect(busiestHours(until('2026-05-04T22:00:00Z'), at)?.plans).toBe(40);
    expect(busiestHours(until('2026-05-04T22:00:01Z'), at)?.plans).toBe(30);
    expect(busiestHours(until('2026-06-04T22:00:00Z').slice(1), at)).toBeNull();
  });

  test('are found where a zone skips a whole date, or is not known', () => {
    const samoa = { ...hours('Pacific/Apia', 60, 240), nextNight: '2011-12-29', plans: 9 };
    for (let at = Date.parse('2011-12-28T00:00:00Z'); at < Date.parse('2012-01-01T00:00:00Z'); at += hourMs) {
      const found = busiestHours([samoa], new Date(at));
      expect(found && found.to > found.from).toBe(true);
      expect(found?.plans).toBe(9);
    }
    const at = new Date('2026-05-04T18:00:00Z');
    const plans = { nextNight: '2026-05-04', plans: 3 };
    expect(busiestHours([{ ...hours('Mars/Olympus', 60, 240), ...plans }], at)).toEqual(
      busiestHours([{ ...hours('UTC', 60, 240), ...plans }], at),
    );
  });

  const group = fc.record({
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Chatham', 'Asia/Tokyo'),
    opens: fc.integer({ min: 0, max: 1_439 }),
    minutes: fc.integer({ min: 60, max: 1_440 }),
    count: fc.integer({ min: 40, max: 400 }),
  });
  const moment = fc
    .constantFrom('2026-03-28T12:00:00Z', '2026-10-24T12:00:00Z', '2026-11-01T00:00:00Z', '2026-07-01T00:00:00Z')
    .chain((text) =>
      fc.integer({ min: 0, max: 1_439 }).map((minutes) => new Date(Date.parse(text) + minutes * 60_000)),
    );

  test('hold as many plans as become due in them one by one, and no hours with a whole window in them hold more for their length', () => {
    const property = fc.property(fc.array(group, { minLength: 1, maxLength: 4 }), moment, (groups, at) => {
      const plans = groups.flatMap(({ zone, opens, minutes, count }) => plansOf(count, hours(zone, opens, minutes)));
      const found = busiestHours(alikeAt(plans, at), at);
      if (found === null) throw new Error('There are plans.');
      const due = plans.flatMap((plan) => dueMoments(plan, at));
      const windows = groups.map(({ zone, opens, minutes }) => nextWindow(hours(zone, opens, minutes), at));
      const within = ({ from, to }: Pick<BusyHours, 'from' | 'to'>) =>
        due.filter((moment) => moment >= from.getTime() && moment < to.getTime()).length;
      // Of each group and window one more or less: places are whole minutes.
      const slack = 4 * groups.length + plans.length * 0.02;
      expect(Math.abs(within(found) - found.plans)).toBeLessThanOrEqual(slack);
      const perMs = found.plans / (found.to.getTime() - found.from.getTime());
      for (const { start } of windows)
        for (const { end } of windows) {
          if (!windows.some((one) => one.start >= start && one.end <= end)) continue;
          const there = (within({ from: start, to: end }) - slack) / (end.getTime() - start.getTime());
          expect(there).toBeLessThanOrEqual(perMs * 1.001);
        }
    });
    fc.assert(property, { numRuns: 150 });
  });
});

/** When a plan becomes due in the days that follow. */
function dueMoments(plan: NightPlan, at: Date): number[] {
  const moments: number[] = [];
  let next = nextNight(plan, at);
  while (next.dueAt.getTime() < at.getTime() + 3 * dayMs) {
    moments.push(next.dueAt.getTime());
    next = nextNight(plan, next.night);
  }
  return moments;
}

import { describe, expect, it } from 'vitest';
import { lengthOfTurn, placesAfterTurn, turnAfterWork, turnOf, turnOfNight } from '../../../src/domain/turns.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';

const at = (ms: number) => new Date(Date.parse('2026-05-01T00:00:00Z') + ms);

describe('the turn of a run', () => {
  it('of the night, or of a new consent, comes when it is due', () => {
    expect(turnOf({ trigger: 'schedule', dueAt: at(0) })).toEqual(at(0));
    expect(turnOf({ trigger: 'consent', dueAt: at(0) })).toEqual(at(0));
  });

  it('that its person asks for comes after every night that is due within a day, and then before those due later', () => {
    const asked = turnOf({ trigger: 'person', dueAt: at(0) });
    expect(asked > turnOf({ trigger: 'schedule', dueAt: at(dayMs - 1) })).toBe(true);
    expect(asked < turnOf({ trigger: 'schedule', dueAt: at(dayMs + 1) })).toBe(true);
  });

  it('that an operator asks for comes before all that wait', () => {
    expect(
      turnOf({ trigger: 'operator', dueAt: at(12 * hourMs) }) < turnOf({ trigger: 'schedule', dueAt: at(0) }),
    ).toBe(true);
  });
});

describe('the turn of a night', () => {
  const night = (latelyMs: number) => turnOfNight({ dueAt: at(0), lengthMs: 60_000, latelyMs });

  it('comes when it is due, or later where one of the last nights had a worker for about as long as a turn, or longer', () => {
    expect([night(0), night(54_000)]).toEqual([at(0), at(0)]);
    expect([night(55_000), night(61_000)]).toEqual([at(495_000), at(549_000)]);
  });
});

describe('a turn', () => {
  const length = (usualMs: number | null) => lengthOfTurn({ usualMs, turnMs: 60_000 });

  it('is an eighth longer than is usual, within its limits, and as long as it may be where nothing is known', () => {
    expect([length(10_000), length(90_000), length(0), length(null)]).toEqual([11_250, 60_000, 2_000, 60_000]);
  });

  it('leaves a quarter of the places to those who have had none', () => {
    expect([1, 2, 4, 5, 16].map(placesAfterTurn)).toEqual([1, 1, 3, 3, 12]);
  });
});

describe('the turn of a run that had a worker', () => {
  const later = (workedMs: number, others: number, trigger = 'schedule') =>
    turnAfterWork({ trigger, dueAt: at(0), workedMs, others }).getTime() - at(0).getTime();

  it('comes later the longer it had one, and the more of these there are, but within two hours', () => {
    expect([later(0, 5), later(60_000, 0), later(60_000, 9), later(hourMs, 9)]).toEqual([
      0,
      540_000,
      5_400_000,
      2 * hourMs,
    ]);
  });

  it('comes after its work may go on, whoever asked for it', () => {
    expect(later(60_000, 0, 'operator')).toBe(540_000);
    expect(later(60_000, 0, 'person')).toBe(dayMs + 540_000);
  });

  it.each([1, 3, 10])(
    'leaves nine tenths of a slot to others, though %d of them take every turn that comes',
    (count) => {
      const turns = Array<number>(count).fill(0);
      let now = 0;
      let worked = 0;
      const stint = 10_000;
      while (now < 2 * hourMs) {
        const [next] = turns.map((turn, who) => ({ turn, who })).sort((a, b) => a.turn - b.turn);
        if (next === undefined) break;
        now = Math.max(now, next.turn) + stint;
        worked += stint;
        turns[next.who] = turnAfterWork({
          trigger: 'schedule',
          dueAt: new Date(now),
          workedMs: stint,
          others: count - 1,
        }).getTime();
      }
      expect(worked / now).toBeLessThan(0.15);
      expect(worked / now).toBeGreaterThan(0.05);
    },
  );
});

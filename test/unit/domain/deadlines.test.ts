import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Deadlines, deadlinesAfter, warningDue } from '../../../src/domain/deadlines.ts';
import { dayMs } from '../../../src/durations.ts';

const second = 1_000;
const start = Date.parse('2026-03-01T02:00:00Z');
const at = (ms: number) => new Date(start + ms);
const inDays = (date: Date | null) => date && (date.getTime() - start) / dayMs;
const settings = { offlineIdleMs: 30 * dayMs };
const consent = { consentedAt: at(0), idleSeconds: null, maxDeadline: null };
const opaque = (ms: number) => ({ issuedAt: at(ms), endsAt: null });

describe('deadlines', () => {
  test('come from the settings where tokens have no end, and keep-alive comes at a quarter', () => {
    const found = deadlinesAfter(consent, opaque(0), at(0), settings);
    expect([inDays(found.idleDeadline), found.maxDeadline, inDays(found.nextExchangeAt)]).toEqual([30, null, 7.5]);
    const limited = deadlinesAfter(consent, opaque(0), at(0), { ...settings, offlineMaxMs: 60 * dayMs });
    expect(inDays(limited.maxDeadline)).toBe(60);
  });

  /** A realm that limits the maximum: exp = min(iat + idle, start + max), exchanged at each quarter. */
  function live(idleMs: number, maxMs: number, windows = settings) {
    const endOf = (ms: number) => at(Math.min(ms + idleMs, maxMs));
    let known: Deadlines = deadlinesAfter(consent, { issuedAt: at(0), endsAt: endOf(0) }, at(0), windows);
    let previous = { issuedAt: at(0), endsAt: endOf(0) };
    const story = [known];
    for (let now = known.nextExchangeAt.getTime() - start; now < maxMs - 3 * second; ) {
      const token = { issuedAt: at(now), endsAt: endOf(now) };
      known = deadlinesAfter({ consentedAt: at(0), ...known, previous }, token, at(now), windows);
      previous = token;
      story.push(known);
      now = Math.max(known.nextExchangeAt.getTime() - start, now + 3 * second);
    }
    return story;
  }

  test('learn the maximum of a realm from tokens whose end stands still', () => {
    const story = live(30 * dayMs, 60 * dayMs);
    expect(story[0]?.maxDeadline).toBeNull();
    expect(inDays(story.at(-1)?.maxDeadline ?? null)).toBe(60);
    expect(story.at(-1)?.idleSeconds).toBe((30 * dayMs) / second);
  });

  test('learn an idle window that is shorter than the settings say', () => {
    const [first, next] = live(10 * dayMs, 60 * dayMs);
    expect([inDays(first?.idleDeadline ?? null), inDays(first?.nextExchangeAt ?? null)]).toEqual([10, 2.5]);
    expect(next).toMatchObject({ maxDeadline: null, idleSeconds: (10 * dayMs) / second });
  });

  test('take for no shorter idle window what a maximum leaves of it', () => {
    const known = {
      ...consent,
      idleSeconds: (30 * dayMs) / second,
      previous: { issuedAt: at(29.5 * dayMs), endsAt: at(59.5 * dayMs) },
    };
    const token = { issuedAt: at(30.5 * dayMs), endsAt: at(60 * dayMs) };
    expect(deadlinesAfter(known, token, at(30.5 * dayMs), settings).idleSeconds).toBe((30 * dayMs) / second);
    const raised = { issuedAt: at(30.5 * dayMs), endsAt: at(75.5 * dayMs) };
    expect(deadlinesAfter(known, raised, at(30.5 * dayMs), settings).idleSeconds).toBe((45 * dayMs) / second);
  });

  test('learn from the token after an end that moved back whether the idle window or the maximum was lowered', () => {
    const previous = { issuedAt: at(0), endsAt: at(30 * dayMs) };
    const known = { ...consent, idleSeconds: (30 * dayMs) / second, maxDeadline: at(300 * dayMs) };
    const token = { issuedAt: at(dayMs), endsAt: at(8 * dayMs) };
    const found = deadlinesAfter({ ...known, previous }, token, at(dayMs), settings);
    const { idleDeadline, maxDeadline, nextExchangeAt } = found;
    expect([idleDeadline, maxDeadline, nextExchangeAt].map(inDays)).toEqual([8, 300, 2.75]);

    const following = (endsAt: Date) => {
      const next = { issuedAt: at(2 * dayMs), endsAt };
      const learned = deadlinesAfter({ consentedAt: at(0), ...found, previous: token }, next, at(2 * dayMs), settings);
      return [learned.maxDeadline, learned.idleDeadline]
        .map(inDays)
        .concat(((learned.idleSeconds ?? 0) * second) / dayMs);
    };
    expect(following(at(9 * dayMs))).toEqual([300, 9, 7]);
    expect(following(at(8 * dayMs))).toEqual([8, 8, 30]);
  });

  test('take a maximum that ends the first tokens for no idle window, once it is known for one', () => {
    const [first, ...later] = live(30 * dayMs, 3 * dayMs);
    expect(first?.idleSeconds).toBe((3 * dayMs) / second);
    expect(later.length).toBeGreaterThan(0);
    for (const { idleSeconds, maxDeadline } of later) expect([idleSeconds, inDays(maxDeadline)]).toEqual([null, 3]);
  });

  test('learn no maximum from tokens that do not say when they were issued', () => {
    const endsAt = at(30 * dayMs);
    const unissued = { issuedAt: null, endsAt };
    for (const [previous, token] of [
      [unissued, { issuedAt: at(dayMs), endsAt }],
      [{ issuedAt: at(0), endsAt }, unissued],
    ] as const)
      expect(deadlinesAfter({ ...consent, previous }, token, at(dayMs), settings).maxDeadline).toBeNull();
  });

  test('forget a maximum that a token outlives', () => {
    const known = { ...consent, maxDeadline: at(40 * dayMs), previous: { issuedAt: at(0), endsAt: at(30 * dayMs) } };
    const token = { issuedAt: at(20 * dayMs), endsAt: at(50 * dayMs) };
    expect(deadlinesAfter(known, token, at(20 * dayMs), settings).maxDeadline).toBeNull();
  });

  test('never lie after the token’s end or the settings, whatever the realm', () => {
    const windows = fc.tuple(fc.integer({ min: 60, max: 5_000_000 }), fc.double({ min: 0.2, max: 20, noNaN: true }));
    fc.assert(
      fc.property(windows, ([idle, times]) => {
        const max = Math.max(30, Math.round(idle * times));
        for (const { idleDeadline, nextExchangeAt, maxDeadline } of live(idle * second, max * second)) {
          expect(idleDeadline.getTime() - start).toBeLessThanOrEqual(max * second);
          expect(nextExchangeAt.getTime()).toBeLessThanOrEqual(idleDeadline.getTime());
          expect(maxDeadline === null || Math.abs(maxDeadline.getTime() - start - max * second) < 3 * second).toBe(
            true,
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});

test.each([
  [15, null, undefined],
  [13.9, null, 14],
  [13.9, 14, undefined],
  [6, 14, 7],
  [6, null, 7],
  [2, 7, 2],
  [2.01, 7, undefined],
  [0.5, 7, 2],
  [0.5, 2, undefined],
  // Warned by an older version a day before.
  [0.5, 1, undefined],
  [-0.1, null, undefined],
] as const)('%s days before the maximum, warned at %s, the warning %s is due', (left, warned, due) => {
  expect(warningDue(at(left * dayMs), at(0), warned)).toBe(due);
});

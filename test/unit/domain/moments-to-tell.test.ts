import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProtectionFacts } from '../../../src/domain/protection-facts.ts';
import { dayMs, minuteMs } from '../../../src/durations.ts';
import { base, madeUpFacts, moments, toldAt, undisturbedFacts } from '../../support/fixtures/made-up-facts.ts';
import { momentsToTell } from '../../support/fixtures/moments-to-tell.ts';

describe('while the facts of a person stay as they are', () => {
  test('nothing new is told of between two of the moments at which time alone brings something', () => {
    const came = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(madeUpFacts, undisturbedFacts), moments(20), moments(20), (known, one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const before = toldAt(known, from);
        const news = toldAt(known, to).filter((key) => !before.includes(key));
        for (const key of news) came.add(key.split('/')[2] ?? '');
        const has = momentsToTell(known).some((at) => at.getTime() > from && at.getTime() <= to);
        return news.length === 0 || has;
      }),
      { numRuns: 8_000 },
    );
    expect([...came]).toEqual(expect.arrayContaining(['consent_ends', 'expired_maximum', 'no_run', 'unverified']));
  });

  test('each kind of moment brings something, and not a moment sooner', () => {
    const now = base;
    const later = (ms: number) => new Date(now + ms);
    const consent = {
      ...{ state: 'active' as const, reason: null, idleDeadline: later(90 * dayMs) },
      ...{ maxDeadline: null, nextExchangeAt: null },
    };
    const hours = { zone: 'UTC', windowStart: '01:00', windowEnd: '05:00' };
    const well: ProtectionFacts = {
      ...{ consent, circuitOpen: false, partial: null, failed: null, underWay: null, workersUntil: null, alarm: null },
      nightPausedAt: null,
      plan: { ...hours, paused: false, pausedUntil: null, nextDueAt: later(90 * dayMs), sources: 1 },
      complete: { id: 'one', endedAt: later(dayMs) },
      verification: null,
    };
    const verification = {
      ...{ since: later(-dayMs), verifiedAt: later(-minuteMs), checkedAt: null, damage: null },
      ...{ damagedSince: null, healedAt: null },
    };
    const news = (known: ProtectionFacts) =>
      momentsToTell(known)
        .map((at) => at.getTime())
        .map((at) => [at, toldAt(known, at).filter((key) => !toldAt(known, at - 1).includes(key)).length]);
    const end = Date.parse('2026-03-29T05:00:00Z');
    expect(news(well)).toEqual([[end, 1]]);
    expect(news({ ...well, verification })).toEqual([
      [now - minuteMs + 3 * dayMs, 1],
      [end, 1],
    ]);
    const maxDeadline = later(20 * dayMs);
    expect(news({ ...well, complete: null, consent: { ...consent, maxDeadline } })).toEqual([
      ...[2, 7, 14].map((days) => [maxDeadline.getTime() - days * dayMs, 1]),
      [maxDeadline.getTime(), 1],
    ]);
  });
});

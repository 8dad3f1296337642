import { describe, expect, test } from 'vitest';
import { applyRule } from '../../../../src/domain/retention/apply-rule.ts';
import { asRule, isEmpty, parseRule, type RetentionRule, ruleText } from '../../../../src/domain/retention/rule.ts';

const now = new Date('2026-11-26T12:00:00Z');
const at = (...times: string[]) => times.map((time) => ({ id: time, time }));

/** What stays, with its reasons. */
function kept(items: ReturnType<typeof at>, rule: RetentionRule): Record<string, readonly string[]> {
  const staying = applyRule(items, rule, now).filter(({ reasons }) => reasons.length > 0);
  return Object.fromEntries(staying.map(({ item, reasons }) => [item.id, reasons]));
}

describe('a retention rule', () => {
  test('keeps the newest of each day of the offset that the snapshot was made in', () => {
    const items = at('2026-11-25T23:30:00-05:00', '2026-11-25T01:00:00-05:00', '2026-11-24T02:00:00-05:00');
    expect(kept(items, { daily: 1 })).toEqual({ '2026-11-25T23:30:00-05:00': ['daily'] });
    expect(kept(items, { daily: 2 })).toEqual({
      '2026-11-25T23:30:00-05:00': ['daily'],
      '2026-11-24T02:00:00-05:00': ['daily'],
    });
  });

  test('counts weeks as ISO 8601 does: the last days of a year may be of the first week of the next', () => {
    const items = at('2025-12-28T02:00:00Z', '2025-12-29T02:00:00Z', '2026-01-04T02:00:00Z', '2026-01-05T02:00:00Z');
    expect(Object.keys(kept(items, { weekly: 2 })).sort()).toEqual(['2026-01-04T02:00:00Z', '2026-01-05T02:00:00Z']);
  });

  test('gives a place that is left to the oldest', () => {
    const items = at('2026-11-25T02:00:00Z', '2026-11-25T01:00:00Z', '2026-11-25T00:30:00Z');
    expect(kept(items, { monthly: 12 })).toEqual({
      '2026-11-25T02:00:00Z': ['monthly'],
      '2026-11-25T00:30:00Z': ['oldest'],
    });
    expect(kept(items.slice(0, 1), { monthly: 12 })).toEqual({ '2026-11-25T02:00:00Z': ['monthly'] });
  });

  test('counts a span back from the newest snapshot that is not of the future', () => {
    const items = at('2099-01-01T00:00:00Z', '2026-03-31T02:00:00Z', '2026-03-04T02:00:00Z', '2026-03-02T02:00:00Z');
    expect(Object.keys(kept(items, parseRule('within=1m')))).toEqual([
      '2099-01-01T00:00:00Z',
      '2026-03-31T02:00:00Z',
      '2026-03-04T02:00:00Z',
    ]);
  });

  test('keeps everything where it asks for nothing', () => {
    const items = at('2026-11-25T02:00:00Z', '2026-11-25T01:00:00Z');
    expect(Object.values(kept(items, parseRule('daily=0')))).toEqual([['everything'], ['everything']]);
    expect(isEmpty({})).toBe(true);
    expect(isEmpty({ tags: ['pinned'] })).toBe(false);
  });

  test('refuses a time that is none', () => {
    expect(() => applyRule(at('yesterday'), { daily: 1 }, now)).toThrow('yesterday is not the time');
  });

  test.each(['all', 'daily=7,weekly=4,monthly=12', 'last=3,yearly=10,within=1y2m14d12h,tag=pinned,tag=a b'])(
    'is written as it is read: %s',
    (text) => {
      expect(ruleText(parseRule(text))).toBe(text);
    },
  );

  test('is read from JSON as it was saved, and what is no rule keeps everything', () => {
    const rule = parseRule('last=3,yearly=10,within=1y2m14d12h,tag=pinned,tag=a b');
    expect(asRule(JSON.parse(JSON.stringify(rule)))).toEqual(rule);
    for (const saved of [null, undefined, 'daily=7', 7, [], {}, { daily: -1, within: { days: '14' }, tags: 'pinned' }])
      expect(isEmpty(asRule(saved))).toBe(true);
    const odd = asRule({ daily: -3, within: { years: -1, days: 10, hours: 'x' } });
    expect(odd).toEqual({ within: { years: 0, months: 0, days: 10, hours: 0 } });
  });

  test.each(['', 'daily', 'daily=-1', 'daily=7;weekly=4', 'nightly=7', 'within=2w', 'within=', 'daily=99999'])(
    'is refused with the cure: %s',
    (text) => {
      expect(() => parseRule(text)).toThrow(/write it as daily=7,weekly=4,monthly=12/);
    },
  );
});

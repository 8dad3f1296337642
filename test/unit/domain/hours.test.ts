import { expect, test } from 'vitest';
import { faultOfHours } from '../../../src/domain/hours.ts';

const judge = (hours: string, allowed?: string, zone = 'Europe/Berlin') => {
  const [windowStart = '', windowEnd = ''] = hours.split('-');
  const [start = '', end = ''] = allowed?.split('-') ?? [];
  return faultOfHours({ windowStart, windowEnd, zone }, allowed === undefined ? undefined : { start, end });
};

test.each(['01:00-05:00', '23:30-00:30', '00:00-23:59', '22:00-04:00'])('%s are hours of nights', (hours) => {
  expect(judge(hours)).toBeUndefined();
});

test.each(['1:00-5:00', '24:00-05:00', '01:60-05:00', '-', '01:00', 'x01:00-05:00'])('%s are none', (hours) => {
  expect(judge(hours)).toBe('unreadable');
});

test('a zone must be one', () => {
  expect(judge('01:00-05:00', undefined, 'Europe/Atlantis')).toBe('unreadable');
  expect(judge('01:00-05:00', undefined, '')).toBe('unreadable');
});

test.each([
  ['01:00-01:59', 'short'],
  ['01:00-01:00', 'short'],
  ['23:59-00:58', 'short'],
  ['01:00-02:00', undefined],
])('there is an hour at least between them: %s', (hours, fault) => {
  expect(judge(hours)).toBe(fault);
});

test.each([
  ['20:00-08:00', undefined],
  ['20:00-21:00', undefined],
  ['23:00-02:00', undefined],
  ['07:00-08:00', undefined],
  ['19:59-21:00', 'outside'],
  ['07:00-08:01', 'outside'],
  ['12:00-14:00', 'outside'],
  ['07:00-21:00', 'outside'],
])('they lie within those that the operator allows, from 20:00 to 08:00: %s', (hours, fault) => {
  expect(judge(hours, '20:00-08:00')).toBe(fault);
});

import { expect, test } from 'vitest';
import { nextLink } from '../../../src/sources/dav/next-link.ts';

test.each([
  ['<?page=2>; rel="next"', '?page=2'],
  ['<?page=2>; rel=next', '?page=2'],
  ['<?page=2>;rel=Next, <?page=9>; rel=last', '?page=2'],
  ['<?page=9>; rel="last", <?page=2>; title="a, b; c"; rel="prefetch  next"', '?page=2'],
  ['<?page=2> ; REL = "next"', '?page=2'],
  ['</a?b=c,d;e>; rel="next"', '/a?b=c,d;e'],
  ['<>; rel="next"', ''],
  ['<?page=9>; rel="last"', undefined],
  ['<?page=2>; rel="nextish"', undefined],
  ['<?page=2>; title="next"', undefined],
  ['?page=2; rel="next"', undefined],
  ['<?page=2; rel="next"', undefined],
  ['<?page=2>; rel="next', undefined],
  ['', undefined],
])('the next page by %j is %j', (header, target) => {
  expect(nextLink(header)).toBe(target);
});

test.each([
  ['relations', `<a>; rel="${' next'.repeat(13_000)}`],
  ['spaces', `<a>; rel="${' '.repeat(65_000)}`],
  ['parameters', `<a>${'; rel'.repeat(13_000)}`],
  ['beginnings of texts', `<a>${'; rel="'.repeat(9_001)}`],
  ['beginnings of targets', '<'.repeat(65_000)],
  ['targets', `${'<a>;rel='.repeat(8_000)}`],
])('a header of 65 KB takes time that grows with its length: %s', (_, header) => {
  const before = process.cpuUsage();
  for (let time = 0; time < 10; time++) nextLink(header);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(500);
});

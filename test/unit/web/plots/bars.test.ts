import { describe, expect, test } from 'vitest';
import { bars, type Part, shareBar, shareBars } from '../../../../src/web/pages/operator/plots.ts';

/** Place and size of each coloured part. */
const rects = (svg: unknown) =>
  [...String(svg).matchAll(/<rect class="(\w+)" x="([^"]*)" y="([^"]*)" width="([^"]*)" height="([^"]*)"/g)].map(
    ([, kind, ...numbers]) => [kind, ...numbers.map(Number)],
  );
const whole = ['rest', 0, 0, 1000, 14];
const parts = (good: number, warn: number, bad: number): Part[] => [
  { count: good, kind: 'good' },
  { count: warn, kind: 'warn' },
  { count: bad, kind: 'bad' },
];

describe('a lying bar', () => {
  test('has its parts beside each other, each as wide as its share, and none of nothing', () => {
    expect(rects(shareBar(parts(5, 0, 3), 'How far'))).toEqual([
      whole,
      ['good', 0, 0, 625, 14],
      ['bad', 625, 0, 375, 14],
    ]);
  });

  test('of nothing is empty', () => {
    expect(rects(shareBar(parts(0, 0, 0), 'How far'))).toEqual([whole]);
    expect(rects(shareBar([], 'How far'))).toEqual([whole]);
  });
});

describe('standing bars', () => {
  const [one, two] = [
    { label: 'one', parts: parts(30, 0, 10) },
    { label: 'two', parts: parts(20, 0, 0) },
  ];

  test('of shares are all of one height, from the bottom up, and stand at the right end of their places', () => {
    expect(rects(shareBars([one, two], 4, 'Nights'))).toEqual([
      ['good', 381.6, 30, 136.8, 90],
      ['bad', 381.6, 0, 136.8, 30],
      ['good', 561.6, 0, 136.8, 120],
    ]);
  });

  test('of counts are as high as what they count, the largest at full height', () => {
    expect(rects(bars([one, two], 'Days'))).toEqual([
      ['good', 43.2, 30, 273.6, 90],
      ['bad', 43.2, 0, 273.6, 30],
      ['good', 403.2, 60, 273.6, 60],
    ]);
  });

  test('show what is there however small its share is, and nothing where nothing is', () => {
    const [, small] = rects(shareBars([{ label: 'a night', parts: parts(100_000, 1, 0) }], 1, 'Nights'));
    expect(small).toEqual(['warn', 86.4, 0, 547.2, 3]);
    expect(rects(bars([{ label: 'a day', parts: parts(0, 0, 0) }], 'Days'))).toEqual([]);
    expect(rects(bars([], 'Days'))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { addDays } from '../../../../src/domain/nights.ts';
import { firstNightOf, heatMap } from '../../../../src/web/plots/heat-map.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const weekdays = ['Mon', 'Wed', 'Fri'];
const drawn = (until: string, nights: Parameters<typeof heatMap>[0]['nights']) =>
  String(heatMap({ nights, until, label: 'A year', months, weekdays }));
const night = (date: string, label = 'complete') => ({ night: date, shape: 'some', label }) as const;
const placeOf = (svg: string, date: string) => {
  const found = new RegExp(
    `<a href="/nights/${date}"><title>[^<]*</title><use href="#n-\\w+" x="(\\d+)" y="(\\d+)"`,
  ).exec(svg);
  return found?.slice(1).map(Number);
};
const bare = (svg: string) => (/class="bare" d="([^"]*)"/.exec(svg)?.[1]?.match(/M/g) ?? []).length;

describe('a year of nights', () => {
  it.each([
    ['2026-11-26', '2025-11-24'],
    ['2026-11-23', '2025-11-24'],
    ['2026-11-22', '2025-11-17'],
    ['2024-02-29', '2023-02-27'],
    ['2027-01-03', '2025-12-29'],
  ])('that ends on %s begins on the Monday %s', (until, first) => {
    expect(firstNightOf(until)).toBe(first);
    expect(new Date(`${first}T00:00Z`).getUTCDay()).toBe(1);
  });

  it('has a column a week and a row a weekday, and each night with a run is a link', () => {
    const svg = drawn(
      '2026-11-26',
      ['2025-11-24', '2025-11-30', '2026-11-23', '2026-11-26'].map((date) => night(date)),
    );
    const [[x0 = 0, y0 = 0] = [], [x1, y1] = [], [x2, y2] = [], [x3, y3] = []] = [
      placeOf(svg, '2025-11-24'),
      placeOf(svg, '2025-11-30'),
      placeOf(svg, '2026-11-23'),
      placeOf(svg, '2026-11-26'),
    ];
    expect([x1, y1]).toEqual([x0, y0 + 6 * 18]);
    expect([x2, y2]).toEqual([x0 + 52 * 18, y0]);
    expect([x3, y3]).toEqual([x0 + 52 * 18, y0 + 3 * 18]);
  });

  it('shows every other night bare, and none after the last', () => {
    expect(bare(drawn('2026-11-26', []))).toBe(52 * 7 + 4);
    expect(bare(drawn('2026-11-22', []))).toBe(53 * 7);
    expect(bare(drawn('2026-11-26', [night('2026-11-26')]))).toBe(52 * 7 + 3);
  });

  it('counts one day where clocks change, and in leap years', () => {
    const all = Array.from({ length: 371 }, (_, day) => addDays('2023-12-25', day));
    const places = all.map((date) => placeOf(drawn('2024-12-29', [night(date)]), date)?.join());
    expect(new Set(places).size).toBe(371);
  });

  it('names each month once, without one name over another', () => {
    const svg = drawn('2026-11-26', []);
    const names = [...svg.matchAll(/<text x="(\d+)" y="10">(\w+)</g)].map(([, x, name]) => ({ x: Number(x), name }));
    expect(names.map(({ name }) => name)).toEqual([...months.slice(11), ...months.slice(0, 11)]);
    for (const [index, { x }] of names.slice(1).entries())
      expect(x - (names[index]?.x ?? 0)).toBeGreaterThanOrEqual(36);
  });

  it('has no place for markup in labels, and no style of its own', () => {
    const svg = drawn('2026-11-26', [night('2026-11-26', '<b>"')]);
    expect(svg).toContain('<title>&lt;b&gt;&quot;</title>');
    expect(svg).not.toMatch(/\sstyle=/);
  });

  it('stays small for a whole year', () => {
    const all = Array.from({ length: 368 }, (_, day) =>
      night(addDays('2025-11-24', day), 'Thu, 26 Nov 2026: complete, 123 MB new'),
    );
    expect(drawn('2026-11-26', all).length).toBeLessThan(60_000);
  });
});

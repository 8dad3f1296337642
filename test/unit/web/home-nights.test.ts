import { describe, expect, it } from 'vitest';
import type { NightView } from '../../../src/database/nights/night-views.ts';
import { nightsCard, sizeCard, sumsOf } from '../../../src/web/pages/home-nights.ts';
import { texts } from '../../../src/web/texts/en.ts';

const night = (date: string, over: Partial<NightView> = {}): NightView => ({
  night: `2026-05-${date}`,
  state: 'succeeded',
  added: 10,
  total: 1_000,
  kept: true,
  ...over,
});
const [over, today] = ['2026-05-09', '2026-05-10'];
const year = (nights: NightView[]) => ({ texts, nights, today, over });
const shapesOf = (nights: NightView[]) =>
  [...String(nightsCard(year(nights))).matchAll(/<use href="#n-(\w+)" x/g)].map(([, shape]) => shape);

describe('the sum of the nights', () => {
  it('counts each outcome, and nights without a run since the first, the one that is not over not among them', () => {
    const nights = [
      night('03'),
      night('05', { state: 'partial' }),
      night('06', { state: 'failed' }),
      night('10', { state: 'running' }),
    ];
    expect(sumsOf(nights, over)).toEqual({ complete: 1, part: 1, failed: 1, missing: 4 });
    expect(String(nightsCard(year(nights)))).toContain(
      'Since Sun, 3 May 2026: 1 night complete, 1 in part, 1 failed, 4 without a backup.',
    );
  });

  it.each(['cancelled', 'skipped'])('counts a night of which the run was %s as one without a backup', (state) => {
    expect(sumsOf([night('08'), night('09', { state })], over)).toMatchObject({ complete: 1, missing: 1 });
    expect(sumsOf([night('08'), night('10', { state })], over)).toMatchObject({ complete: 1, missing: 1 });
  });

  it('finds none missing on the first day', () => {
    expect(sumsOf([night('10')], over)).toEqual({ complete: 1, part: 0, failed: 0, missing: 0 });
    expect(sumsOf([], over)).toEqual({ complete: 0, part: 0, failed: 0, missing: 0 });
  });
});

describe('the shape of a night', () => {
  it('is another for each outcome', () => {
    const states = ['partial', 'failed', 'running', 'queued', 'cancelled'];
    expect(shapesOf(states.map((state, day) => night(`0${day + 1}`, { state })))).toEqual([
      'part',
      'none',
      'open',
      'open',
      'open',
    ]);
  });

  it('shows complete ones by how much was new, in thirds', () => {
    const added = [0, 1, 2, 3, 40, 50, 600];
    expect(shapesOf(added.map((bytes, day) => night(`0${day + 1}`, { added: bytes })))).toEqual([
      'some',
      'some',
      'some',
      'more',
      'more',
      'most',
      'most',
    ]);
  });

  it('is told in words as well', () => {
    expect(String(nightsCard(year([night('04')])))).toContain('<title>Mon, 4 May 2026: complete, 10 bytes new</title>');
  });
});

describe('the size', () => {
  it('is told in words and as a plot, of the nights that wrote a snapshot', () => {
    const text = String(
      sizeCard(
        year([night('03'), night('04', { state: 'failed', total: null, added: null }), night('05', { total: 2_000 })]),
      ),
    );
    expect(text).toContain('Size of the snapshots: 1.0 KB on Sun, 3 May 2026, 2.0 KB on Tue, 5 May 2026.');
    expect(text).toContain('Your last snapshot holds 2.0 KB. It added 10 bytes to your repository. It was 1.0 KB on');
  });

  it('is that of the newest snapshot that is still there, and of none where none is', () => {
    const gone = { kept: false, total: 9_000 };
    const text = String(sizeCard(year([night('03', gone), night('04', { total: 2_000 }), night('05', gone)])));
    expect(text).toContain('Your last snapshot holds 2.0 KB.');
    expect(text).not.toContain('Tue, 5 May 2026');
    expect(sizeCard(year([night('03', gone)]))).toBe('');
  });

  it('needs no plot for one night, and says nothing where there is none', () => {
    expect(String(sizeCard(year([night('03')])))).not.toContain('<svg');
    expect(sizeCard(year([night('03', { total: null })]))).toBe('');
  });
});

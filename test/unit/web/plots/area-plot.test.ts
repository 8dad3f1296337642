import { describe, expect, it } from 'vitest';
import { areaPlot } from '../../../../src/web/plots/area-plot.ts';

const line = (points: Parameters<typeof areaPlot>[0]) =>
  /plot-line" d="M([^"]*)"/.exec(String(areaPlot(points, 'Size')))?.[1];

describe('a plot', () => {
  it('goes from the left edge to the right one, with zero at the bottom and the largest value at the top', () => {
    expect(
      line([
        { x: 10, y: 0 },
        { x: 15, y: 50 },
        { x: 20, y: 100 },
      ]),
    ).toBe('0 138L240 70L480 2');
  });

  it('keeps distances in time: a gap is as wide as it was long', () => {
    expect(
      line([
        { x: 0, y: 1 },
        { x: 9, y: 1 },
        { x: 10, y: 1 },
      ]),
    ).toBe('0 2L432 2L480 2');
  });

  it('lies at the bottom where all is zero', () => {
    expect(
      line([
        { x: 0, y: 0 },
        { x: 1, y: 0 },
      ]),
    ).toBe('0 138L480 138');
  });

  it('needs two moments', () => {
    expect(areaPlot([], 'Size')).toBe('');
    expect(areaPlot([{ x: 1, y: 2 }], 'Size')).toBe('');
  });

  it('has a text that says the same', () => {
    expect(
      String(
        areaPlot(
          [
            { x: 0, y: 0 },
            { x: 1, y: 0 },
          ],
          'a "b" <c>',
        ),
      ),
    ).toContain('role="img" aria-label="a &quot;b&quot; &lt;c&gt;"');
  });
});

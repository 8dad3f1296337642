import { html } from 'hono/html';
import type { Html } from '../layout.ts';

export interface Point {
  readonly x: number;
  /** Not below 0. */
  readonly y: number;
}

const [width, height] = [480, 140];
/** Room for half of the line's width. */
const edge = 2;

/** A quantity over time as SVG, from zero up, with the largest value at the top. `label` says what it shows. */
export function areaPlot(points: readonly Point[], label: string): Html | '' {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first.x === last.x) return '';
  const top = Math.max(...points.map(({ y }) => y), 1);
  const across = (x: number) => shown(((x - first.x) / (last.x - first.x)) * width);
  const up = (y: number) => shown(height - edge - (y / top) * (height - 2 * edge));
  const line = points.map(({ x, y }) => `${across(x)} ${up(y)}`).join('L');
  return html`<svg class="plot" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">
<path class="plot-area" d="M0 ${height}L${line}L${width} ${height}z"/><path class="plot-line" d="M${line}"/></svg>`;
}

function shown(value: number): string {
  return String(Math.round(value * 10) / 10);
}

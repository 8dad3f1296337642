import { html } from 'hono/html';
import type { Html } from '../../layout.ts';

/** A part of a bar: how much it is, in which colour, and what it says when it is pointed at. */
export interface Part {
  count: number;
  kind: 'good' | 'warn' | 'bad' | 'calm' | 'rest';
}

/** How the parts make up the whole, as one lying bar. */
export function shareBar(parts: readonly Part[], label: string): Html {
  const all = sumOf(parts);
  let at = 0;
  const rect = ({ count, kind }: Part) => {
    const [x, width] = [at, all === 0 ? 0 : (1000 * count) / all];
    at += width;
    return width === 0 ? '' : html`<rect class="${kind}" x="${round(x)}" y="0" width="${round(width)}" height="14"/>`;
  };
  return html`<svg class="share" viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label="${label}"><rect class="rest" x="0" y="0" width="1000" height="14"/>${parts.map(rect)}</svg>`;
}

interface Bar {
  label: string;
  /** From the bottom up. */
  parts: readonly Part[];
}

const [width, height] = [720, 120];

/** Standing bars beside each other, all of one height where something is to be told: shares, not sizes. Places that no bar takes are free on the left. */
export function shareBars(all: readonly Bar[], places: number, label: string): Html {
  return standing(all, label, (parts) => sumOf(parts), places);
}

/** Standing bars beside each other, as high as what they count, the largest at full height. */
export function bars(all: readonly Bar[], label: string): Html {
  const most = Math.max(...all.map(({ parts }) => sumOf(parts)));
  return standing(all, label, () => most);
}

function standing(
  all: readonly Bar[],
  label: string,
  wholeOf: (parts: readonly Part[]) => number,
  places = all.length,
): Html {
  const step = width / Math.max(places, all.length, 1);
  const free = Math.max(0, places - all.length);
  const bar = ({ label: title, parts }: Bar, index: number) => {
    const whole = wholeOf(parts);
    let top = height;
    const rect = ({ count, kind }: Part) => {
      if (count === 0) return '';
      // What is there stays visible however small its share is.
      const tall = Math.max(3, (height * count) / whole);
      top -= tall;
      return html`<rect class="${kind}" x="${round((free + index + 0.12) * step)}" y="${round(Math.max(0, top))}" width="${round(step * 0.76)}" height="${round(tall)}"/>`;
    };
    return html`<g><title>${title}</title>${parts.map(rect)}</g>`;
  };
  return html`<svg class="bars" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">${all.map(bar)}</svg>`;
}

function sumOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { count }) => sum + count, 0);
}

function round(value: number): string {
  return value.toFixed(1);
}

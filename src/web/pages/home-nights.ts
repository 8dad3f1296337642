import { html } from 'hono/html';
import type { NightView } from '../../database/nights/night-views.ts';
import { daysBetween } from '../../domain/nights.ts';
import type { Html } from '../layout.ts';
import { areaPlot } from '../plots/area-plot.ts';
import { heatMap, heatSign, type NightShape } from '../plots/heat-map.ts';
import type { NightSums, Texts } from '../texts/en.ts';
import { wordFor } from '../texts/word.ts';

interface Year {
  readonly texts: Texts;
  /** Oldest first. */
  readonly nights: readonly NightView[];
  /** The day that it is now. */
  readonly today: string;
  /** The last night that is over. */
  readonly over: string;
}

/** The nights of a year, each a link, and what they came to in one sentence. */
export function nightsCard({ texts, nights, today, over }: Year): Html | '' {
  const [first] = nights;
  if (first === undefined) return '';
  const t = texts.nights;
  const shapeOf = shapesFor(nights);
  const marked = nights.map((view) => ({
    night: view.night,
    shape: shapeOf(view),
    label: t.cell(texts.formats.night(view.night), labelOf(view, texts)),
  }));
  const used = new Set(marked.map(({ shape }) => shape));
  const legend = Object.entries(t.legend).flatMap(([shape, words]) =>
    isShape(shape) && used.has(shape) ? [{ shape, words }] : [],
  );
  return html`<section class="card"><h2 id="year">${t.title}</h2>
<p class="soft">${t.sum({ ...sumsOf(nights, over), since: texts.formats.night(first.night) })}</p>
<a class="skip" href="#recent">${t.skip}</a>
<div class="sideways">${heatMap({ nights: marked, until: today, label: t.title, months: t.months, weekdays: t.weekdays })}</div>
<ul class="legend">${legend.map(({ shape, words }) => html`<li>${heatSign(shape)}${words}</li>`)}</ul></section>`;
}

/** How large the snapshots are, and how they grew; nothing where none is left. */
export function sizeCard({ texts, nights }: Pick<Year, 'texts' | 'nights'>): Html | '' {
  const t = texts.size;
  const sized = nights.flatMap(({ night, total, added, kept }) =>
    total === null ? [] : [{ night, total, added, kept }],
  );
  const [first, last] = [sized[0], sized.findLast(({ kept }) => kept)];
  if (first === undefined || last === undefined) return '';
  const shown = sized.slice(0, sized.indexOf(last) + 1);
  const points = shown.map(({ night, total }) => ({ x: daysBetween(first.night, night), y: total }));
  const [from, to] = [texts.formats.bytes(first.total), texts.formats.bytes(last.total)];
  const [since, until] = [texts.formats.night(first.night), texts.formats.night(last.night)];
  const plot = areaPlot(points, t.plot(from, to, since, until));
  const most = texts.formats.bytes(Math.max(...shown.map(({ total }) => total)));
  return html`<section class="card"><h2>${t.title}</h2>${plot === '' ? '' : html`<div class="plotted"><span>${t.most(most)}</span>${plot}<span>${since}</span><span>${until}</span></div>`}
<p>${t.now(to)} ${last.added === null ? '' : t.added(texts.formats.bytes(last.added))} ${first === last ? '' : t.grew(from, since)}</p></section>`;
}

/** How many nights came to what, and how many had no backup since the first: of those that are over, none that came to anything. */
export function sumsOf(nights: readonly NightView[], over: string): NightSums {
  const count = (...states: string[]) => nights.filter(({ state }) => states.includes(state)).length;
  const [first] = nights;
  const had = nights.filter(({ night, state }) => night <= over && !withoutBackup.includes(state)).length;
  const missing = first === undefined ? 0 : Math.max(0, daysBetween(first.night, over) + 1 - had);
  return { complete: count('succeeded'), part: count('partial'), failed: count('failed'), missing };
}

/** Runs that ended before they began, or were broken off, backed nothing up. */
const withoutBackup: readonly string[] = ['cancelled', 'skipped'];

/** How each night is drawn: complete ones are divided into thirds by how much was new in them. */
function shapesFor(nights: readonly NightView[]): (view: NightView) => NightShape {
  const complete = nights.filter(({ state }) => state === 'succeeded').map(({ added }) => added ?? 0);
  const sorted = complete.filter((added) => added > 0).sort((a, b) => a - b);
  const third = (count: number) => sorted[Math.ceil((sorted.length * count) / 3) - 1] ?? 0;
  const [little, more] = [third(1), third(2)];
  return ({ state, added }) => {
    if (state === 'partial') return 'part';
    if (state === 'failed') return 'none';
    if (state !== 'succeeded') return 'open';
    const much = added ?? 0;
    return much > more ? 'most' : much > little ? 'more' : 'some';
  };
}

function labelOf({ state, added }: NightView, texts: Texts): string {
  const words = wordFor(texts.states, state) ?? state;
  return added === null ? words : words + texts.nights.added(texts.formats.bytes(added));
}

const shapes: readonly string[] = ['some', 'more', 'most', 'part', 'none', 'open'] satisfies NightShape[];

function isShape(text: string): text is NightShape {
  return shapes.includes(text);
}

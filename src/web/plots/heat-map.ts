import { html, raw } from 'hono/html';
import { addDays, daysBetween } from '../../domain/nights.ts';
import type { Html } from '../layout.ts';

/** What a night is shown as: complete with little, more or much new, in part, without a snapshot, or not ended. */
export type NightShape = 'some' | 'more' | 'most' | 'part' | 'none' | 'open';

export interface MarkedNight {
  /** "YYYY-MM-DD". */
  readonly night: string;
  readonly shape: NightShape;
  /** What it came to, in words. */
  readonly label: string;
}

interface HeatMap {
  /** The nights with a run; each is a link to `/nights/<date>`. */
  readonly nights: readonly MarkedNight[];
  /** The last night that is shown. */
  readonly until: string;
  readonly label: string;
  /** Short names of the months, and of Monday, Wednesday and Friday. */
  readonly months: readonly string[];
  readonly weekdays: readonly string[];
}

const weeks = 53;
const pitch = 18;
const side = 14;
/** Where the first cell is: room for the names of weekdays and months. */
const [left, top] = [34, 18];
const width = left + weeks * pitch;
const height = top + 7 * pitch;

/** The first night of the map that ends with this one: a Monday. */
export function firstNightOf(until: string): string {
  return addDays(until, -weekdayOf(until) - (weeks - 1) * 7);
}

/** A year of nights as SVG: a column a week, a row a weekday. Outcomes differ by shape as well as by colour. */
export function heatMap({ nights, until, label, months, weekdays }: HeatMap): Html {
  const first = firstNightOf(until);
  const marked = new Set(nights.map(({ night }) => night));
  const all = Array.from({ length: daysBetween(first, until) + 1 }, (_, day) => addDays(first, day));
  const place = (night: string) => {
    const day = daysBetween(first, night);
    return { x: left + Math.floor(day / 7) * pitch, y: top + (day % 7) * pitch };
  };
  const bare = all.filter((night) => !marked.has(night)).map(place);
  const cell = ({ night, shape, label: words }: MarkedNight) => {
    const { x, y } = place(night);
    return html`<a href="/nights/${night}"><title>${words}</title><use href="#n-${shape}" x="${x}" y="${y}"/></a>`;
  };
  return html`<svg class="heat" viewBox="0 0 ${width} ${height}" role="group" aria-label="${label}">${shapes}
<path class="bare" d="${bare.map(({ x, y }) => `M${x} ${y}h${side}v${side}h-${side}z`).join('')}"/>
${monthNames(all, months).map(({ name, week }) => html`<text x="${left + week * pitch}" y="10">${name}</text>`)}
${weekdays.map((name, index) => html`<text x="0" y="${top + index * 2 * pitch + 11}">${name}</text>`)}
${nights.map(cell)}</svg>`;
}

/** One shape as it stands in the legend. */
export function heatSign(shape: NightShape): Html {
  return html`<svg class="heat-sign" viewBox="0 0 ${side} ${side}" aria-hidden="true"><use href="#n-${shape}"/></svg>`;
}

const square = (kind: string) => `<rect class="cell ${kind}" x=".5" y=".5" width="13" height="13" rx="3"/>`;
const shapes = raw(
  `<defs>${[
    ['some', ''],
    ['more', ''],
    ['most', ''],
    ['part', '<path class="mark part" d="M3.5 7h7"/>'],
    ['none', '<path class="mark none" d="M4.2 4.2l5.6 5.6M9.8 4.2l-5.6 5.6"/>'],
    ['open', '<circle class="mark open" cx="7" cy="7" r="1.5"/>'],
  ]
    .map(([kind = '', mark]) => `<g id="n-${kind}">${square(kind)}${mark}</g>`)
    .join('')}</defs>`,
);

/** The name of each month above the first week that begins in it, where there is room before the next one. */
function monthNames(all: readonly string[], months: readonly string[]): { name: string; week: number }[] {
  const mondays = all.filter((_, day) => day % 7 === 0);
  const starts = mondays.flatMap((monday, week) => (monthOf(monday) === monthOf(mondays[week - 1]) ? [] : [week]));
  return starts
    .filter((week, index) => (starts[index + 1] ?? weeks) - week >= 2)
    .map((week) => ({ week, name: months[monthOf(mondays[week]) - 1] ?? '' }));
}

function monthOf(night = '0000-00-00'): number {
  return Number(night.slice(5, 7));
}

/** 0 is Monday. */
function weekdayOf(night: string): number {
  return (new Date(`${night}T00:00Z`).getUTCDay() + 6) % 7;
}

import { html } from 'hono/html';
import { dateIn } from '../../../domain/nights.ts';
import { AppError } from '../../../errors.ts';
import { isOldFigure } from '../../../flows/nights/keep-figure.ts';
import type { QueueState } from '../../../flows/nights/view-tonight.ts';
import type { Html } from '../../layout.ts';
import type { Texts } from '../../texts/en.ts';
import { type PersonVisit, page } from '../../visit.ts';

const places = {
  '/operator': 'tonight',
  '/operator/grants': 'grants',
  '/operator/queues': 'queues',
  '/operator/audit': 'audit',
} as const satisfies Record<string, keyof Texts['operator']['menu']>;

export type OperatorPlace = keyof typeof places;

/** A page for operators, with a menu of their pages. */
export async function operatorPage(
  visit: PersonVisit,
  {
    title,
    place,
    body,
    ...options
  }: { title: string; place: OperatorPlace; body: Html; headed?: boolean; head?: Html },
): Promise<Response> {
  const { menu, pages } = visit.texts.operator;
  const entry = ([href, name]: [string, keyof typeof menu]) =>
    html`<li><a href="${href}" ${href === place ? html`aria-current="page"` : ''}>${menu[name]}</a></li>`;
  const inner = html`<nav class="within" aria-label="${pages}"><ul>${Object.entries(places).map(entry)}</ul></nav>${body}`;
  return page(visit, title, inner, { place: '/operator', ...options });
}

/** What keeps everybody's nights from going on; `paused` is what is said where somebody paused them. */
export function queueCard(queue: QueueState, { operator: { menu, queues: t } }: Texts, paused: string): Html | '' {
  if (queue === 'runs') return '';
  return html`<p class="card warn">${{ paused, away: t.away, damaged: t.damaged }[queue]} <a href="/operator/queues">${menu.queues}</a></p>`;
}

/** The operator as events and the audit name them. */
export function operatorOf({ session }: PersonVisit): string {
  return `operator:${session.userId}`;
}

/** Writes moments in the zone of the settings, which pages for operators name once. */
export function timesOf({ resources, texts }: PersonVisit): (at: Date) => string {
  return (at) => texts.formats.time(at, resources.config.window.zone);
}

/** The same of moments near the present: the time alone for those of today, else with the day. */
export function timesNearNow({ resources: { clock, config }, texts }: PersonVisit): (at: Date) => string {
  return timesNear(texts, config.window.zone, clock.now());
}

/** Writes moments near `now` in one zone, those of the same day by the time alone. */
export function timesNear({ formats }: Texts, zone: string, now: Date): (at: Date) => string {
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  const short = formats.dates(time, zone);
  const long = formats.dates({ day: 'numeric', month: 'short', ...time }, zone);
  const today = dateIn(zone, now);
  return (at) => (dateIn(zone, at) === today ? short : long)(at);
}

/** Names the zone in which the times of the page are. */
export function zoneNote({ resources, texts }: PersonVisit): Html {
  return html`<p class="soft small">${texts.operator.zone(resources.config.window.zone)}</p>`;
}

/** When figures were counted, in these words, where that was a while ago; empty otherwise. */
export function countedNote(visit: PersonVisit, at: Date, say = visit.texts.operator.tonight.countedAt): string {
  return isOldFigure(at, visit.resources.clock.now()) ? ` ${say(timesOf(visit)(at))}` : '';
}

/** A number with its name above and a note below. */
export function figure(name: string, value: string, note: string, tone = ''): Html {
  return html`<section class="card ${tone}"><p class="soft small">${name}</p><p class="value">${value}</p><p class="soft small">${note}</p></section>`;
}

/** Why the operator does it, as the form says; undefined where it says nothing. */
export async function wordsOf({ c }: PersonVisit): Promise<string | undefined> {
  const { reason } = await c.req.parseBody();
  const words = typeof reason === 'string' ? reason.trim().slice(0, 500) : '';
  return words === '' ? undefined : words;
}

/** The same where it is needed. Throws `request/invalid` where the form says nothing. */
export async function getWords(visit: PersonVisit): Promise<string> {
  const words = await wordsOf(visit);
  if (words === undefined) throw new AppError('request/invalid', 'Say why: it goes into the audit.');
  return words;
}

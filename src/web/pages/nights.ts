import { html } from 'hono/html';
import { listRuns } from '../../database/nights/night-views.ts';
import type { RunLine } from '../../database/nights/views.ts';
import type { Html } from '../layout.ts';
import { outcome } from '../outcome.ts';
import { pageNumber } from '../paging.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { wordFor } from '../texts/word.ts';
import { notFound, type PersonVisit, page } from '../visit.ts';

const onePage = 50;
/** More than a plan has in a night, short of pressing a button all day. */
const ofOneNight = 200;

/** Every backup of the person, newest first, a page at a time. */
export async function nights(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts, url } = visit;
  const t = texts.nights;
  const number = pageNumber(url);
  const skip = (number - 1) * onePage;
  const found = await listRuns(resources.database, { userId: session.userId, skip, limit: onePage + 1 });
  if (found.length === 0 && number > 1) throw notFound();
  const link = (to: number, rel: string, words: string) => html`<a href="?page=${to}" rel="${rel}">${words}</a>`;
  const [newer, older] = [
    number > 1 ? link(number - 1, 'prev', t.newer) : '',
    found.length > onePage ? link(number + 1, 'next', t.older) : '',
  ];
  const pager = newer || older ? html`<nav class="pager" aria-label="${t.pages}">${newer} ${older}</nav>` : '';
  return page(visit, t.allTitle, html`${runsTable(texts, found.slice(0, onePage), t.allTitle)}${pager}`, {
    place: '/',
  });
}

/** The one backup of a night, or a list where there are more. */
export async function night(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, texts } = visit;
  const date = c.req.param('night') ?? '';
  const isDate = /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date));
  const found = isDate
    ? await listRuns(resources.database, { userId: session.userId, night: date, limit: ofOneNight })
    : [];
  const [first, second] = found;
  if (first === undefined) throw notFound();
  if (second === undefined) return c.redirect(`/runs/${first.id}`, 303);
  const title = texts.nights.ofNight(texts.formats.night(date, 'long'));
  return page(visit, title, runsTable(texts, found, title), { place: '/' });
}

/** Runs as a table: those of one night are told apart by who asked for them and when they began. */
export function runsTable(texts: Texts, runs: readonly RunLine[], caption: string): Html {
  if (runs.length === 0) return html`<p class="soft">${texts.nights.none}</p>`;
  const time = (at: Date) => texts.formats.time(at, runs[0]?.plan.zone ?? 'UTC');
  const shown = (at: Date | null) => (at === null ? '–' : time(at));
  const row = (run: RunLine) => [
    html`<a href="/runs/${run.id}">${texts.formats.night(run.night)}</a>`,
    outcome(run.state, texts),
    wordFor(texts.triggers, run.trigger) ?? run.trigger,
    shown(run.startedAt),
    shown(run.finishedAt),
  ];
  const { night: date, outcome: came, trigger, started, finished } = texts.run;
  const columns = [date, came, trigger, started, finished].map((label) => ({ label }));
  return html`<div class="card">${table({ caption, columns, rows: runs.map(row) })}</div>`;
}

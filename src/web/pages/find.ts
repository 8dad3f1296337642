import { html } from 'hono/html';
import { openPersonHistory } from '../../flows/snapshots/open-history.ts';
import { openBudget, readWithin } from '../../store/history/budget.ts';
import type { History } from '../../store/history/history.ts';
import { type Found, type Searched, searchNames } from '../../store/history/search.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { icon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { name, pathName } from '../names.ts';
import { type NightTimes, nightTimesIn } from '../night-times.ts';
import { type Label, labelsOf } from '../objects/labels.ts';
import { pageOf, pager } from '../paging.ts';
import { addressOf, decodePath, encodePath, snapshotOf } from '../snapshot.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';

const onePage = 50;
/** More than anybody goes through: a longer text finds less. */
const mostFound = 1_000;
/** Entries that one search looks at: about a second. */
const reach = 200_000;
const longestText = 100;

/** Looks for a name, or a part of it, in every night. */
export async function find(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, texts, url } = visit;
  const t = texts.snapshots;
  const wanted = wantedOf(url);
  const form = findForm(wanted, texts);
  if (wanted.text === '') return page(visit, t.find, form, { place: '/snapshots' });
  const history = await openPersonHistory(resources, session.userId);
  const times = nightTimesIn(texts, await zoneOf(visit));
  const nights = nightsFrom(history, wanted.from);
  const found = await history.inTurn(() => search(history, nights, wanted, c.req.raw.signal));
  const shown = pageOf(url, found.entries, { size: onePage });
  const labels = await labelsOf(history, shown.items, { texts, times });
  const rows = shown.items.map((entry) => rowOf(entry, labels.get(entry.node), history, times, texts));
  const columns = [
    { label: t.columns.name },
    { label: t.columns.size, kind: 'number' as const },
    { label: t.lastThere },
  ];
  const count = html`<p class="soft">${t.foundCount(found.entries.length, nights.length, times.zone)}</p>`;
  const list = rows.length === 0 ? count : html`${count}${table({ caption: t.find, columns, rows })}`;
  const isOfTitles = await mayBeTitled(history, wanted.path);
  const body = html`${form}<section class="card"><h2>${t.found} <q>${name(wanted.text)}</q></h2>${isOfTitles ? html`<p class="soft">${t.byFileName}</p>` : ''}${list}${pager(shown, { ...t, label: t.foundPages, shown: t.entries }, (to) => addressOfSearch(wanted, to))}
${howFar(found.searched, wanted, times, texts)}${found.damaged === 0 ? '' : html`<p class="card warn">${t.unreadable(found.damaged)}</p>`}</section>`;
  return page(visit, t.find, body, { place: '/snapshots' });
}

/** Whether there are things to look through which people know by titles that are not their names. */
async function mayBeTitled({ repository, snapshots }: History, path: string): Promise<boolean> {
  const newest = snapshots.at(-1);
  const [top = ''] = path.split('/');
  if (newest === undefined || !['', 'calendars', 'contacts'].includes(top)) return false;
  const nodes = await readWithin(openBudget(1), repository, newest.snapshot.tree);
  return typeof nodes !== 'string' && nodes.some(({ name }) => name === 'calendars' || name === 'contacts');
}

interface Wanted {
  readonly text: string;
  /** The folder that is looked through, with all below it; '' for everything. */
  readonly path: string;
  /** The id of the newest snapshot that is looked through. */
  readonly from: string;
}

function wantedOf({ searchParams }: URL): Wanted {
  const parameter = (key: string) => searchParams.get(key) ?? '';
  return {
    text: parameter('q').trim().slice(0, longestText),
    path: decodePath(parameter('in')),
    from: parameter('from'),
  };
}

/** The snapshots from this one to the oldest; all where there is no such. */
function nightsFrom(history: History, from: string): readonly SavedSnapshot[] {
  const newest = from === '' ? history.snapshots.at(-1) : snapshotOf(history, from);
  return history.snapshots.slice(0, newest === undefined ? 0 : history.snapshots.indexOf(newest) + 1).reverse();
}

interface Result {
  readonly entries: readonly Found[];
  /** Undefined where more was found than is shown. */
  readonly searched: Searched | undefined;
  /** Folders that could not be read. */
  readonly damaged: number;
}

async function search(
  history: History,
  nights: readonly SavedSnapshot[],
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Result> {
  const budget = openBudget(reach, signal);
  const walk = searchNames(history, nights, wanted, budget);
  const entries: Found[] = [];
  for (let next = await walk.next(); ; next = await walk.next()) {
    if (next.done) return { entries, searched: next.value, damaged: budget.damaged };
    if (entries.length === mostFound) return { entries, searched: undefined, damaged: budget.damaged };
    entries.push(next.value);
  }
}

/** A form that looks for names in a folder and below. */
export function findForm({ text, path }: Pick<Wanted, 'text' | 'path'>, { holding, snapshots: t }: Texts): Html {
  const within = path === '' ? '' : html`<input type="hidden" name="in" value="${encodePath(path)}">`;
  const where =
    text === '' || path === ''
      ? ''
      : html`<p class="soft">${t.findIn} ${pathName(path, holding)}. <a href="${addressOfSearch({ text, path: '', from: '' })}">${t.findEverywhere}</a></p>`;
  return html`<form class="find" role="search" action="/snapshots/find">${within}<label class="unseen" for="find">${t.find}</label><input id="find" type="search" name="q" value="${text}" maxlength="${longestText}" placeholder="${t.find}" required><button class="quiet">${icon('search')}${t.search}</button></form>${where}`;
}

function rowOf(
  { path, node, last }: Found,
  called: Label | undefined,
  { snapshots }: History,
  times: NightTimes,
  { formats, holding, snapshots: t }: Texts,
): (Html | string)[] {
  const names = path.split('/');
  const folder = names.slice(0, -1).join('/');
  const kind = node.type === 'dir' ? 'browse' : 'view';
  const isLinked = node.type === 'dir' || node.type === 'file';
  const label = html`${icon(called?.icon ?? (node.type === 'dir' ? 'folder' : 'file'))}${name(called?.title ?? node.name)}`;
  const aside = called?.aside ? html`<span class="soft small aside">${name(called.aside)}</span><br>` : '';
  const above = html`<a class="soft small" href="${addressOf(last, 'browse', folder)}">${folder === '' ? t.root : pathName(folder, holding)}</a>`;
  return [
    html`${isLinked ? html`<a class="found" href="${addressOf(last, kind, path)}">${label}</a>` : html`<span class="found">${label}</span>`}${aside}${above}`,
    node.type === 'file' ? formats.bytes(node.size) : '',
    last === snapshots.at(-1) ? t.stillThere : times.moment(last.snapshot.time),
  ];
}

/** Where the search stopped before it was through, and how to go on. */
export function howFar(
  searched: Searched | undefined,
  wanted: Wanted,
  times: NightTimes,
  { snapshots: t }: Texts,
): Html | '' {
  if (searched === undefined) return html`<p class="card warn">${t.tooMany(mostFound)}</p>`;
  const { nights, stoppedAt } = searched;
  if (stoppedAt === undefined) return '';
  const day = times.moment(stoppedAt.snapshot.time);
  if (nights === 0) return html`<p class="card warn">${t.stoppedWithin(day)}</p>`;
  const on = addressOfSearch({ ...wanted, from: stoppedAt.id.slice(0, 16) });
  return html`<p class="card warn">${t.stopped(nights, day)} <a href="${on}">${t.searchOn}</a></p>`;
}

function addressOfSearch({ text, path, from }: Wanted, number = 1): string {
  const parameters = {
    q: text,
    ...(path !== '' && { in: encodePath(path) }),
    ...(from !== '' && { from }),
    ...(number > 1 && { page: String(number) }),
  };
  return `/snapshots/find?${new URLSearchParams(parameters)}`;
}

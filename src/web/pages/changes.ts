import { html } from 'hono/html';
import type { TreeId } from '../../store/format/ids.ts';
import type { Node } from '../../store/format/node.ts';
import { type Budget, openBudget } from '../../store/history/budget.ts';
import { type Change, compareTrees } from '../../store/history/compare.ts';
import { sightAt } from '../../store/history/sight.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import type { IconName } from '../icons.ts';
import type { Html } from '../layout.ts';
import { name, pathName, plainName } from '../names.ts';
import { type NightTimes, nightTimesIn } from '../night-times.ts';
import { type Label, labelsOf, stepNames } from '../objects/labels.ts';
import { type Tone, tag } from '../outcome.ts';
import { addressOf, type OpenSnapshot, openSnapshot, pageNumber, restOfPath, snapshotOf, topOf } from '../snapshot.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';
import { snapshotOfDay } from './strip.ts';
import { trail } from './trail.ts';

const onePage = 100;
/** More changes than anybody reads. */
const mostChanges = 5_000;
/** Entries that are compared at most. */
const reach = 200_000;

/** What changed in a folder between two nights: since the one before, or since the one that the address names. */
export async function changes(visit: PersonVisit): Promise<Response> {
  const { c, texts, url } = visit;
  const t = texts.snapshots;
  const opened = await openSnapshot(visit);
  const path = restOfPath(url, 'changes') || ((await topOf(opened))?.path ?? '');
  const times = nightTimesIn(texts, await zoneOf(visit));
  const since = sinceOf(opened, url, times);
  const top = (await topOf(opened))?.path ?? '';
  const budget = openBudget(reach, c.req.raw.signal);
  const found = since === undefined ? none : await opened.history.inTurn(() => compared(opened, since, path, budget));
  const number = pageNumber(url, found.changes.length, onePage);
  const shown = found.changes.slice((number - 1) * onePage, number * onePage);
  const labels = await labelsOf(
    opened.history,
    shown.map(({ path: below, node }) => ({ path: inside(path, below), node })),
    { texts, times },
  );
  const steps = await stepNames(opened.history, opened.saved.snapshot.tree, path, { texts, times });
  const rows = shown.map((change) => rowOf({ opened, since: since ?? opened.saved, path, labels, texts }, change));
  const columns = [{ label: t.columns.name }, { label: t.what }, { label: t.columns.size, kind: 'number' as const }];
  const [now, then] = [times.moment(opened.saved.snapshot.time), times.moment(since?.snapshot.time ?? '')];
  const list =
    rows.length === 0
      ? html`<p class="soft">${t.noChanges}</p>`
      : html`<p class="soft">${t.changeCount(found.changes.length)}</p>${table({ caption: t.changesTitle, columns, rows })}`;
  const body = html`<p class="lead">${since === undefined ? t.firstNight(now) : t.between(then, now, times.zone)}</p>
${opened.history.snapshots.length > 1 ? sinceForm(opened, path, since, times, texts) : ''}
<section class="card"><div class="folder-head">${trail({ opened, path, steps, top, texts })}<a href="${addressOf(opened.saved, 'browse', path)}">${t.backToFolder}</a></div>${since === undefined ? '' : list}
${found.isComplete ? '' : html`<p class="soft">${t.changesCut}</p>`}${pager(number, found.changes.length, since, texts)}</section>`;
  const folder = path === top ? t.root : plainName(steps.at(-1) ?? '');
  return page(visit, `${t.changesTitle}: ${folder}`, body, { place: '/snapshots' });
}

/** The night that is compared with: by its id, by a day, or the one before. Undefined for the first night. */
function sinceOf(
  { history, saved }: OpenSnapshot,
  { searchParams }: URL,
  times: NightTimes,
): SavedSnapshot | undefined {
  const [id, day] = [searchParams.get('since'), searchParams.get('day')];
  if (id !== null) return snapshotOf(history, id);
  if (day !== null) return snapshotOfDay(history, day, times);
  return history.snapshots[history.snapshots.indexOf(saved) - 1];
}

interface Compared {
  readonly changes: readonly Change[];
  readonly isComplete: boolean;
}

const none: Compared = { changes: [], isComplete: true };

async function compared(
  { history, saved }: OpenSnapshot,
  since: SavedSnapshot,
  path: string,
  budget: Budget,
): Promise<Compared> {
  const names = path.split('/').filter((part) => part !== '');
  const treeOf = async ({ snapshot }: SavedSnapshot) => {
    const sight = await sightAt(history, snapshot.tree, names, budget);
    return sight?.type === 'dir' ? (sight.content as TreeId) : undefined;
  };
  const walk = compareTrees(history.repository, { before: await treeOf(since), after: await treeOf(saved) }, budget);
  const found: Change[] = [];
  for (let next = await walk.next(); ; next = await walk.next()) {
    if (next.done) return { changes: found, isComplete: next.value && budget.damaged === 0 };
    if (found.length === mostChanges) return { changes: found, isComplete: false };
    found.push(next.value);
  }
}

const signs: Record<Change['what'], [Tone, IconName]> = {
  new: ['good', 'plus'],
  changed: ['calm', 'turning'],
  gone: ['warn', 'dash'],
};

interface Row {
  readonly opened: OpenSnapshot;
  readonly since: SavedSnapshot;
  readonly path: string;
  readonly labels: ReadonlyMap<Node, Label>;
  readonly texts: Texts;
}

function inside(path: string, below: string): string {
  return path === '' ? below : `${path}/${below}`;
}

function rowOf({ opened, since, path, labels, texts }: Row, { what, path: below, node, before }: Change): Html[] {
  const t = texts.snapshots;
  const whole = inside(path, below);
  const called = labels.get(node);
  const label = called === undefined ? pathName(below, path === '' ? texts.holding : undefined) : name(called.title);
  const aside = called?.aside ? html` <span class="soft small aside">${name(called.aside)}</span>` : '';
  const there = addressOf(what === 'gone' ? since : opened.saved, node.type === 'dir' ? 'browse' : 'view', whole);
  const linked = node.type === 'dir' || node.type === 'file' ? html`<a href="${there}">${label}</a>${aside}` : label;
  const size = node.type === 'file' ? texts.formats.bytes(node.size) : node.type === 'dir' ? t.wholeFolder : '';
  const was =
    what === 'changed' && before?.type === 'file' && before.size !== node.size
      ? t.sizeBefore(texts.formats.bytes(before.size))
      : '';
  return [linked, tag(t.kinds[what], ...signs[what]), html`${was}${size}`];
}

function sinceForm(
  { history, saved }: OpenSnapshot,
  path: string,
  since: SavedSnapshot | undefined,
  times: NightTimes,
  texts: Texts,
): Html {
  const t = texts.snapshots;
  const edge = (at: 0 | -1) => times.date(history.snapshots.at(at)?.snapshot.time ?? '');
  return html`<form class="ways since" action="${addressOf(saved, 'changes', path)}"><label>${t.since} <input type="date" name="day" value="${times.date((since ?? saved).snapshot.time)}" min="${edge(0)}" max="${edge(-1)}" required></label> <button class="quiet">${t.compare}</button></form>`;
}

function pager(number: number, all: number, since: SavedSnapshot | undefined, { snapshots: t }: Texts): Html | '' {
  if (all <= onePage || since === undefined) return '';
  const link = (to: number, rel: string, label: string) =>
    html`<a href="?since=${since.id.slice(0, 16)}&page=${to}" rel="${rel}">${label}</a>`;
  return html`<nav class="pager" aria-label="${t.changePages}"><span>${t.entries((number - 1) * onePage + 1, Math.min(number * onePage, all), all)}</span>
${number > 1 ? link(number - 1, 'prev', t.previous) : ''} ${number * onePage < all ? link(number + 1, 'next', t.following) : ''}</nav>`;
}

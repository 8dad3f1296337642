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
import { pageOf, pager } from '../paging.ts';
import { addressOf, type OpenSnapshot, openSnapshot, restOfPath, snapshotOf, topOf } from '../snapshot.ts';
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
  const { texts, url } = visit;
  const t = texts.snapshots;
  const opened = await openSnapshot(visit);
  const top = (await topOf(opened))?.path ?? '';
  const path = restOfPath(url, 'changes') || top;
  const times = nightTimesIn(texts, await zoneOf(visit));
  const since = sinceOf(opened, url, times);
  const steps = await stepNames(opened.history, opened.saved.snapshot.tree, path, { texts, times });
  const [now, then] = [times.moment(opened.saved.snapshot.time), times.moment(since?.snapshot.time ?? '')];
  const body = html`<p class="lead">${since === undefined ? t.firstNight(now) : t.between(then, now, times.zone)}</p>
${opened.history.snapshots.length > 1 ? sinceForm(opened, path, since, times, texts) : ''}
<section class="card"><div class="folder-head">${trail({ opened, path, steps, top, texts })}<a href="${addressOf(opened.saved, 'browse', path)}">${t.backToFolder}</a></div>${since === undefined ? '' : await changesPart(visit, { opened, since, path, times })}</section>`;
  const folder = path === top ? t.root : plainName(steps.at(-1) ?? '');
  return page(visit, `${t.changesTitle}: ${folder}`, body, { place: '/snapshots' });
}

interface TwoNights {
  readonly opened: OpenSnapshot;
  /** The night that it is compared with. */
  readonly since: SavedSnapshot;
  /** The folder that is compared. */
  readonly path: string;
  readonly times: NightTimes;
}

/** What is new, changed and gone in the folder, a page at a time. */
async function changesPart({ c, texts, url }: PersonVisit, nights: TwoNights): Promise<Html> {
  const t = texts.snapshots;
  const { opened, since, path, times } = nights;
  const budget = openBudget(reach, c.req.raw.signal);
  const { changes, isComplete } = await opened.history.inTurn(() => compared(nights, budget));
  const shown = pageOf(url, changes, { size: onePage });
  const entries = shown.items.map(({ path: below, node }) => ({ path: inside(path, below), node }));
  const labels = await labelsOf(opened.history, entries, { texts, times });
  const rows = shown.items.map((change) => rowOf({ opened, since, path, labels, texts }, change));
  const columns = [{ label: t.columns.name }, { label: t.what }, { label: t.columns.size, kind: 'number' as const }];
  const list =
    rows.length === 0
      ? html`<p class="soft">${t.noChanges}</p>`
      : html`<p class="soft">${t.changeCount(changes.length)}</p>${table({ caption: t.changesTitle, columns, rows })}`;
  const links = pager(
    shown,
    { ...t, label: t.changePages, shown: t.entries },
    (to) => `?since=${since.id.slice(0, 16)}&page=${to}`,
  );
  return html`${list}
${isComplete ? '' : html`<p class="soft">${t.changesCut}</p>`}${links}`;
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

async function compared({ opened: { history, saved }, since, path }: TwoNights, budget: Budget): Promise<Compared> {
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

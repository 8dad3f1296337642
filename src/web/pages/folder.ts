import { html } from 'hono/html';
import type { Node } from '../../store/format/node.ts';
import { openBudget } from '../../store/history/budget.ts';
import type { Weight } from '../../store/history/history.ts';
import { orderedFolder, orders } from '../../store/history/order.ts';
import { weigh } from '../../store/history/weigh.ts';
import type { Oddity } from '../../store/restorer/odd-names.ts';
import type { ZipNotes } from '../../store/restorer/zip-notes.ts';
import { erasingCard, isErasing } from '../erasing.ts';
import { icon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { name, pathName, plainName } from '../names.ts';
import { type NightTimes, nightTimesIn } from '../night-times.ts';
import { type Label, labelsOf, stepNames } from '../objects/labels.ts';
import { pageOf, pager } from '../paging.ts';
import {
  addressOf,
  type OpenFolder,
  type OpenSnapshot,
  openFolder,
  openSnapshot,
  restOfPath,
  topOf,
} from '../snapshot.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';
import { entriesTable, pathIn } from './entries.ts';
import { findForm } from './find.ts';
import { nightHead, snapshotOfDay } from './strip.ts';
import { trail } from './trail.ts';

/** Entries of a folder on one page. */
const onePage = 200;
/** Entries of a folder that are sorted by what they are called; of more only those on a page have their titles. */
const mostLabelled = 2_000;
/** Entries that one page may look at: a few tenths of a second. What is found out is remembered, so the next page comes further. */
const reach = { strip: 60_000, weights: 30_000 };

/** A folder as it was on one night, a page at a time. */
export async function browse(visit: PersonVisit): Promise<Response> {
  const { c, texts, url } = visit;
  const opened = await openSnapshot(visit);
  const path = restOfPath(url, 'browse');
  const times = nightTimesIn(texts, await zoneOf(visit));
  const day = url.searchParams.get('night');
  const other = day === null ? undefined : snapshotOfDay(opened.history, day, times);
  if (other !== undefined) return c.redirect(addressOf(other, 'browse', path), 303);
  return showFolder(visit, opened, path, times);
}

/** The page of a folder. Throws `request/not-found`. */
export async function showFolder(
  visit: PersonVisit,
  opened: OpenSnapshot,
  asked: string,
  times: NightTimes,
): Promise<Response> {
  const { c, texts, url } = visit;
  const t = texts.snapshots;
  const { history, saved } = opened;
  const { signal } = c.req.raw;
  const folder = await openFolder(opened, asked);
  const top = await topOf(opened);
  const order = orders.find((one) => one === url.searchParams.get('sort')) ?? 'name';
  const ordered = await orderedFolder(history, folder.tree, order, texts.formats.locale);
  const inFolder = (some: readonly Node[]) => some.map((node) => ({ path: pathIn(folder.path, node), node }));
  const isLabelled = ordered.length <= mostLabelled;
  const ofAll = isLabelled ? await labelsOf(history, inFolder(ordered), { texts, times }) : undefined;
  const nodes = ofAll && order === 'name' ? byTitle(ordered, ofAll, texts) : ordered;
  const shown = pageOf(url, nodes, { size: onePage });
  const isAll = folder.path === (top?.path ?? '');
  const labels = ofAll ?? (await labelsOf(history, inFolder(shown.items), { texts, times }));
  const steps = await stepNames(history, saved.snapshot.tree, folder.path, { texts, times });
  const counted = await weigh(history, folder.tree, openBudget(reach.weights, signal));
  const weight = counted ?? (isAll ? summed(opened) : undefined);
  const budget = openBudget(reach.strip, signal);
  const head = await nightHead({ opened, path: folder.path, kind: 'browse', times, texts, budget });
  const entries = entriesTable({ opened, folder: folder.path, nodes: shown.items, labels, order, times, texts });
  const erasing = await isErasing(visit);
  const body = html`${erasing ? erasingCard(texts) : ''}${head}
<section class="card"><div class="folder-head">${trail({ opened, path: folder.path, steps, top: top?.path ?? '', texts })}
<p class="soft">${t.sum(nodes.length, weight?.files, weight && texts.formats.bytes(weight.bytes))}</p></div>
${findForm({ text: '', path: isAll ? '' : folder.path }, texts)}
${nodes.length === 0 ? html`<p class="soft">${t.empty}</p>` : entries}${pager(shown, { ...t, label: t.pages, shown: t.entries }, (to) => `?page=${to}${order === 'name' ? '' : `&sort=${order}`}`)}
${oddNames(counted, texts)}${waysOut(visit, opened, folder, { isAll, weight, erasing })}</section>`;
  const title = isAll ? t.root : plainName(steps.at(-1) ?? '');
  return page(visit, `${title} · ${times.moment(saved.snapshot.time)}`, body, { place: '/snapshots', headed: true });
}

/** Sorted by what they are called on pages: by title, or by name where there is none. */
function byTitle(nodes: readonly Node[], labels: ReadonlyMap<Node, Label>, { formats }: Texts): readonly Node[] {
  if (labels.size === 0) return nodes;
  const natural = new Intl.Collator(formats.locale, { numeric: true });
  const called = (node: Node) => labels.get(node)?.title ?? node.name;
  const rank = (node: Node) => (node.type === 'dir' ? 0 : 1);
  return nodes.toSorted((a, b) => rank(a) - rank(b) || natural.compare(called(a), called(b)));
}

/** What the snapshot says of itself. */
function summed({ saved: { snapshot } }: OpenSnapshot): Weight | undefined {
  const { summary } = snapshot;
  return summary && { files: summary.total_files_processed, bytes: summary.total_bytes_processed };
}

/** What a person should know before the download: which names their system may not hold. */
function oddNames(counted: Weight | undefined, { formats, snapshots: { odd: t, notes } }: Texts): Html | '' {
  if (counted === undefined) return html`<p class="soft">${t.unknown}</p>`;
  if (counted.odd === undefined) return '';
  const { count, named } = counted.odd;
  const rest = count - named.length;
  const one = ({ path, ...oddity }: (typeof named)[number]) =>
    html`<li>${pathName(path)}: ${oddityWords(oddity, t.renamed, notes.odd.why)}</li>`;
  return html`<details><summary>${t.count(count)}</summary><p>${t.lead}</p><ul>${named.map(one)}${rest > 0 ? html`<li>${t.more(formats.number(rest))}</li>` : ''}</ul></details>`;
}

function oddityWords(oddity: Oddity, renamed: string, why: ZipNotes['odd']['why']): Html | string {
  if ('like' in oddity) return html`${why[oddity.why]} ${name(oddity.like)}`;
  return 'as' in oddity ? html`${renamed} ${name(oddity.as)}` : why[oddity.why];
}

function waysOut(
  { resources: { config }, texts }: PersonVisit,
  { history, saved }: OpenSnapshot,
  { path }: OpenFolder,
  { isAll, weight, erasing }: { isAll: boolean; weight: Weight | undefined; erasing: boolean },
): Html {
  const t = texts.snapshots;
  const label = (isAll ? t.zipAll : t.zip)(weight && texts.formats.bytes(weight.bytes));
  return html`<p class="ways"><a class="button quiet" href="${addressOf(saved, 'zip', isAll ? '' : path)}">${icon('download')}${label}</a>
${config.filesWrite === 'off' || erasing ? '' : html`<a class="button quiet" href="${addressOf(saved, 'restore', path)}">${icon('restore')}${texts.restores.way}</a>`}
${saved === history.snapshots[0] ? '' : html`<a href="${addressOf(saved, 'changes', path)}">${t.whatChanged}</a>`}</p>`;
}

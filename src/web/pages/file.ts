import { html } from 'hono/html';
import { isAppError } from '../../errors.ts';
import type { FileNode } from '../../store/format/node.ts';
import { openBudget } from '../../store/history/budget.ts';
import { type Version, versionsOf } from '../../store/history/nights.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { readFile } from '../../store/restorer/read-file.ts';
import { erasingCard, isErasing } from '../erasing.ts';
import { icon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { name, plainName } from '../names.ts';
import { changedAt, type NightTimes, nightTimesIn } from '../night-times.ts';
import { factsOf } from '../objects/facts.ts';
import { stepNames } from '../objects/labels.ts';
import { mayBeObject, type PersonObject, readObject } from '../objects/person-object.ts';
import { type ListPage, pageOf } from '../paging.ts';
import { addressOf, fileIn, type OpenSnapshot, openSnapshot, restOfPath, topOf } from '../snapshot.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';
import { kindOf } from './preview.ts';
import { nightHead, snapshotOfDay } from './strip.ts';
import { trail } from './trail.ts';

/** Versions of a file on one page. */
const onePage = 20;
/** The size of plain text as browsers show it: the frame of a short one is made no higher than it needs. */
const [rowPixels, marginPixels] = [18, 48];
/** Entries that the page may look at. */
const reach = { strip: 60_000, versions: 200_000 };

interface FilePage {
  readonly opened: OpenSnapshot;
  readonly path: string;
  readonly node: FileNode;
  /** The event, contact or message that it holds. */
  readonly object: PersonObject | undefined;
  readonly times: NightTimes;
  readonly texts: Texts;
}

/** A file as it was in one night, what can be shown of it, and its versions over all nights. */
export async function view(visit: PersonVisit): Promise<Response> {
  const { c, texts, url } = visit;
  const opened = await openSnapshot(visit);
  const path = restOfPath(url, 'view');
  const times = nightTimesIn(texts, await zoneOf(visit));
  const day = url.searchParams.get('night');
  const other = day === null ? undefined : snapshotOfDay(opened.history, day, times);
  if (other !== undefined) return c.redirect(addressOf(other, 'view', path), 303);
  const node = await fileIn(opened, path);
  const { signal } = c.req.raw;
  const top = (await topOf(opened))?.path ?? '';
  const budget = openBudget(reach.strip, signal);
  const head = await nightHead({ opened, path, kind: 'view', times, texts, budget });
  const object = await objectIn(opened, node);
  const file = { opened, path, node, object, times, texts };
  const changed = changedAt(node, times);
  const steps = await stepNames(opened.history, opened.saved.snapshot.tree, path, { texts, times });
  const title = object === undefined ? node.name : titleOf(object, texts);
  const { versions, isComplete } = await opened.history.inTurn(() =>
    versionsOf(opened.history, path, openBudget(reach.versions, signal)),
  );
  const shown = pageOf(url, versions, { size: onePage, parameter: 'versions' });
  const erasing = await isErasing(visit);
  const body = html`${erasing ? erasingCard(texts) : ''}${head}<div class="file-view"><section class="card" aria-label="${texts.snapshots.preview}">${trail({ opened, path, steps, top, texts })}
${await previewPart(file)}</section>
<section class="card"><h2>${name(node.name)}</h2><p class="soft">${changed === '' ? texts.formats.bytes(node.size) : texts.snapshots.fileFacts(texts.formats.bytes(node.size), changed)}</p>
<p class="ways"><a class="button" href="${addressOf(opened.saved, 'file', path)}">${icon('download')}${texts.snapshots.download}</a>${visit.resources.config.filesWrite === 'off' || erasing ? '' : html` <a class="button quiet" href="${addressOf(opened.saved, 'restore', path)}">${icon('restore')}${texts.restores.way}</a>`}</p>
${versionsPart(file, shown, { isComplete })}</section></div>`;
  return page(visit, `${plainName(title)} · ${times.moment(opened.saved.snapshot.time)}`, body, {
    place: '/snapshots',
    headed: true,
  });
}

/** So much is read of one: the beginning of a longer one says who and what, and attachments of most messages end within. */
const readObjectBytes = { message: 4 * 1024 * 1024, other: 256 * 1024 };

async function objectIn({ history }: OpenSnapshot, node: FileNode): Promise<PersonObject | undefined> {
  if (!mayBeObject(node.name)) return undefined;
  const end = readObjectBytes[/\.eml$/i.test(node.name) ? 'message' : 'other'];
  try {
    const pieces = await Array.fromAsync(readFile(history.repository, node, { end }));
    return readObject(node.name, Buffer.concat(pieces), { isWhole: node.size <= end });
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    return undefined;
  }
}

function titleOf({ kind, title }: PersonObject, { objects: t }: Texts): string {
  return title || t.untitled[kind];
}

/** What an event, a contact or a message says, and below it the file in which it is kept; of any other file what can be shown. */
async function previewPart(file: FilePage): Promise<Html> {
  const { object, texts, times } = file;
  const preview = await filePart(file);
  if (object === undefined) return preview;
  return html`<h2>${name(titleOf(object, texts))}</h2>${factsOf(object, { texts, times })}<details><summary>${texts.objects.stored}</summary>${preview}</details>`;
}

async function filePart({ opened, path, node, texts }: FilePage): Promise<Html> {
  const t = texts.snapshots;
  const address = addressOf(opened.saved, 'preview', path);
  const title = t.previewOf(plainName(node.name));
  try {
    const found = await kindOf(opened, node);
    if (found === undefined) return html`<p class="soft">${node.size === 0 ? t.emptyFile : t.noPreview}</p>`;
    if (found.kind === 'picture') return html`<img class="preview" src="${address}" alt="${title}">`;
    // Chromium shows no PDF in a frame with the attribute `sandbox`; the answer itself is sandboxed by its policy.
    if (found.kind === 'pdf') return html`<iframe class="preview" src="${address}" title="${title}"></iframe>`;
    const cut = found.bytes < node.size ? html`<p class="soft">${t.cut(texts.formats.bytes(found.bytes))}</p>` : '';
    const height = found.rows === undefined ? '' : html`height="${found.rows * rowPixels + marginPixels}"`;
    return html`<iframe class="preview" sandbox src="${address}" title="${title}" ${height}></iframe>${cut}`;
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
    return html`<p class="card bad">${t.damaged}</p>`;
  }
}

function versionsPart(
  file: FilePage,
  { items, number, last, all }: ListPage<Version>,
  { isComplete }: { isComplete: boolean },
): Html {
  const t = file.texts.snapshots;
  const link = (to: number, rel: string, label: string) => html`<a href="?versions=${to}" rel="${rel}">${label}</a>`;
  return html`<h2>${t.versions(all)}</h2><ol class="items versions">${items.map((version) => versionItem(file, version))}</ol>
<p class="pager">${number > 1 ? link(number - 1, 'prev', t.newerVersions) : ''} ${last < all ? link(number + 1, 'next', t.olderVersions) : ''}</p>
${isComplete ? '' : html`<p class="soft">${t.versionsCut}</p>`}`;
}

/** From when to when the file was so, its size, and the way to it. */
function versionItem({ opened, path, times, texts }: FilePage, { first, last, sight }: Version): Html {
  const t = texts.snapshots;
  const [begun, ended] = [times.moment(first.snapshot.time), times.moment(last.snapshot.time)];
  const nightOf = (saved: SavedSnapshot) => opened.history.snapshots.indexOf(saved);
  const isHere = nightOf(first) <= nightOf(opened.saved) && nightOf(opened.saved) <= nightOf(last);
  const size = sight.size === undefined ? t.notFile : texts.formats.bytes(sight.size);
  const there = addressOf(last, sight.type === 'dir' ? 'browse' : 'view', path);
  const download =
    sight.type === 'file'
      ? html`<a href="${addressOf(last, 'file', path)}" title="${t.downloadOf(ended)}">${icon('download')}<span class="unseen">${t.downloadOf(ended)}</span></a>`
      : '';
  return html`<li><a href="${there}" ${isHere ? html`aria-current="true"` : ''}>${first === last ? ended : t.fromTo(begun, ended)}</a><span class="number">${size} ${download}</span></li>`;
}

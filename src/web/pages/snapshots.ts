import { html } from 'hono/html';
import { findRepository } from '../../database/repositories.ts';
import { shownName } from '../../file-name.ts';
import { openPersonHistory } from '../../flows/snapshots/open-history.ts';
import type { Resources } from '../../resources.ts';
import type { Node } from '../../store/format/node.ts';
import { timestampMs } from '../../store/format/timestamp.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { browse as listFolder } from '../../store/restorer/browse.ts';
import type { Html } from '../layout.ts';
import { shownBytes, timesIn } from '../shown.ts';
import { encodePath, openSnapshot, restOfPath } from '../snapshot.ts';
import { texts } from '../texts.ts';
import { notFound, type PersonVisit, page, zoneOf } from '../visit.ts';

const t = texts.snapshots;
/** Entries of a folder on one page. */
const onePage = 500;

/** All snapshots of the person, newest first. */
export async function snapshots(visit: PersonVisit): Promise<Response> {
  const list = await listSnapshots(visit.resources, visit.session.userId);
  const time = timestampsIn(await zoneOf(visit));
  const row = ({
    id,
    snapshot,
  }: SavedSnapshot) => html`<tr><td><a href="/snapshots/${id}/browse/">${time(snapshot.time)}</a></td>
<td class="number">${snapshot.summary?.total_files_processed ?? ''}</td><td class="number">${snapshot.summary ? shownBytes(snapshot.summary.total_bytes_processed) : ''}</td>
<td class="wide"><code>${id.slice(0, 8)}</code></td></tr>`;
  const table = html`<div class="card table"><table><caption>${t.title}</caption><thead><tr><th scope="col">${t.time}</th><th scope="col" class="number">${t.files}</th>
<th scope="col" class="number">${t.size}</th><th scope="col" class="wide">restic</th></tr></thead><tbody>${[...list].reverse().map(row)}</tbody></table></div>`;
  return page(visit, t.title, list.length === 0 ? html`<p class="soft">${t.none}</p>` : table, { place: '/snapshots' });
}

/** A folder of a snapshot, so many entries at a time. */
export async function browse(visit: PersonVisit): Promise<Response> {
  const path = restOfPath(visit.url, 'browse');
  const {
    history: { repository },
    saved: { id, snapshot },
  } = await openSnapshot(visit);
  const nodes = await listFolder(repository, snapshot, path);
  const number = pageNumber(visit.url, nodes.length);
  const shown = nodes.slice((number - 1) * onePage, number * onePage);
  const time = timestampsIn(await zoneOf(visit));
  const rows = shown.map((node) => rowOf(id, path, node, time));
  const table = html`<div class="card table"><table><caption>${t.contents}</caption><thead><tr><th scope="col">${t.name}</th><th scope="col" class="number">${t.size}</th>
<th scope="col">${t.changed}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  const body = html`${trail(id, path)}${nodes.length === 0 ? html`<p class="soft">${t.empty}</p>` : table}${pager(number, nodes.length)}
<p><a href="/snapshots/${id}/zip/${encodePath(path)}">${t.zip}</a></p>`;
  return page(visit, path === '' ? t.root : (path.split('/').at(-1) ?? ''), body, { place: '/snapshots' });
}

/** Oldest first; nothing before the first run has made the repository. */
async function listSnapshots(resources: Resources, userId: string): Promise<SavedSnapshot[]> {
  if ((await findRepository(resources.database, userId)) === null) return [];
  return [...(await openPersonHistory(resources, userId)).snapshots];
}

/** The page that the address asks for, from 1. Throws `request/not-found` where there is none of that number. */
function pageNumber({ searchParams }: URL, entries: number): number {
  const text = searchParams.get('page') ?? '1';
  const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  if (number < 1 || (number > 1 && (number - 1) * onePage >= entries)) throw notFound();
  return number;
}

function pager(number: number, entries: number): Html | '' {
  if (entries <= onePage) return '';
  const [first, last] = [(number - 1) * onePage + 1, Math.min(number * onePage, entries)];
  const link = (to: number, rel: string, label: string) => html`<a href="?page=${to}" rel="${rel}">${label}</a>`;
  return html`<nav class="pager" aria-label="${t.pages}"><span>${t.entries(first, last, entries)}</span>
${number > 1 ? link(number - 1, 'prev', t.previous) : ''} ${last < entries ? link(number + 1, 'next', t.following) : ''}</nav>`;
}

function rowOf(id: string, folder: string, node: Node, time: (text: string) => string): Html {
  const name = shownName(node.name);
  const path = encodePath(folder === '' ? name : `${folder}/${name}`);
  const kind = node.type === 'dir' ? 'browse' : 'file';
  const linked = node.type === 'dir' || node.type === 'file';
  const label = node.type === 'dir' ? `${name}/` : name;
  return html`<tr><td>${linked ? html`<a href="/snapshots/${id}/${kind}/${path}">${label}</a>` : label}</td>
<td class="number">${node.type === 'file' ? shownBytes(node.size) : ''}</td><td>${time(node.mtime)}</td></tr>`;
}

function trail(id: string, path: string): Html {
  const names = path.split('/').filter(Boolean);
  const step = (name: string, index: number) =>
    html` / <a href="/snapshots/${id}/browse/${encodePath(names.slice(0, index + 1).join('/'))}">${name}</a>`;
  return html`<nav aria-label="${t.where}"><a href="/snapshots">${t.title}</a> / <a href="/snapshots/${id}/browse/">${t.root}</a>${names.map(step)}</nav>`;
}

/** Writes the timestamps of snapshots and nodes; one that is none stays as it is. */
function timestampsIn(zone: string): (text: string) => string {
  const time = timesIn(zone);
  return (text) => {
    const ms = timestampMs(text);
    return Number.isNaN(ms) ? text : time(new Date(ms));
  };
}

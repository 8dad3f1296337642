import { html } from 'hono/html';
import { isAppError } from '../../errors.ts';
import { isOfPast, isOwn } from '../../flows/nights/own-snapshots.ts';
import { openPersonHistory } from '../../flows/snapshots/open-history.ts';
import type { History } from '../../store/history/history.ts';
import type { SavedSnapshot } from '../../store/repository/snapshots.ts';
import { erasingCard, isErasing } from '../erasing.ts';
import { nightTimesIn } from '../night-times.ts';
import { pageOf, pager } from '../paging.ts';
import { addressOf } from '../snapshot.ts';
import { table } from '../table.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';
import { showFolder } from './folder.ts';
import { unreadable } from './strip.ts';

const onePage = 100;

/** All that was backed up, as it was in the last night; what a wrong clock dated into the future is not that. */
export async function snapshots(visit: PersonVisit): Promise<Response> {
  const history = await historyOf(visit);
  const now = visit.resources.clock.now();
  const saved = history?.snapshots.findLast((one) => isOfPast(one, now)) ?? history?.snapshots.at(-1);
  if (history === undefined || saved === undefined) return nothingThere(visit, history);
  return showFolder(visit, { history, saved }, '', nightTimesIn(visit.texts, await zoneOf(visit)));
}

/** All snapshots of the person, newest first, a page at a time. */
export async function nightsKept(visit: PersonVisit): Promise<Response> {
  const { texts, url } = visit;
  const t = texts.snapshots;
  const history = await historyOf(visit);
  const all = history?.snapshots.toReversed() ?? [];
  if (history === undefined || all.length === 0) return nothingThere(visit, history);
  const shown = pageOf(url, all, { size: onePage });
  const times = nightTimesIn(texts, await zoneOf(visit));
  const row = (saved: SavedSnapshot) => {
    const { time, summary } = saved.snapshot;
    return [
      html`<a href="${addressOf(saved, 'browse', '')}">${times.moment(time)}</a>${isOwn(saved) ? '' : html` <span class="soft">(${texts.retention.reasons.foreign})</span>`}`,
      summary ? texts.formats.number(summary.total_files_processed) : '',
      summary ? texts.formats.bytes(summary.total_bytes_processed) : '',
      html`<code>${saved.id.slice(0, 8)}</code>`,
    ];
  };
  const columns = [
    { label: t.taken },
    { label: t.files, kind: 'number' as const },
    { label: t.columns.size, kind: 'number' as const },
    { label: 'restic' },
  ];
  const body = html`${(await isErasing(visit)) ? erasingCard(texts) : ''}${unreadable(history, texts)}<p class="soft">${t.zone(times.zone)}</p><div class="card">${table({ caption: t.kept, columns, rows: shown.items.map(row) })}</div>${pager(shown, { ...t, label: t.nightPages, shown: t.nightsShown }, (to) => `?page=${to}`)}
<p><a href="/retention">${texts.retention.link}</a></p>`;
  return page(visit, t.kept, body, { place: '/snapshots' });
}

/** Undefined before the first run has made the repository. */
async function historyOf({ resources, session }: PersonVisit): Promise<History | undefined> {
  try {
    return await openPersonHistory(resources, session.userId);
  } catch (error) {
    if (isAppError(error, 'repository/not-found')) return undefined;
    throw error;
  }
}

async function nothingThere(visit: PersonVisit, history: History | undefined): Promise<Response> {
  const t = visit.texts.snapshots;
  if (await isErasing(visit)) return page(visit, t.title, erasingCard(visit.texts), { place: '/snapshots' });
  const isDamaged = history !== undefined && history.damaged > 0;
  const said = isDamaged ? unreadable(history, visit.texts) : html`<p class="soft">${t.none}</p>`;
  return page(visit, t.title, html`${said}`, { place: '/snapshots' });
}

import { randomUUID } from 'node:crypto';
import { html } from 'hono/html';
import { getPerson } from '../../database/nights/views.ts';
import {
  askForRestore,
  cancelRestore,
  endRestore,
  findRunningRestore,
  type RestoreView,
} from '../../database/repositories/restores.ts';
import { propertiesName, restorePlaceOf } from '../../domain/restore-place.ts';
import { isSourceName } from '../../domain/source-names.ts';
import { isAppError } from '../../errors.ts';
import { beginRestoreAuthorization, finishRestoreAuthorization } from '../../flows/restores/authorize-restore.ts';
import { beginRestoreToSource } from '../../flows/restores/restore-to-source.ts';
import type { AuthorizationTransaction } from '../../oidc/authorization.ts';
import type { TreeId } from '../../store/format/ids.ts';
import { openBudget } from '../../store/history/budget.ts';
import type { Weight } from '../../store/history/history.ts';
import { weigh } from '../../store/history/weigh.ts';
import { rememberPending } from '../cookies.ts';
import { icon } from '../icons.ts';
import { form } from '../layout.ts';
import { nightTimesIn } from '../night-times.ts';
import { stepsOf } from '../objects/labels.ts';
import { addressOf, folderAddress, type OpenSnapshot, openSnapshot, placeIn, restOfPath } from '../snapshot.ts';
import { notFound, type PersonVisit, page, zoneOf } from '../visit.ts';
import { canContinue, restoreWith } from './restore-state.ts';
import { stepsPart } from './restore-what.ts';

/** How many entries are counted, at most, to say how much there is. */
const reach = 60_000;

/** What a restore to the source means, before the person is sent to the provider. */
export async function restoring(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts, url } = visit;
  const t = texts.restores;
  const path = restOfPath(url, 'restore');
  const opened = await openSnapshot(visit);
  requireWriting(visit);
  const weight = await weightOf(visit, opened, path);
  const times = nightTimesIn(texts, await zoneOf(visit));
  const steps = await stepsOf(opened.history, opened.saved.snapshot.tree, path, { texts, times });
  const running = await findRunningRestore(resources.database, {
    userId: session.userId,
    now: resources.clock.now(),
  });
  const back = folderAddress(opened.saved, path);
  const place = restorePlaceOf(path, resources.config);
  const what = html`<dl class="facts"><div><dt>${t.what}</dt><dd>${path === '' ? t.all : stepsPart(steps)}</dd></div>
<div><dt>${t.asOf}</dt><dd>${times.moment(opened.saved.snapshot.time)}</dd></div>${weight ? html`<div><dt>${t.size}</dt><dd>${t.sizeOf[place](weight.files, texts.formats.bytes(weight.bytes))}</dd></div>` : ''}</dl>`;
  const act =
    running === null
      ? form(session, addressOf(opened.saved, 'restore', path), html`<button>${icon('restore')}${t.begin}</button>`)
      : html`<p>${t.running} <a href="/restores/${running.id}">${t.see}</a></p>`;
  const isAsFiles = place === 'files' && isOfOthers(opened, path);
  const { calendarsUrl, contactsUrl, mailUrl } = resources.config;
  const byItself = [(calendarsUrl ?? contactsUrl) && t.byItself, mailUrl && t.mailByItself].filter(Boolean).join(' ');
  const body = html`<section class="card"><p class="lead">${t.lead[place]}</p>${what}${isAsFiles ? html`<p>${t.asFiles} ${byItself}</p>` : ''}<ul><li>${t.newName[place]}</li><li>${t.access}</li><li>${t.notKept}</li></ul>
<div class="ways">${act}<a class="button quiet" href="${back}">${t.back}</a></div></section>`;
  return page(visit, isAsFiles ? t.titleAsFiles : t.title, body, { place: '/snapshots' });
}

/** Sends the person to the provider for an access that is good for this restore. */
export async function askRestore(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, url } = visit;
  const { clock, database } = resources;
  const { userId } = session;
  const path = restOfPath(url, 'restore');
  const opened = await openSnapshot(visit);
  requireWriting(visit);
  const expected = await weightOf(visit, opened, path);
  const running = await findRunningRestore(database, { userId, now: clock.now() });
  if (running !== null) return c.redirect(`/restores/${running.id}`, 303);
  const earlier = await earlierOne(visit, { snapshotId: opened.saved.id, path });
  const id = randomUUID();
  const { username } = await getPerson(database, { userId });
  const { url: target, transaction } = await beginRestoreAuthorization(resources, {
    returnTo: `/restores/${id}`,
    loginHint: username ?? undefined,
  });
  const asked = { id, userId, snapshotId: opened.saved.id, path, expected, folder: earlier?.folder };
  await askForRestore(database, { ...asked, at: clock.now() });
  // Whoever seems to be gone must not write beside it.
  if (earlier !== undefined) await cancelRestore(database, { id: earlier.id, userId, at: clock.now() });
  rememberPending(c, resources, { leg: 'restore', userId, restoreId: id, transaction });
  return c.redirect(target.href, 303);
}

/** The provider's answer to it. A no is put on record, and what is shown next says so. */
export async function takeRestoreAccess(
  { resources }: Pick<PersonVisit, 'resources'>,
  callback: URL,
  { userId, restoreId: id, transaction }: { userId: string; restoreId: string; transaction: AuthorizationTransaction },
): Promise<void> {
  const { clock, database } = resources;
  const { subject } = await getPerson(database, { userId });
  try {
    const granted = await finishRestoreAuthorization(resources, { callback, transaction, subject });
    await beginRestoreToSource(resources, { id, userId, granted });
  } catch (error) {
    if (!isAppError(error, 'consent/denied')) throw error;
    const nothing = { files: 0, bytes: 0, folder: null, problems: [], problemCount: 0, message: null, errorCode: null };
    await endRestore(database, id, { ...nothing, state: 'cancelled', at: clock.now() });
  }
}

/** The restore that this one continues, where it is one. Throws `request/not-found` for one of something else. */
async function earlierOne(
  visit: PersonVisit,
  { snapshotId, path }: { snapshotId: string; path: string },
): Promise<RestoreView | undefined> {
  const id = visit.url.searchParams.get('after');
  if (id === null) return undefined;
  const view = await restoreWith(visit, id);
  const isSame = view.snapshotId === snapshotId && view.path === path;
  if (!isSame || !canContinue(view, restorePlaceOf(path, visit.resources.config))) throw notFound();
  return view;
}

function requireWriting({ resources: { config } }: PersonVisit): void {
  if (config.filesWrite === 'off') throw notFound();
}

/** Whether there is something in it that did not come from files. */
function isOfOthers({ saved: { snapshot } }: OpenSnapshot, path: string): boolean {
  const [top = ''] = path.split('/');
  const tops = top === '' ? snapshot.paths.map((one) => one.replace(/^\//, '')) : [top];
  return tops.some((name) => isSourceName(name) && name !== 'files');
}

/**
 * How much there is to write, without what Nightkeep keeps beside the entries of a calendar, address book or mailbox, which becomes none; undefined
 * where counting would take too long. Throws `request/not-found`.
 */
async function weightOf(
  { c, resources }: PersonVisit,
  opened: OpenSnapshot,
  path: string,
): Promise<Weight | undefined> {
  const place = await placeIn(opened, path);
  if (place.type === 'file') return { files: 1, bytes: place.size };
  if (place.type !== 'root' && place.type !== 'dir') throw notFound();
  const weight = await weigh(opened.history, place.subtree, openBudget(reach, c.req.raw.signal));
  const becomes = restorePlaceOf(path, resources.config);
  if (weight === undefined || becomes === 'files') return weight;
  const ofOwn = becomes === 'mail' ? weight.records : await propertiesIn(opened, place.subtree);
  return { files: weight.files - (ofOwn?.files ?? 0), bytes: weight.bytes - (ofOwn?.bytes ?? 0) };
}

/** What Nightkeep keeps of a calendar or address book beside its entries. */
async function propertiesIn({ history }: OpenSnapshot, tree: TreeId): Promise<Weight> {
  const { nodes } = await history.repository.loadTree(tree);
  const node = nodes.find(({ name }) => name === propertiesName);
  return node?.type === 'file' ? { files: 1, bytes: node.size } : { files: 0, bytes: 0 };
}

import { randomUUID } from 'node:crypto';
import { html } from 'hono/html';
import { getPerson } from '../../database/nights/views.ts';
import {
  askForRestore,
  cancelRestore,
  endRestore,
  findRestore,
  findRunningRestore,
  type RestoreView,
} from '../../database/repositories/restores.ts';
import {
  mostNotes,
  propertiesName,
  type RestorePlace,
  restorePlaceOf,
  writtenInPart,
} from '../../domain/restore-place.ts';
import { isSourceName } from '../../domain/source-names.ts';
import { isAppError } from '../../errors.ts';
import { beginRestoreAuthorization, finishRestoreAuthorization } from '../../flows/restores/authorize-restore.ts';
import { beginRestoreToSource } from '../../flows/restores/restore-to-source.ts';
import type { AuthorizationTransaction } from '../../oidc/authorization.ts';
import type { TreeId } from '../../store/format/ids.ts';
import { openBudget } from '../../store/history/budget.ts';
import type { Weight } from '../../store/history/history.ts';
import { weigh } from '../../store/history/weigh.ts';
import { isUuid } from '../../uuid.ts';
import { rememberPending } from '../cookies.ts';
import { whyInWords } from '../english.ts';
import { icon } from '../icons.ts';
import { form, type Html, postButton } from '../layout.ts';
import { name, pathName } from '../names.ts';
import { nightTimesIn } from '../night-times.ts';
import { stepNames } from '../objects/labels.ts';
import { addressOf, type OpenSnapshot, openSnapshot, placeIn, restOfPath } from '../snapshot.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { notFound, type PersonVisit, page, zoneOf } from '../visit.ts';

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
  const steps = await stepNames(opened.history, opened.saved.snapshot.tree, path, { texts, times });
  const running = await findRunningRestore(resources.database, {
    userId: session.userId,
    now: resources.clock.now(),
  });
  const back = addressOf(opened.saved, 'browse', folderOf(path));
  const place = restorePlaceOf(path, resources.config);
  const what = html`<dl class="facts"><div><dt>${t.what}</dt><dd>${path === '' ? t.all : steps.map((step, index) => html`${index === 0 ? '' : ' / '}${name(step)}`)}</dd></div>
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

/** How far a restore to the source is, and what came of it. */
export async function restored(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  const t = texts.restores;
  const view = await restoreOf(visit);
  const place = restorePlaceOf(view.path, resources.config);
  const zone = await zoneOf(visit);
  const isRunning = view.state === 'running';
  const cancel =
    isRunning && view.cancelledAt === null
      ? html`<div class="ways">${postButton(session, `/restores/${view.id}/cancel`, t.cancel, 'quiet')}</div>`
      : '';
  const address = addressOf({ id: view.snapshotId }, 'restore', view.path);
  const further = canContinue(view, place)
    ? html`<p>${t.continues}</p>${form(session, `${address}?after=${view.id}`, html`<button>${icon('restore')}${t.continue}</button>`)}`
    : '';
  const body = html`<section class="card ${view.state === 'succeeded' && notesOf(view).length > 0 ? 'warn' : tones[view.state]}"><div role="status"><p class="lead">${standing(t, view, place)}</p>${view.message ? html`<p class="capital">${whyInWords(texts, view.errorCode ?? '', name(view.message))}</p>` : ''}</div>
${isRunning ? progressOf(texts, view) : ''}${factsOf(texts, view, { zone, place })}${cancel}${further}</section>${problemsOf(texts, view)}${notesPart(texts, view)}
<p><a href="/snapshots/${view.snapshotId.slice(0, 16)}/browse/">${t.toSnapshot}</a></p>`;
  if (isRunning) visit.c.header('refresh', '3');
  return page(visit, t.stateTitle, body, { place: '/snapshots' });
}

function standing(t: Texts['restores'], view: RestoreView, place: RestorePlace): string {
  const { cancelledAt, folder, state } = view;
  if (state === 'running' && cancelledAt !== null) return t.cancelling;
  if (state === 'succeeded' && notesOf(view).length > 0) return t.withoutFlags;
  return state === 'failed' && folder === null ? t.failedBefore : t.states[place][state];
}

/** Stops a restore; what it wrote stays. */
export async function cancelRestoring(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { id } = await restoreOf(visit);
  await cancelRestore(resources.database, { id, userId: session.userId, at: resources.clock.now() });
  return c.redirect(`/restores/${id}`, 303);
}

const tones: Readonly<Record<RestoreView['state'], string>> = {
  asked: '',
  running: '',
  succeeded: 'good',
  partial: 'warn',
  failed: 'bad',
  cancelled: '',
  lost: 'bad',
};

/** Of mail, what is there is found again. */
function canContinue({ folder, state }: RestoreView, place: RestorePlace): boolean {
  return place === 'mail' && folder !== null && /^(partial|failed|cancelled|lost)$/.test(state);
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

function restoreOf(visit: PersonVisit): Promise<RestoreView> {
  return restoreWith(visit, visit.c.req.param('id') ?? '');
}

async function restoreWith({ resources, session }: PersonVisit, id: string): Promise<RestoreView> {
  const asked = { id, userId: session.userId, now: resources.clock.now() };
  const view = isUuid(id) ? await findRestore(resources.database, asked) : null;
  if (view === null) throw notFound();
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

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

function progressOf({ restores: t }: Texts, { bytes, expectedBytes }: RestoreView): Html {
  const known = expectedBytes !== null && expectedBytes > 0;
  return html`<progress aria-label="${t.progress}" ${known ? html`max="${expectedBytes}" value="${Math.min(bytes, expectedBytes)}"` : ''}></progress>`;
}

function factsOf(
  { formats, holding, restores: t }: Texts,
  view: RestoreView,
  { zone, place }: { zone: string; place: RestorePlace },
): Html {
  const fact = (name: string, value: Html | string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const time = (at: Date | null) => (at === null ? '–' : formats.time(at, zone));
  const of = view.expectedFiles === null ? '' : t.of(formats.number(view.expectedFiles));
  return html`<dl class="facts">${fact(t.what, view.path === '' ? t.all : pathName(view.path, holding))}${view.folder === null ? '' : fact(t.folder[place], name(view.folder))}
${fact(t.written[place], `${formats.number(view.files)}${of}`)}${fact(t.bytes, formats.bytes(view.bytes))}${fact(t.started, time(view.startedAt))}${view.finishedAt === null ? '' : fact(t.finished, time(view.finishedAt))}</dl>`;
}

interface Problem {
  readonly path: string;
  readonly code?: unknown;
  readonly message: string;
}

function problemsOf(texts: Texts, { problems, problemCount }: RestoreView): Html | '' {
  if (problemCount === 0) return '';
  const { formats, restores: t } = texts;
  const shown = (Array.isArray(problems) ? problems : []).filter(isProblem).filter((one) => !isNote(one));
  const rest = problemCount - shown.length;
  return html`<section class="card"><h2>${t.problems(formats.number(problemCount))}</h2>${table({
    caption: t.problemsCaption,
    columns: [{ label: t.path }, { label: t.why }],
    rows: shown.map((problem) => rowOf(texts, problem)),
  })}${rest > 0 ? html`<p class="soft">${t.more(formats.number(rest))}</p>` : ''}</section>`;
}

/** What is written, but not with everything that the snapshot has of it. */
function notesPart(texts: Texts, view: RestoreView): Html | '' {
  const notes = notesOf(view);
  if (notes.length === 0) return '';
  const { restores: t } = texts;
  return html`<section class="card"><h2>${t.notes}</h2>${table({
    caption: t.notes,
    columns: [{ label: t.path }, { label: t.why }],
    rows: notes.map((note) => rowOf(texts, note)),
  })}${notes.length < mostNotes ? '' : html`<p class="soft">${t.mostNotes}</p>`}</section>`;
}

function rowOf(texts: Texts, { path, code, message }: Problem): Html[] {
  // What it says has names in it.
  return [pathName(path), whyInWords(texts, typeof code === 'string' ? code : '', name(message))];
}

function notesOf({ problems }: RestoreView): Problem[] {
  return (Array.isArray(problems) ? problems : []).filter(isProblem).filter(isNote);
}

function isNote({ code }: Problem): boolean {
  return code === writtenInPart;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value;
}

import { html } from 'hono/html';
import { cancelRestore, findRestore, type RestoreView } from '../../database/repositories/restores.ts';
import { mostNotes, type RestorePlace, restorePlaceOf, writtenInPart } from '../../domain/restore-place.ts';
import { isUuid } from '../../uuid.ts';
import { whyInWords } from '../english.ts';
import { icon } from '../icons.ts';
import { form, type Html, postButton } from '../layout.ts';
import { type LiveParts, liveBody, liveEvents, liveHead, lookEveryMs } from '../live.ts';
import { name, pathName } from '../names.ts';
import { addressOf, folderAddress } from '../snapshot.ts';
import { table } from '../table.ts';
import type { Texts } from '../texts/en.ts';
import { notFound, type PersonVisit, page, zoneOf } from '../visit.ts';
import { whatIsRestored } from './restore-what.ts';

/** How far a restore to the source is, and what came of it. */
export async function restored(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  const t = texts.restores;
  const view = await restoreOf(visit);
  const shown = await shownFor(visit, view);
  const parts = partsOf(visit, view, shown);
  const isRunning = view.state === 'running';
  const cancel =
    isRunning && view.cancelledAt === null
      ? html`<div class="ways">${postButton(session, `/restores/${view.id}/cancel`, t.cancel, 'quiet')}</div>`
      : '';
  const address = addressOf({ id: view.snapshotId }, 'restore', view.path);
  const further = canContinue(view, restorePlaceOf(view.path, resources.config))
    ? html`<p>${t.continues}</p>${form(session, `${address}?after=${view.id}`, html`<button>${icon('restore')}${t.continue}</button>`)}`
    : '';
  const body = html`<section class="card ${view.state === 'succeeded' && notesOf(view).length > 0 ? 'warn' : tones[view.state]}" ${isRunning ? html`data-live="/restores/${view.id}/events"` : ''}>${liveBody(parts)}${cancel}${further}</section>${problemsOf(texts, view)}${notesPart(texts, view)}
<p><a href="${folderAddress({ id: view.snapshotId }, view.path)}">${t.toSnapshot}</a></p>`;
  return page(visit, t.stateTitle, body, { place: '/snapshots', head: isRunning ? liveHead(5) : '' });
}

/** What changes on the page of a restore, as server-sent events, until the restore ends. */
export async function restoreEvents(visit: PersonVisit): Promise<Response> {
  const { resources, session } = visit;
  const asking = await restoreOf(visit);
  const { id } = asking;
  const shown = await shownFor(visit, asking);
  return liveEvents(visit, async () => {
    const asked = { id, userId: session.userId, now: resources.clock.now() };
    const view = await findRestore(resources.database, asked);
    return view?.state === 'running' ? { parts: partsOf(visit, view, shown), againMs: lookEveryMs } : undefined;
  });
}

/** What stays the same on its page. */
interface Shown {
  readonly what: Html | string;
  readonly zone: string;
}

async function shownFor(visit: PersonVisit, view: RestoreView): Promise<Shown> {
  const zone = await zoneOf(visit);
  return { what: await whatIsRestored(visit, view, zone), zone };
}

function partsOf(
  { resources, texts }: Pick<PersonVisit, 'resources' | 'texts'>,
  view: RestoreView,
  shown: Shown,
): LiveParts {
  const place = restorePlaceOf(view.path, resources.config);
  const why =
    view.message && html`<p class="capital">${whyInWords(texts, view.errorCode ?? '', name(view.message))}</p>`;
  return {
    status: html`<p class="lead">${standing(texts.restores, view, place)}</p>${why}`,
    facts: html`${view.state === 'running' ? progressOf(texts, view) : ''}${factsOf(texts, view, { ...shown, place })}`,
  };
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

/** Whether it can be continued: of mail, what is there is found again and not written twice. */
export function canContinue({ folder, state }: RestoreView, place: RestorePlace): boolean {
  return place === 'mail' && folder !== null && /^(partial|failed|cancelled|lost)$/.test(state);
}

function restoreOf(visit: PersonVisit): Promise<RestoreView> {
  return restoreWith(visit, visit.c.req.param('id') ?? '');
}

/** The restore of this id. Throws `request/not-found` where it is none of the person's. */
export async function restoreWith({ resources, session }: PersonVisit, id: string): Promise<RestoreView> {
  const asked = { id, userId: session.userId, now: resources.clock.now() };
  const view = isUuid(id) ? await findRestore(resources.database, asked) : null;
  if (view === null) throw notFound();
  return view;
}

function progressOf({ restores: t }: Texts, { bytes, expectedBytes }: RestoreView): Html {
  const known = expectedBytes !== null && expectedBytes > 0;
  return html`<progress aria-label="${t.progress}" ${known ? html`max="${expectedBytes}" value="${Math.min(bytes, expectedBytes)}"` : ''}></progress>`;
}

function factsOf(
  { formats, restores: t }: Texts,
  view: RestoreView,
  { what, zone, place }: Shown & { place: RestorePlace },
): Html {
  const fact = (name: string, value: Html | string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const time = (at: Date | null) => (at === null ? '–' : formats.time(at, zone));
  const of = view.expectedFiles === null ? '' : t.of(formats.number(view.expectedFiles));
  return html`<dl class="facts">${fact(t.what, what)}${view.folder === null ? '' : fact(t.folder[place], name(view.folder))}
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
  const shown = listProblems(problems).filter((one) => !isNote(one));
  const rest = problemCount - shown.length;
  return html`<section class="card"><h2>${t.problems(formats.number(problemCount))}</h2>${problemsTable(texts, t.problemsCaption, shown)}${rest > 0 ? html`<p class="soft">${t.more(formats.number(rest))}</p>` : ''}</section>`;
}

/** What is written, but not with everything that the snapshot has of it. */
function notesPart(texts: Texts, view: RestoreView): Html | '' {
  const notes = notesOf(view);
  if (notes.length === 0) return '';
  const { restores: t } = texts;
  return html`<section class="card"><h2>${t.notes}</h2>${problemsTable(texts, t.notes, notes)}${notes.length < mostNotes ? '' : html`<p class="soft">${t.mostNotes}</p>`}</section>`;
}

function problemsTable(texts: Texts, caption: string, problems: readonly Problem[]): Html {
  const { path, why } = texts.restores;
  return table({ caption, columns: [{ label: path }, { label: why }], rows: problems.map((one) => rowOf(texts, one)) });
}

function rowOf(texts: Texts, { path, code, message }: Problem): Html[] {
  // What it says has names in it.
  return [pathName(path), whyInWords(texts, typeof code === 'string' ? code : '', name(message))];
}

function notesOf({ problems }: RestoreView): Problem[] {
  return listProblems(problems).filter(isNote);
}

/** The problems in a row; what is none there is left out. */
function listProblems(problems: unknown): Problem[] {
  return Array.isArray(problems) ? problems.filter(isProblem) : [];
}

function isNote({ code }: Problem): boolean {
  return code === writtenInPart;
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value;
}

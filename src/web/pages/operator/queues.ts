import { html } from 'hono/html';
import type { AuditView } from '../../../database/audit.ts';
import { isAppError } from '../../../errors.ts';
import { drainNight, pauseNight, type QueueView, resumeNight, viewQueue } from '../../../flows/nights/switch-night.ts';
import { form, type Html } from '../../layout.ts';
import { plainName, name as safeName } from '../../names.ts';
import { queueBoardPath } from '../../queue-board.ts';
import { table } from '../../table.ts';
import type { Texts } from '../../texts/en.ts';
import { wordFor } from '../../texts/word.ts';
import type { PersonVisit } from '../../visit.ts';
import { figure, getWords, operatorOf, operatorPage, timesOf, wordsOf, zoneNote } from './frame.ts';

const jobsShown = 50;
const place = '/operator/queues';

/** The queue as it is, and what stops or moves the whole night. */
export async function queues(visit: PersonVisit): Promise<Response> {
  const { resources, texts, url } = visit;
  const t = texts.operator.queues;
  const told = wordFor(t.told, url.searchParams.get('told') ?? '');
  const said = told === undefined ? '' : html`<p class="card" role="status">${told}</p>`;
  try {
    const view = await viewQueue(resources, { limit: jobsShown });
    const body = html`${said}${stateCard(visit, view)}${figures(view, texts)}${jobsCard(visit, view)}
${zoneNote(visit)}`;
    return operatorPage(visit, { title: t.title, place, body });
  } catch (error) {
    const isDamaged = isAppError(error, 'queue/damaged');
    if (!isDamaged && !isAppError(error, 'queue/unavailable')) throw error;
    const words = isDamaged ? html`${t.damaged}</p><p class="soft" lang="en">${error.message}` : t.away;
    return operatorPage(visit, {
      title: t.title,
      place,
      body: html`${said}<div class="card bad"><p>${words}</p></div>`,
    });
  }
}

/** Workers take no run more. */
export async function pause(visit: PersonVisit): Promise<Response> {
  const paused = await pauseNight(visit.resources, { by: operatorOf(visit), words: await wordsOf(visit) });
  return visit.c.redirect(`${place}?told=${paused ? 'paused' : 'unchanged'}`, 303);
}

/** Workers take runs again, whoever paused the queue. */
export async function resume(visit: PersonVisit): Promise<Response> {
  const resumed = await resumeNight(visit.resources, { by: operatorOf(visit), words: await wordsOf(visit) });
  return visit.c.redirect(`${place}?told=${resumed ? 'resumed' : 'unchanged'}`, 303);
}

/** The step before the night is ended early, in which the operator says why. */
export async function draining(visit: PersonVisit): Promise<Response> {
  const t = visit.texts.operator.queues;
  const inner = html`<label>${t.why} <input name="reason" required maxlength="500" autocomplete="off"></label><p><button class="danger">${t.drainNow}</button></p>`;
  const body = html`<section class="card bad"><p>${t.drainLead}</p>${form(visit.session, `${place}/drain`, inner)}</section><p><a href="${place}">${t.back}</a></p>`;
  return operatorPage(visit, { title: t.drainTitle, place, body });
}

/** Ends the night early. Throws `request/invalid` without a reason. */
export async function drain(visit: PersonVisit): Promise<Response> {
  const words = await getWords(visit);
  const skipped = await drainNight(visit.resources, { by: operatorOf(visit), words });
  return visit.c.redirect(`${place}?told=${skipped > 0 ? 'drained' : 'nothing-waits'}`, 303);
}

function stateCard(visit: PersonVisit, { paused, by, kind }: QueueView): Html {
  const { session, texts } = visit;
  const t = texts.operator.queues;
  const time = timesOf(visit);
  const why = html`<label>${t.why} <input name="reason" maxlength="500" autocomplete="off"></label>`;
  const lead = !paused ? t.runs : by === null ? t.pausedElsewhere : t.pausedBy(actorOf(by.by, texts), time(by.at));
  const reason = by?.reason ? html`<p><bdi>${t.reason(by.reason)}</bdi></p>` : '';
  const act = paused
    ? form(session, `${place}/resume`, html`${why}<p class="acts"><button>${t.resume}</button></p>`)
    : html`<p class="soft">${t.pauseLead}</p>${form(
        session,
        `${place}/pause`,
        html`${why}<p class="acts"><button class="quiet">${t.pause}</button>
<a class="button quiet" href="${place}/drain">${t.drain}</a></p>`,
      )}`;
  const tone = paused ? (by === null ? 'bad' : 'warn') : '';
  return html`<section class="card ${tone}"><p class="lead"><strong><bdi>${lead}</bdi></strong></p>${reason}<p class="soft">${paused && by !== null ? `${t.pausedNote} ` : ''}${t.place[kind]}</p>${act}</section>`;
}

function actorOf({ kind, id, name }: AuditView['by'], texts: Texts): string {
  const word = texts.operator.audit.actors[kind] ?? kind;
  return id === null ? word : `${word}, ${plainName(name ?? (kind === 'command' ? id : texts.operator.somebody))}`;
}

function figures({ counts }: QueueView, texts: Texts): Html {
  const t = texts.operator.queues;
  const one = (name: 'waiting' | 'active' | 'delayed') =>
    figure(t[name], texts.formats.number(counts[name]), t.notes[name]);
  return html`<div class="figures">${one('waiting')}${one('active')}${one('delayed')}</div>`;
}

function jobsCard(visit: PersonVisit, { jobs }: QueueView): Html {
  const { resources, texts } = visit;
  const t = texts.operator.queues;
  const time = timesOf(visit);
  const columns = [t.job, texts.operator.grants.person, t.state, t.since, texts.operator.person.tries].map((label) => ({
    label,
  }));
  const rows = jobs.map(({ id, state, queuedAt, tries, user }) => [
    html`<code>${id}</code>`,
    user === null ? '' : html`<a href="/operator/people/${user.id}">${safeName(user.name)}</a>`,
    t.states[state],
    time(queuedAt),
    tries === null ? '' : texts.formats.number(tries),
  ]);
  const list = rows.length === 0 ? html`<p class="soft">${t.noJobs}</p>` : table({ caption: t.jobs, columns, rows });
  const board = resources.config.queueBoard === 'off' ? '' : html`<p><a href="${queueBoardPath}">${t.board}</a></p>`;
  return html`<section class="card"><h2>${t.jobs}</h2><p class="soft">${t.jobsLead(jobsShown)}</p>${list}${board}</section>`;
}

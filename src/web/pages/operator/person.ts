import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../../database/consent/grant-views.ts';
import { listPeople, listRunsForOperators, type OperatorRun, type PersonRow } from '../../../database/people/people.ts';
import { findVerification, type VerificationRow } from '../../../database/repositories/verifications.ts';
import { goneSince } from '../../../domain/damage.ts';
import { isSourceName } from '../../../domain/source-names.ts';
import { findProtection } from '../../../flows/nights/find-protection.ts';
import { stateOfQueue } from '../../../flows/nights/view-tonight.ts';
import { isUuid } from '../../../uuid.ts';
import { form, type Html } from '../../layout.ts';
import { plainName, name as safeName } from '../../names.ts';
import { outcome } from '../../outcome.ts';
import { table } from '../../table.ts';
import { sourceWords } from '../../texts/source-words.ts';
import { wordFor } from '../../texts/word.ts';
import { notFound, type PersonVisit } from '../../visit.ts';
import { happenedWords, toneOf } from '../protection-words.ts';
import { causeOf } from './causes.ts';
import { operatorPage, queueCard, timesOf, zoneNote } from './frame.ts';
import { stateWords } from './grants.ts';

const runsShown = 50;

/** One person: how they stand, their nights, and what an operator can do; nothing of their files. */
export async function person(visit: PersonVisit): Promise<Response> {
  const { resources, texts, url } = visit;
  const found = await getPersonOf(visit);
  const { database } = resources;
  const [grant, protection, runs, verified, queue] = await Promise.all([
    findGrantOfPerson(database, { userId: found.id }),
    findProtection(resources, found.id),
    listRunsForOperators(database, { userId: found.id, limit: runsShown }),
    findVerification(database, found.id),
    stateOfQueue(resources.queues),
  ]);
  const t = texts.operator.person;
  const told = wordFor(t.told, url.searchParams.get('told') ?? '');
  const body = html`${told === undefined ? '' : html`<p class="card" role="status">${told}</p>`}
${queueCard(queue, texts, t.allPaused)}
<section class="card ${toneOf(protection) === 'good' && queue === 'runs' ? 'good' : 'warn'}"><p class="capital"><strong>${t.verdicts[protection.verdict]}</strong></p>
<p class="soft">${t.reads(happenedWords(texts, protection, found.zone ?? undefined))}</p>${restorablePart(visit, verified)}</section>
<div class="columns">${whoCard(visit, found)}${consentCard(visit, found, grant)}</div>${actsCard(visit, found)}${runsCard(visit, runs)}
<p><a href="/operator/audit?person=${found.id}">${t.audit}</a></p>${zoneNote(visit)}`;
  return operatorPage(visit, { title: plainName(nameOf(found)), place: '/operator/grants', body });
}

/** When their snapshots were last found restorable, and how much is damaged: never what. */
function restorablePart(visit: PersonVisit, verified: VerificationRow | null): Html {
  const { texts } = visit;
  const t = texts.operator.person;
  const time = timesOf(visit);
  const { damage = null, foundAt = null, errorCode = null, verifiedAt = null } = verified ?? {};
  const gone = verified?.damageState === 'gone' ? goneSince(verified) : null;
  const state = gone === null ? wordFor(t.damages, verified?.damageState ?? '') : undefined;
  const files = damage === null ? 0 : damage.files.length;
  return html`<p>${texts.home.verified}: ${verifiedAt === null ? texts.home.notVerified : time(verifiedAt)}</p>${errorCode === null ? '' : html`<p>${t.notVerified(causeOf({ state: 'failed', errorCode }, texts))} <span class="soft small">${errorCode}</span></p>`}
${gone === null ? '' : html`<p><strong>${t.gone(time(gone))}</strong></p>`}${damage === null || foundAt === null ? '' : html`<p><strong>${t.damaged(files, damage.snapshots.length + (damage.removed?.length ?? 0), time(foundAt))}</strong>${state === undefined ? '' : ` (${state})`}</p>`}`;
}

/** The person whom the address names. Throws `request/not-found`. */
export async function getPersonOf({ c, resources }: PersonVisit): Promise<PersonRow> {
  const userId = c.req.param('person') ?? '';
  const [found] = isUuid(userId) ? await listPeople(resources.database, { userId, limit: 1 }) : [];
  if (found === undefined) throw notFound();
  return found;
}

/** How operators see a person: by user name, or by subject if the provider sent none. */
export function nameOf({ username, subject }: PersonRow): string {
  return username ?? subject;
}

function whoCard(visit: PersonVisit, { id, name, subject, issuer, lastSignedInAt }: PersonRow): Html {
  const { texts } = visit;
  const t = texts.operator.person;
  const time = timesOf(visit);
  return html`<section class="card"><h2>${t.who}</h2><dl>${name === null ? '' : html`<dt>${t.name}</dt><dd>${safeName(name)}</dd>`}
<dt>${t.id}</dt><dd><code>${id}</code></dd><dt>${t.subject}</dt><dd>${safeName(subject)}</dd><dt>${t.issuer}</dt><dd>${issuer}</dd>
<dt>${t.signedIn}</dt><dd>${lastSignedInAt === null ? t.never : time(lastSignedInAt)}</dd></dl></section>`;
}

function consentCard(visit: PersonVisit, found: PersonRow, grant: GrantView | null): Html {
  const { texts } = visit;
  const { person: t, grants } = texts.operator;
  const time = timesOf(visit);
  const state = html`<dt>${t.state}</dt><dd>${stateWords(found, grants)}</dd>`;
  if (grant === null) return html`<section class="card"><h2>${t.consent}</h2><dl>${state}</dl></section>`;
  const living = grant.state === 'active' || grant.state === 'suspect';
  const { windowStart, windowEnd, zone, nextDueAt, paused, sources } = found;
  const names = (sources ?? []).filter(isSourceName);
  return html`<section class="card"><h2>${t.consent}</h2><dl>${state}<dt>${t.lastUsed}</dt><dd>${time(grant.lastExchangedAt)}</dd>
${grant.nextExchangeAt && grant.state !== 'active' && grant.state !== 'withdrawn' ? html`<dt>${t.asked}</dt><dd>${time(grant.nextExchangeAt)}</dd>` : ''}
${living ? html`<dt>${grants.idle}</dt><dd>${time(grant.idleDeadline)}</dd>` : ''}
${living && grant.maxDeadline ? html`<dt>${grants.max}</dt><dd>${time(grant.maxDeadline)}</dd>` : ''}
${names.length === 0 ? '' : html`<dt>${t.sources}</dt><dd>${sourceWords(texts, names)}</dd>`}
${zone === null ? '' : html`<dt>${t.window}</dt><dd>${windowStart}–${windowEnd} (${zone})</dd>`}
${living && nextDueAt !== null ? html`<dt>${t.next}</dt><dd>${paused ? grants.paused : time(nextDueAt)}</dd>` : ''}</dl></section>`;
}

/** Each act is a form of its own, and takes a reason along. */
function actsCard({ session, texts }: PersonVisit, { id, state, paused }: PersonRow): Html {
  const t = texts.operator.person;
  const living = state === 'active' || state === 'suspect';
  const doubted = state === 'suspect' || state === 'needs_consent';
  const act = (name: string, label: string) =>
    html`<button class="quiet" formaction="/operator/people/${id}/${name}">${label}</button>`;
  const acts = html`<label>${t.why} <input name="reason" autocomplete="off" maxlength="500"></label><p class="acts">
${doubted ? act('ask-again', t.askAgain) : ''}${living ? act('run', t.run) : ''}
${state === null || state === 'withdrawn' ? '' : paused ? act('resume', t.resume) : act('pause', t.pause)}${act('sign-out', t.signOut)}
${state === null || state === 'withdrawn' ? '' : html`<a class="button quiet" href="/operator/people/${id}/withdraw">${t.withdraw}</a>`}</p>`;
  return html`<section class="card"><h2>${t.actions}</h2><p class="soft">${t.actionsLead}</p>${form(session, `/operator/people/${id}/sign-out`, acts)}</section>`;
}

function runsCard(visit: PersonVisit, runs: readonly OperatorRun[]): Html {
  const { texts } = visit;
  const t = texts.operator.person;
  const time = timesOf(visit);
  const columns = [t.night, t.outcome, t.cause, t.tries, t.started, t.took].map((label) => ({ label }));
  const rows = runs.map(({ night, state, errorCode, problemCount, attempt, startedAt, finishedAt }) => [
    texts.formats.night(night),
    outcome(state, texts),
    state === 'partial' || state === 'failed' || (state === 'queued' && errorCode !== null)
      ? html`${causeOf({ state, errorCode }, texts)}<br><span class="soft small">${[errorCode, problemCount === 0 ? null : t.notRead(problemCount)].filter((word) => word !== null).join(' · ')}</span>`
      : '',
    attempt === 0 ? '' : String(attempt),
    startedAt === null ? '' : time(startedAt),
    startedAt === null || finishedAt === null ? '' : texts.formats.duration(finishedAt.getTime() - startedAt.getTime()),
  ]);
  const list = rows.length === 0 ? html`<p class="soft">${t.noRuns}</p>` : table({ caption: t.runs, columns, rows });
  return html`<section class="card"><h2>${t.runs}</h2><p class="soft">${t.runsLead}</p>${list}</section>`;
}

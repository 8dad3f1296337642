import { html } from 'hono/html';
import { type PauseOutcome, savePause, saveResumed } from '../../../database/nights/plans.ts';
import { endWebSessionsOf } from '../../../database/people/web-sessions.ts';
import { isAppError } from '../../../errors.ts';
import { withdrawConsent } from '../../../flows/consent/withdraw-consent.ts';
import { askAgain } from '../../../flows/custody/ask-again.ts';
import { requestNewRun } from '../../../flows/nights/request-run.ts';
import { letGoOfSignedOut } from '../../../flows/snapshots/let-go.ts';
import { form } from '../../layout.ts';
import { name as safeName } from '../../names.ts';
import type { PersonVisit } from '../../visit.ts';
import { getWords, operatorOf, operatorPage, wordsOf } from './frame.ts';
import { getPersonOf, nameOf } from './person.ts';

/** What an operator does about one person. Each act goes into the audit, and leads back to the page of the person. */

/** The provider is asked at once for a consent that it refused. */
export async function askAgainFor(visit: PersonVisit): Promise<Response> {
  const { id, grantId, state } = await getPersonOf(visit);
  if (grantId === null || state === 'withdrawn') return back(visit, id, 'no-consent');
  if (state !== 'suspect' && state !== 'needs_consent') return back(visit, id, 'undoubted');
  const words = await wordsOf(visit);
  try {
    const asked = await askAgain(visit.resources, { grantId, by: operatorOf(visit), words });
    return back(visit, id, asked ? 'accepted' : 'asking');
  } catch (error) {
    if (!isAppError(error)) throw error;
    return back(visit, id, error.code === 'grant/not-usable' ? 'refused' : 'unanswered');
  }
}

/** A backup now, besides the nightly one. */
export async function runFor(visit: PersonVisit): Promise<Response> {
  const { id, planId } = await getPersonOf(visit);
  if (planId === null) return back(visit, id, 'no-run');
  const words = await wordsOf(visit);
  try {
    const asked = { planId, trigger: 'operator', by: operatorOf(visit), words } as const;
    return back(visit, id, (await requestNewRun(visit.resources, asked)).isNew ? 'run' : 'run-under-way');
  } catch (error) {
    if (!isAppError(error, 'grant/not-usable')) throw error;
    return back(visit, id, 'no-run');
  }
}

/** No new night begins. */
export async function pauseFor(visit: PersonVisit): Promise<Response> {
  const act = await actOf(visit);
  const paused = await savePause(visit.resources.database, { ...act, until: null });
  return back(visit, act.userId, toldOf(paused, 'paused'));
}

/** The nights go on. */
export async function resumeFor(visit: PersonVisit): Promise<Response> {
  const act = await actOf(visit);
  const resumed = await saveResumed(visit.resources.database, { ...act, own: false });
  return back(visit, act.userId, toldOf(resumed, 'resumed'));
}

function toldOf(outcome: PauseOutcome, saved: 'paused' | 'resumed'): string {
  if (outcome === 'saved') return saved;
  return outcome === 'ended' ? 'no-nights' : 'unchanged';
}

/** Every web session of the person ends here; the consent does not. */
export async function signOutFor(visit: PersonVisit): Promise<Response> {
  const act = await actOf(visit);
  const ended = await endWebSessionsOf(visit.resources.database, act);
  await letGoOfSignedOut(visit.resources);
  return back(visit, act.userId, ended ? 'signed-out' : 'unchanged');
}

/** What the audit keeps of an act: on whom, when, by whom and why. */
async function actOf(visit: PersonVisit) {
  const { id: userId } = await getPersonOf(visit);
  const words = await wordsOf(visit);
  return { userId, at: visit.resources.clock.now(), by: operatorOf(visit), words };
}

/** The step before a withdrawal, in which the operator says why. */
export async function withdrawalFor(visit: PersonVisit): Promise<Response> {
  const t = visit.texts.operator.person;
  const found = await getPersonOf(visit);
  const inner = html`<label>${t.why} <input name="reason" required maxlength="500" autocomplete="off"></label><p><button class="danger">${t.withdrawNow}</button></p>`;
  const body = html`<section class="card bad"><p class="lead"><strong>${safeName(nameOf(found))}</strong></p><p>${t.withdrawLead}</p>
${form(visit.session, `/operator/people/${found.id}/withdraw`, inner)}</section><p><a href="/operator/people/${found.id}">${t.back}</a></p>`;
  return operatorPage(visit, { title: t.withdrawTitle, place: '/operator/grants', body });
}

/** Ends the consent for the person. Throws `request/invalid` without a reason. */
export async function withdrawFor(visit: PersonVisit): Promise<Response> {
  const { id, grantId } = await getPersonOf(visit);
  const words = await getWords(visit);
  if (grantId === null) return back(visit, id, 'unchanged');
  const reason = 'withdrawn_by_operator';
  const ended = await withdrawConsent(visit.resources, { grantId, by: operatorOf(visit), reason, words });
  return back(visit, id, ended.withdrawn ? 'withdrawn' : 'unchanged');
}

function back({ c }: PersonVisit, userId: string, told: string): Response {
  return c.redirect(`/operator/people/${userId}?told=${told}`, 303);
}

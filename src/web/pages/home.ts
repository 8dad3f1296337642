import { html } from 'hono/html';
import { findHome, findPlanOfPerson, type HomeView, type RunView } from '../../database/views.ts';
import { requestRun } from '../../flows/nights/request-run.ts';
import { type Html, postButton } from '../layout.ts';
import { shownDay, shownTime, timesIn } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page, type Visit } from '../visit.ts';
import { endWarning, explanation, troubleNotice } from './consent-words.ts';

/** The welcome page, or the person's answer to "am I protected?". */
export async function home(visit: Visit): Promise<Response> {
  const { resources, session } = visit;
  if (session === undefined) {
    return page(
      visit,
      texts.welcome.title,
      html`<p class="lead">${texts.welcome.lead}</p><p><a class="button" href="/login">${texts.menu.signIn}</a></p>`,
    );
  }
  const view = await findHome(resources.database, { userId: session.userId });
  return page(visit, texts.home.title, bodyOf({ ...visit, session }, view), { place: '/' });
}

/** Asks for a run besides the schedule and shows it. */
export async function backUpNow({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const plan = await findPlanOfPerson(resources.database, { userId });
  if (plan === null) return c.redirect('/consent', 303);
  const runId = await requestRun(resources, { planId: plan.id, trigger: 'person' });
  return c.redirect(`/runs/${runId}`, 303);
}

function bodyOf(visit: PersonVisit, view: HomeView): Html {
  const { grant, plan } = view;
  const now = visit.resources.clock.now();
  const { sentence, tone, mend } = verdictOf(view, now);
  return html`${grant ? html`${endWarning(grant, now, plan?.zone)}${troubleNotice(grant)}` : ''}
<section class="card ${tone}"><p class="lead"><strong>${sentence}</strong></p>${grant ? explanation(grant) : ''}
${mend ? html`<p><a class="button" href="/consent">${grant ? texts.grant.again : texts.home.agree}</a></p>` : nights(visit, view)}</section>
${keyHint(view)}
<h2>${texts.home.recent}</h2>${runsTable(view.runs)}`;
}

/** The one sentence, how it looks, and whether consent is what mends it. */
function verdictOf({ grant, plan, lastGood }: HomeView, now: Date): { sentence: string; tone: string; mend: boolean } {
  if (grant === null || plan === null) return { sentence: texts.home.none, tone: 'warn', mend: true };
  if (grant.state === 'withdrawn') return { sentence: texts.home.expired, tone: 'warn', mend: true };
  if (grant.state === 'needs_consent') return { sentence: texts.home.expired, tone: 'bad', mend: true };
  if (grant.state === 'suspect') return { sentence: texts.home.suspect, tone: 'warn', mend: false };
  const at = lastGood?.finishedAt;
  if (!at) return { sentence: texts.home.underway, tone: 'warn', mend: false };
  if (now.getTime() - at.getTime() > 2 * 86_400_000) return { sentence: texts.home.late, tone: 'bad', mend: false };
  return { sentence: texts.home.protected, tone: 'good', mend: false };
}

function nights({ resources, session }: PersonVisit, { plan, lastGood }: HomeView): Html | '' {
  if (plan === null) return '';
  const { zone, windowStart, windowEnd } = plan;
  const day = shownDay(plan.nextDueAt, resources.clock.now(), zone);
  const last = lastGood?.finishedAt;
  return html`<dl><dt>${texts.home.last}</dt><dd>${last && lastGood ? html`<a href="/runs/${lastGood.id}">${shownTime(last, zone)}</a>` : texts.home.never}</dd>
<dt>${texts.home.next}</dt><dd>${plan.paused ? texts.home.paused : texts.home.nextValue(day, windowStart, windowEnd, zone)}</dd></dl>
${postButton(session, '/backup-now', texts.home.now)}`;
}

function keyHint({ repository, grant }: HomeView): Html | '' {
  if (repository === null || repository.recoverySeenAt !== null || grant?.state === 'withdrawn') return '';
  return html`<p class="card warn">${texts.home.recovery} <a href="/recovery">${texts.home.recoveryLink}</a></p>`;
}

function runsTable(runs: readonly RunView[]): Html {
  if (runs.length === 0) return html`<p class="soft">${texts.home.noRuns}</p>`;
  const time = timesIn(runs[0]?.plan.zone ?? 'UTC');
  const shown = (at: Date | null) => (at === null ? '–' : time(at));
  const row = (run: RunView) => html`<tr><td><a href="/runs/${run.id}">${run.night}</a></td>
<td><span class="word ${run.state}">${texts.states[run.state] ?? run.state}</span></td>
<td class="wide">${texts.triggers[run.trigger] ?? run.trigger}</td><td>${shown(run.startedAt)}</td><td class="wide">${shown(run.finishedAt)}</td></tr>`;
  return html`<div class="table"><table><caption>${texts.home.recent}</caption><thead><tr><th scope="col">${texts.run.night}</th><th scope="col">${texts.run.outcome}</th>
<th scope="col" class="wide">${texts.run.trigger}</th><th scope="col">${texts.run.started}</th><th scope="col" class="wide">${texts.run.finished}</th></tr></thead><tbody>${runs.map(row)}</tbody></table></div>`;
}

import { html } from 'hono/html';
import { findOperatorsToldAt } from '../../database/notices.ts';
import { findHome, findPlanOfPerson, type HomeView, type RunView } from '../../database/views.ts';
import type { Protection } from '../../domain/protection.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import { requestRun } from '../../flows/nights/request-run.ts';
import type { Resources } from '../../resources.ts';
import { type Html, postButton } from '../layout.ts';
import { outcome } from '../outcome.ts';
import { shownDay, shownTime, timesIn } from '../shown.ts';
import { table } from '../table.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page, type Visit } from '../visit.ts';
import { endingIn } from './consent-words.ts';
import { formerAddress } from './former-address.ts';
import { leadOf, reasonPart, toneOf, wayOn } from './protection-words.ts';

/** The home page with a word to whoever went back to an answer of the provider that is done with. */
export const alreadyHere = '/?answer=old';

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
  const { userId } = session;
  const [view, protection] = await Promise.all([
    findHome(resources.database, { userId }),
    findProtection(resources, userId),
  ]);
  const old = visit.url.searchParams.get('answer') === 'old';
  const told = await operatorTold(resources, protection);
  const former = protection.consent === 'none' ? await formerAddress({ ...visit, session }) : '';
  const body = html`${former}${old ? html`<p class="card" role="status">${texts.home.old}</p>` : ''}${bodyOf({ ...visit, session }, view, protection, told)}`;
  return page(visit, texts.home.title, body, { place: '/' });
}

/** Asks for a run besides the schedule and shows it. */
export async function backUpNow({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const plan = await findPlanOfPerson(resources.database, { userId });
  if (plan === null) return c.redirect('/consent', 303);
  const runId = await requestRun(resources, { planId: plan.id, trigger: 'person' });
  return c.redirect(`/runs/${runId}`, 303);
}

/** When operators were told of the cause, where they are the ones who can mend it. */
async function operatorTold({ database }: Resources, { by, reason, since }: Protection): Promise<Date | null> {
  return by === 'operator' ? findOperatorsToldAt(database, { reason, since }) : null;
}

/** One card with one verdict, whatever is wrong besides. */
function bodyOf(visit: PersonVisit, view: HomeView, protection: Protection, toldAt: Date | null): Html {
  return html`<section class="card ${toneOf(protection)}"><p class="lead"><strong>${leadOf(protection)}</strong></p>
${reasonPart(protection, view.plan?.zone)}${toldAt ? html`<p>${texts.notices.operatorTold(shownTime(toldAt, view.plan?.zone))}</p>` : ''}${wayOn(protection)}${protection.consent === 'living' ? nights(visit, view) : ''}</section>
${keyHint(view)}
<h2>${texts.home.recent}</h2>${runsTable(visit, view.runs)}`;
}

/** What was and what comes, while there is a consent to go on with. */
function nights({ resources, session }: PersonVisit, { grant, plan, lastComplete }: HomeView): Html | '' {
  if (plan === null || grant === null) return '';
  const { zone, windowStart, windowEnd } = plan;
  const now = resources.clock.now();
  const day = shownDay(plan.nextDueAt, now, zone);
  const last = lastComplete?.finishedAt;
  const ending = endingIn(grant, now);
  return html`<dl><dt>${texts.home.last}</dt><dd>${last && lastComplete ? html`<a href="/runs/${lastComplete.id}">${shownTime(last, zone)}</a>` : texts.home.never}</dd>
<dt>${texts.home.next}</dt><dd>${plan.paused ? texts.home.paused : texts.home.nextValue(day, windowStart, windowEnd, zone)}</dd>
${ending ? html`<dt>${texts.home.ends}</dt><dd>${texts.consentEnds.endsIn(ending.days)} <a href="/consent">${texts.consentEnds.renew}</a></dd>` : ''}</dl>
${postButton(session, '/backup-now', texts.home.now)}`;
}

function keyHint({ repository, grant }: HomeView): Html | '' {
  if (repository === null || repository.recoverySeenAt !== null || grant?.state === 'withdrawn') return '';
  return html`<p class="card warn">${texts.home.recovery} <a href="/recovery">${texts.home.recoveryLink}</a></p>`;
}

function runsTable({ texts }: PersonVisit, runs: readonly RunView[]): Html {
  if (runs.length === 0) return html`<p class="soft">${texts.home.noRuns}</p>`;
  const time = timesIn(runs[0]?.plan.zone ?? 'UTC');
  const shown = (at: Date | null) => (at === null ? '–' : time(at));
  const row = (run: RunView) => [
    html`<a href="/runs/${run.id}">${run.night}</a>`,
    outcome(run.state, texts),
    texts.triggers[run.trigger] ?? run.trigger,
    shown(run.startedAt),
    shown(run.finishedAt),
  ];
  const { night, outcome: came, trigger, started, finished } = texts.run;
  const columns = [night, came, trigger, started, finished].map((label) => ({ label }));
  return html`<div class="card">${table({ caption: texts.home.recent, columns, rows: runs.map(row) })}</div>`;
}

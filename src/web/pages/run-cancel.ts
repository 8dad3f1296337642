import { html } from 'hono/html';
import { cancelRun } from '../../database/nights/run-cancellations.ts';
import { postButton } from '../layout.ts';
import { type PersonVisit, page } from '../visit.ts';
import { getLiveRun, isLive } from './run-live.ts';

/** What cancelling a run means, before it is done. */
export async function cancellation(visit: PersonVisit): Promise<Response> {
  const { session, texts } = visit;
  const t = texts.live;
  const run = await getLiveRun(visit);
  const back = html`<a class="button quiet" href="/runs/${run.id}">${isLive(run) ? t.keepOn : texts.home.seeRun}</a>`;
  const body = isLive(run)
    ? html`<p class="lead">${t.cancelLead}</p><div class="ways">${postButton(session, `/runs/${run.id}/cancel`, t.cancelNow, 'danger')}${back}</div>`
    : html`<p class="lead">${t.over}</p><p>${back}</p>`;
  return page(visit, t.cancelTitle, html`<section class="card">${body}</section>`, { place: '/' });
}

/** Ends a run that waits or is being worked on; its worker lets go within a second. One that has ended stays as it is. */
export async function cancel(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { id: runId } = await getLiveRun(visit);
  const { userId } = session;
  const at = resources.clock.now();
  await cancelRun(resources.database, { userId, runId, at, by: `user:${userId}`, reason: 'cancelled by the person' });
  return c.redirect(`/runs/${runId}`, 303);
}

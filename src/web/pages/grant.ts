import { html } from 'hono/html';
import type { ExchangeView, GrantView } from '../../database/views.ts';
import { type Html, postButton } from '../layout.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page } from '../visit.ts';

const t = texts.grant;

/** The consent record, each use of it, and the way out. */
export async function grant(visit: PersonVisit): Promise<Response> {
  const { house, session } = visit;
  const view = await house.findGrant(session.userId);
  const body =
    view === null
      ? html`<p class="lead">${t.none}</p><p><a class="button" href="/consent">${texts.home.agree}</a></p>`
      : html`${record(view)}${uses(view, await house.listExchanges(session.userId))}${wayOut(visit, view)}`;
  return page(visit, t.title, body, { place: '/grant' });
}

export async function withdraw({ c, house, session }: PersonVisit): Promise<Response> {
  await house.withdrawConsent(session.userId);
  return c.redirect('/grant', 303);
}

function record(view: GrantView): Html {
  const zone = view.plans[0]?.zone;
  const [newest] = view.consents;
  return html`<dl class="card"><dt>${t.state}</dt><dd><strong>${t.states[view.state] ?? view.state}</strong></dd>
${newest ? html`<dt>${t.agreed}</dt><dd>${shownTime(newest.agreedAt, zone)}</dd>` : ''}
<dt>${t.provider}</dt><dd>${view.issuer}</dd><dt>${t.scope}</dt><dd>${view.scope}</dd>
${view.state === 'withdrawn' ? '' : html`<dt>${t.idle}</dt><dd>${shownTime(view.idleDeadline, zone)}</dd>`}
${view.maxDeadline ? html`<dt>${t.max}</dt><dd>${shownTime(view.maxDeadline, zone)}</dd>` : ''}</dl>
${newest ? html`<h2>${t.record}</h2><pre tabindex="0">${JSON.stringify(newest.terms, null, 2)}</pre>` : ''}`;
}

function uses(view: GrantView, exchanges: readonly ExchangeView[]): Html {
  const zone = view.plans[0]?.zone;
  const row = ({ startedAt, purpose, runId, verdict }: ExchangeView) => html`<tr><td>${shownTime(startedAt, zone)}</td>
<td>${runId ? html`<a href="/runs/${runId}">${t.purposes[purpose] ?? purpose}</a>` : (t.purposes[purpose] ?? purpose)}</td>
<td><span class="word ${verdict ?? ''}">${verdict === null ? t.open : (t.verdicts[verdict] ?? verdict)}</span></td></tr>`;
  if (exchanges.length === 0) return html`<h2>${t.use}</h2><p class="soft">${t.noUse}</p>`;
  return html`<h2>${t.use}</h2><p class="soft">${t.useLead}</p><div class="table"><table><thead><tr><th scope="col">${t.when}</th><th scope="col">${t.what}</th>
<th scope="col">${t.verdict}</th></tr></thead><tbody>${exchanges.map(row)}</tbody></table></div>`;
}

function wayOut({ session }: PersonVisit, { state }: GrantView): Html {
  const again = html`<p><a class="button" href="/consent">${t.again}</a></p>`;
  if (state === 'withdrawn') return again;
  return html`${state === 'active' ? '' : again}<h2>${t.withdrawTitle}</h2><p>${t.withdrawLead}</p>${postButton(session, '/grant/withdraw', t.withdraw, 'danger')}`;
}

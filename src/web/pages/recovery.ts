import { html } from 'hono/html';
import { findRepository } from '../../database/repositories.ts';
import { reissueRecoveryKey, revealRecoveryKey } from '../../flows/keys/recovery-key.ts';
import { postButton } from '../layout.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page, zoneOf } from '../visit.ts';

const t = texts.recovery;

/** How to get everything back without Nightkeep. The key itself is only ever the answer to a form. */
export async function recovery(visit: PersonVisit): Promise<Response> {
  const { database, store } = visit.resources;
  const repository = await findRepository(database, visit.session.userId);
  const seen = repository?.recoverySeenAt;
  const show = html`<p>${t.showLead}</p>${postButton(visit.session, '/recovery', t.show)}`;
  const again = html`<p>${seen ? t.seen(shownTime(seen, await zoneOf(visit))) : ''}</p><p>${t.reissueLead}</p>${postButton(visit.session, '/recovery/reissue', t.reissue, 'quiet')}`;
  const part = repository === null ? html`<p class="soft">${t.none}</p>` : seen ? again : show;
  const how = repository === null ? '' : commands(store(repository.location).location);
  return page(visit, t.title, html`<p class="lead">${t.lead}</p><div class="card">${part}</div>${how}`, {
    place: '/recovery',
  });
}

/** Shows the recovery key, once. */
export async function revealKey(visit: PersonVisit): Promise<Response> {
  const { recoveryKey, location } = await revealRecoveryKey(visit.resources, visit.session.userId);
  const body = html`<section class="card warn"><h2>${t.key}</h2><p class="key"><code>${recoveryKey}</code></p><p><strong>${t.keep}</strong></p></section>${commands(location)}`;
  return page(visit, t.title, body, { place: '/recovery' });
}

/** Ends the old recovery key and shows a new one, once. */
export async function reissueKey(visit: PersonVisit): Promise<Response> {
  await reissueRecoveryKey(visit.resources, visit.session.userId);
  visit.resources.histories.drop(visit.session.userId);
  return revealKey(visit);
}

/** restic asks for the password itself, so the key gets into no shell history. */
function commands(location: string) {
  const quoted = `'${location.replaceAll("'", `'\\''`)}'`;
  return html`<h2>${t.commands}</h2><p>${t.commandsLead}</p>
<pre tabindex="0"><code>export RESTIC_REPOSITORY=${quoted}
restic snapshots
restic restore latest --target ./restored</code></pre>`;
}

import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView, type SnapshotsView } from '../../database/consent/grant-views.ts';
import { AppError } from '../../errors.ts';
import { withdrawConsent } from '../../flows/consent/withdraw-consent.ts';
import {
  chooseErasure,
  type EraseChoice,
  eraseAtOf,
  eraseChoices,
  usualEraseChoice,
} from '../../flows/erasure/erase-choice.ts';
import { letGoOf } from '../../flows/snapshots/let-go.ts';
import { form, type Html } from '../layout.ts';
import { type LiveParts, liveBody, liveEvents, lookEveryMs } from '../live.ts';
import type { Texts } from '../texts/en.ts';
import { type PersonVisit, page } from '../visit.ts';

/**
 * The step in which a consent is withdrawn, with what becomes of the snapshots; it ends nothing yet. Once that is chosen, the second question: under
 * an address of its own, so that going back to it, or reloading it, sends no form again.
 */
export async function withdrawal(visit: PersonVisit): Promise<Response> {
  const { c, resources, session, texts, url } = visit;
  const t = texts.withdraw;
  const grant = await findGrantOfPerson(resources.database, { userId: session.userId });
  const chosenBefore = url.searchParams.get('snapshots');
  const choice = chosenBefore === null ? undefined : choiceNamed(chosenBefore);
  if (grant?.state === 'withdrawn' && choice === 'now' && grant.snapshots?.kept)
    return askTwice(visit, '/grant/snapshots', t.sureErase);
  if (grant === null || grant.state === 'withdrawn') return c.redirect('/grant', 303);
  if (choice !== undefined) return askBeforeEnd(visit, choice, grant);
  const { snapshots, plans } = grant;
  const choices = snapshots?.kept ? erasePart(texts, resources.clock.now(), plans[0]?.zone) : '';
  const ending = await resources.issuer.tokenEnding();
  const lead = ending === undefined ? t.leads.unknown : ending.revocation ? t.leads.ended : t.leads.destroyed;
  const body = html`<p class="lead">${lead}</p>
${form(session, '/grant/withdraw', html`${choices}<button class="danger">${t.choose}</button>`)}
<p><a href="/grant">${t.back}</a></p>`;
  return page(visit, t.title, body, { place: '/grant' });
}

/** What becomes of the snapshots after consent has ended, and how to change one's mind. */
export function snapshotsPart({ session, resources, texts }: PersonVisit, { snapshots, plans }: GrantView): Html | '' {
  const t = texts.withdraw;
  const zone = plans[0]?.zone;
  const now = resources.clock.now();
  if (snapshots === undefined) return '';
  const gone = receipt(texts, snapshots, zone);
  if (!snapshots.kept) return gone && html`<h2>${t.snapshots}</h2>${gone}`;
  if (areBeingErased(snapshots, now))
    return html`<h2>${t.snapshots}</h2><div data-live="/grant/events">${liveBody(erasingParts(texts))}</div>`;
  const { eraseAt } = snapshots;
  return html`<h2>${t.snapshots}</h2><p>${eraseAt === null ? t.stay : t.stayUntil(texts.formats.time(eraseAt, zone))}</p>
${form(session, '/grant/snapshots', html`${erasePart(texts, now, zone)}<button class="quiet">${t.change}</button>`)}`;
}

/** What becomes of snapshots that are being erased, as server-sent events: in the end the receipt. */
export async function erasingEvents(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  return liveEvents(visit, async () => {
    const grant = await findGrantOfPerson(resources.database, { userId: session.userId });
    const snapshots = grant?.state === 'withdrawn' ? grant.snapshots : undefined;
    if (snapshots === undefined) return undefined;
    if (areBeingErased(snapshots, resources.clock.now())) return { parts: erasingParts(texts), againMs: lookEveryMs };
    const said = receipt(texts, snapshots, grant?.plans[0]?.zone);
    return said === '' ? undefined : { parts: { status: said }, againMs: null };
  });
}

/** Whether they are due, and still there. */
export function areBeingErased({ kept, eraseAt }: SnapshotsView, now: Date): boolean {
  return kept && eraseAt !== null && eraseAt <= now;
}

function erasingParts({ withdraw: t }: Texts): LiveParts {
  return { status: html`<p class="card warn">${t.erasing}</p>` };
}

/** The proof that nothing is left. */
function receipt(
  { formats, withdraw: t }: Texts,
  { kept, erased }: SnapshotsView,
  zone: string | undefined,
): Html | '' {
  if (kept || erased === null) return '';
  const { at, snapshots, files, bytes, repositoryId } = erased;
  return html`<div class="card"><p><strong>${t.erased(formats.time(at, zone))}</strong></p>
<p>${t.erasedWhat(snapshots, files, formats.bytes(bytes))}</p><p class="soft">${t.repository} <code>${repositoryId}</code></p></div>`;
}

/** Ends the consent, once it was asked twice. */
export async function withdraw(visit: PersonVisit): Promise<Response> {
  const { c, resources } = visit;
  const { userId } = visit.session;
  const { choice, sure } = await chosen(visit);
  const grant = await findGrantOfPerson(resources.database, { userId });
  if (!sure) return c.redirect(`/grant/withdraw?snapshots=${choice}`, 303);
  const eraseAt = eraseAtOf(choice, resources.clock.now());
  letGoOf(resources, userId);
  if (grant === null) return c.redirect('/grant', 303);
  const { withdrawn } = await withdrawConsent(resources, { grantId: grant.id, by: `user:${userId}`, eraseAt });
  // It had ended, in another browser or by an operator: what was chosen here for the snapshots is still to be done.
  if (!withdrawn) await chooseErasure(resources, { userId, choice });
  return c.redirect('/grant', 303);
}

/** Another choice for the snapshots, after consent has ended. */
export async function changeSnapshots(visit: PersonVisit): Promise<Response> {
  const { c, resources } = visit;
  const { userId } = visit.session;
  const { choice, sure } = await chosen(visit);
  if (choice === 'now' && !sure) return c.redirect('/grant/withdraw?snapshots=now', 303);
  letGoOf(resources, userId);
  await chooseErasure(resources, { userId, choice });
  return c.redirect('/grant', 303);
}

/** The second question, with what becomes of the snapshots, so that nobody answers it by heart. */
function askBeforeEnd(visit: PersonVisit, choice: EraseChoice, grant: GrantView): Promise<Response> {
  const t = visit.texts.withdraw;
  if (choice === 'now') return askTwice(visit, '/grant/withdraw', t.sureWithdraw);
  const until = visit.texts.formats.time(eraseAtOf(choice, visit.resources.clock.now()), grant.plans[0]?.zone);
  const inner = html`<input type="hidden" name="snapshots" value="${choice}"><input type="hidden" name="sure" value="yes"><button class="danger">${t.sureEnd}</button>`;
  const body = html`<div class="card warn"><p class="lead">${t.sureEndLead}</p>${grant.snapshots?.kept ? html`<p>${t.stayUntil(until)}</p>` : ''}${form(visit.session, '/grant/withdraw', inner)}</div>
<p><a href="/grant">${t.back}</a></p>`;
  return page(visit, t.sureEndTitle, body, { place: '/grant' });
}

function askTwice(visit: PersonVisit, action: string, button: string): Promise<Response> {
  const t = visit.texts.withdraw;
  const inner = html`<input type="hidden" name="snapshots" value="now"><input type="hidden" name="sure" value="yes"><button class="danger">${button}</button>`;
  const body = html`<div class="card bad"><p class="lead">${t.sureLead}</p>${form(visit.session, action, inner)}</div>
<p><a href="/grant">${t.back}</a></p>`;
  return page(visit, t.sureTitle, body, { place: '/grant' });
}

async function chosen({ c }: PersonVisit): Promise<{ choice: EraseChoice; sure: boolean }> {
  const { snapshots = String(usualEraseChoice), sure } = await c.req.parseBody();
  return { choice: choiceNamed(snapshots), sure: sure === 'yes' };
}

function choiceNamed(name: unknown): EraseChoice {
  const choice = eraseChoices.find((one) => String(one) === name);
  if (choice === undefined)
    throw new AppError('request/invalid', 'Say how long your snapshots stay: choose one of those offered.');
  return choice;
}

function erasePart({ formats, withdraw: t }: Texts, now: Date, zone: string | undefined): Html {
  const radio = (
    choice: EraseChoice,
  ) => html`<label><input type="radio" name="snapshots" value="${choice}" ${choice === usualEraseChoice ? html`checked` : ''}>
<span>${choice === 'now' ? t.eraseNow : t.keepFor(choice, formats.time(eraseAtOf(choice, now), zone))}</span></label>`;
  return html`<fieldset><legend>${t.legend}</legend>${eraseChoices.map(radio)}</fieldset>`;
}

import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../database/consent/grant-views.ts';
import type { Protection } from '../../domain/protection.ts';
import { askAgainForPerson } from '../../flows/custody/ask-again.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import type { TokenEnding } from '../../oidc/token-ending.ts';
import { type Html, postButton } from '../layout.ts';
import { liveHead } from '../live.ts';
import type { Session } from '../session.ts';
import type { Texts } from '../texts/en.ts';
import { wordFor } from '../texts/word.ts';
import { type PersonVisit, page } from '../visit.ts';
import { endWarning } from './consent-words.ts';
import { lastsPart } from './grant-ends.ts';
import { recordPart } from './grant-record.ts';
import { isAboutConsent, reasonPart } from './protection-words.ts';
import { usesPart } from './uses.ts';
import { areBeingErased, snapshotsPart } from './withdraw.ts';

/** The consent record, each use of it, and the way out. */
export async function grant(visit: PersonVisit): Promise<Response> {
  const { userId } = visit.session;
  const [view, protection] = await Promise.all([
    findGrantOfPerson(visit.resources.database, { userId }),
    findProtection(visit.resources, userId),
  ]);
  const body = view === null ? nothing(visit.texts) : await bodyOf(visit, view, protection);
  const snapshots = view?.state === 'withdrawn' ? view.snapshots : undefined;
  const isErasing = snapshots !== undefined && areBeingErased(snapshots, visit.resources.clock.now());
  return page(visit, visit.texts.grant.title, body, { place: '/grant', head: isErasing ? liveHead(10) : '' });
}

/** Asks the provider at once whether it accepts the consent again; what came of it is on the page. */
export async function askAgain({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  await askAgainForPerson(resources, { userId });
  return c.redirect('/grant', 303);
}

function nothing({ grant: t, home }: Texts): Html {
  return html`<p class="lead">${t.none}</p><p><a class="button" href="/consent">${home.agree}</a></p>`;
}

async function bodyOf(visit: PersonVisit, view: GrantView, protection: Protection): Promise<Html> {
  const zone = view.plans[0]?.zone;
  const warning = endWarning(visit.texts, view, visit.resources.clock.now(), zone);
  const ending = view.revocation?.state === 'shredded' ? await visit.resources.issuer.tokenEnding() : undefined;
  return html`${warning}${standing(visit, view, { protection, ending, offersRenewal: warning === '' })}
${view.state === 'withdrawn' ? snapshotsPart(visit, view) : ''}${protection.consent === 'living' ? lastsPart(visit, view) : ''}${await recordPart(visit, view)}${await usesPart(visit, zone)}${wayOut(visit, view)}`;
}

function wayOut({ texts }: PersonVisit, { state }: GrantView): Html | '' {
  return state === 'withdrawn' ? '' : html`<p><a href="/grant/withdraw">${texts.grant.wayOut}</a></p>`;
}

interface Standing {
  protection: Protection;
  /** How tokens end at the provider, where one was withdrawn. */
  ending: TokenEnding | undefined;
  offersRenewal: boolean;
}

/** How the consent stands, why, and what mends it: what home says of it, where that concerns the consent. */
function standing(
  { session, texts }: PersonVisit,
  view: GrantView,
  { protection, ending, offersRenewal }: Standing,
): Html {
  const t = texts.grant;
  const zone = view.plans[0]?.zone;
  const { nextExchangeAt: next } = view;
  // An end that is known beforehand may have come before the provider was asked again.
  const state = protection.consent === 'ended' && view.state !== 'withdrawn' ? 'needs_consent' : view.state;
  const asked = (state === 'suspect' || state === 'needs_consent') && next;
  return html`<section class="card ${tones[state] ?? ''}"><dl><dt>${t.state}</dt><dd><strong>${wordFor(t.states, state) ?? state}</strong></dd>
${view.endedAt ? html`<dt>${t.ended}</dt><dd>${texts.formats.time(view.endedAt, zone)}</dd>` : ''}${revocation(texts, view, ending)}
<dt>${t.lastUsed}</dt><dd>${texts.formats.time(view.lastExchangedAt, zone)}</dd>
${asked ? html`<dt>${t.askedAgain}</dt><dd>${texts.formats.time(asked, zone)}</dd>` : ''}
</dl>
${tellsOfConsent(texts, protection) ? reasonPart(texts, protection, zone) : ''}${mend(t, session, { state, offersRenewal })}</section>`;
}

/** Not for an end that is still to come: that has a warning of its own. */
function tellsOfConsent(texts: Texts, { reason }: Protection): boolean {
  return isAboutConsent(texts, reason) && reason !== 'consent_ends';
}

function mend(
  t: Texts['grant'],
  session: Session,
  { state, offersRenewal }: { state: string; offersRenewal: boolean },
): Html | '' {
  const ask =
    state === 'suspect' || state === 'needs_consent' ? postButton(session, '/grant/ask-again', t.ask, 'quiet') : '';
  if (state !== 'active') return html`<p><a class="button" href="/consent">${t.again}</a></p>${ask}`;
  return offersRenewal ? html`<p><a href="/consent">${t.renew}</a></p>` : '';
}

const tones: Readonly<Record<string, string>> = { active: 'good', suspect: 'warn', needs_consent: 'bad' };

function revocation(
  { formats, grant: t }: Texts,
  { revocation: told, plans }: GrantView,
  ending: TokenEnding | undefined,
): Html | '' {
  const zone = plans[0]?.zone;
  if (told === undefined) return '';
  const page = ending?.page;
  const there = page === undefined ? t.endThereBy : html`<a href="${page}">${t.endThereAt}</a>`;
  return html`<dt>${t.token}</dt><dd>${t.revocation[told.state](formats.time(told.at, zone))}${told.state === 'shredded' ? html` ${t.endThere} ${there}` : ''}</dd>`;
}

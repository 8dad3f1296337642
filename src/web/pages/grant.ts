import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../database/grant-views.ts';
import type { Protection } from '../../domain/protection.ts';
import { askAgainForPerson } from '../../flows/custody/ask-again.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import type { TokenEnding } from '../../oidc/token-ending.ts';
import type { Session } from '../cookies.ts';
import { type Html, postButton } from '../layout.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page } from '../visit.ts';
import { endWarning } from './consent-words.ts';
import { isAboutConsent, reasonPart } from './protection-words.ts';
import { usesPart } from './uses.ts';
import { snapshotsPart } from './withdraw.ts';

const t = texts.grant;

/** The consent record, each use of it, and the way out. */
export async function grant(visit: PersonVisit): Promise<Response> {
  const { userId } = visit.session;
  const [view, protection] = await Promise.all([
    findGrantOfPerson(visit.resources.database, { userId }),
    findProtection(visit.resources, userId),
  ]);
  const body = view === null ? nothing : await bodyOf(visit, view, protection);
  return page(visit, t.title, body, { place: '/grant' });
}

/** Asks the provider at once whether it accepts the consent again; what came of it is on the page. */
export async function askAgain({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  await askAgainForPerson(resources, { userId });
  return c.redirect('/grant', 303);
}

const nothing = html`<p class="lead">${t.none}</p><p><a class="button" href="/consent">${texts.home.agree}</a></p>`;

async function bodyOf(visit: PersonVisit, view: GrantView, protection: Protection): Promise<Html> {
  const zone = view.plans[0]?.zone;
  const warning = endWarning(view, visit.resources.clock.now(), zone);
  const ending = view.revocation?.state === 'shredded' ? await visit.resources.issuer.tokenEnding() : undefined;
  return html`${warning}${standing(visit, view, { protection, ending, offersRenewal: warning === '' })}
${view.state === 'withdrawn' ? snapshotsPart(visit, view) : ''}${await usesPart(visit, zone)}${record(view)}${wayOut(view)}`;
}

function wayOut({ state }: GrantView): Html | '' {
  return state === 'withdrawn' ? '' : html`<p><a href="/grant/withdraw">${t.wayOut}</a></p>`;
}

interface Standing {
  protection: Protection;
  /** How tokens end at the provider, where one was withdrawn. */
  ending: TokenEnding | undefined;
  offersRenewal: boolean;
}

/** How the consent stands, why, and what mends it: what home says of it, where that concerns the consent. */
function standing({ session }: PersonVisit, view: GrantView, { protection, ending, offersRenewal }: Standing): Html {
  const zone = view.plans[0]?.zone;
  const { state, nextExchangeAt: next } = view;
  const living = state === 'active' || state === 'suspect';
  const asked = (state === 'suspect' || state === 'needs_consent') && next;
  return html`<section class="card ${tones[state] ?? ''}"><dl><dt>${t.state}</dt><dd><strong>${t.states[state] ?? state}</strong></dd>
${view.endedAt ? html`<dt>${t.ended}</dt><dd>${shownTime(view.endedAt, zone)}</dd>` : ''}${revocation(view, ending, zone)}
<dt>${t.lastUsed}</dt><dd>${shownTime(view.lastExchangedAt, zone)}</dd>
${asked ? html`<dt>${t.askedAgain}</dt><dd>${shownTime(asked, zone)}</dd>` : ''}
${living ? html`<dt>${t.idle}</dt><dd>${shownTime(view.idleDeadline, zone)}</dd>` : ''}
${living && view.maxDeadline ? html`<dt>${t.max}</dt><dd>${shownTime(view.maxDeadline, zone)}</dd>` : ''}</dl>
${tellsOfConsent(protection) ? reasonPart(protection, zone) : ''}${mend(session, state, offersRenewal)}</section>`;
}

/** The end that is still to come has a warning of its own. */
function tellsOfConsent({ reason }: Protection): boolean {
  return isAboutConsent(reason) && reason !== 'consent_ends';
}

function mend(session: Session, state: string, offersRenewal: boolean): Html | '' {
  const ask =
    state === 'suspect' || state === 'needs_consent' ? postButton(session, '/grant/ask-again', t.ask, 'quiet') : '';
  if (state !== 'active') return html`<p><a class="button" href="/consent">${t.again}</a></p>${ask}`;
  return offersRenewal ? html`<p><a href="/consent">${t.renew}</a></p>` : '';
}

const tones: Readonly<Record<string, string>> = { active: 'good', suspect: 'warn', needs_consent: 'bad' };

function revocation({ revocation: told }: GrantView, ending: TokenEnding | undefined, zone?: string): Html | '' {
  if (told === undefined) return '';
  const page = ending?.page;
  const there = page === undefined ? t.endThereBy : html`<a href="${page}">${t.endThereAt}</a>`;
  return html`<dt>${t.token}</dt><dd>${t.revocation[told.state](shownTime(told.at, zone))}${told.state === 'shredded' ? html` ${t.endThere} ${there}` : ''}</dd>`;
}

/** What was agreed, when and how. */
function record(view: GrantView): Html {
  const zone = view.plans[0]?.zone;
  const [newest, ...earlier] = view.consents;
  if (newest === undefined) return html``;
  return html`<h2>${t.record}</h2><dl class="card"><dt>${t.agreed}</dt><dd>${shownTime(newest.agreedAt, zone)} ${t.methods[newest.method] ?? newest.method}</dd>
${earlier.length === 0 ? '' : html`<dt>${t.earlier}</dt><dd>${earlier.map(({ agreedAt }) => shownTime(agreedAt, zone)).join('; ')}</dd>`}
<dt>${t.provider}</dt><dd>${view.issuer}</dd><dt>${t.scope}</dt><dd>${newest.scope}</dd></dl>
<pre tabindex="0">${JSON.stringify(newest.terms, null, 2)}</pre>${namesRetention(newest.terms) ? html`<p>${t.kept}</p>` : ''}`;
}

function namesRetention(terms: unknown): boolean {
  return typeof terms === 'object' && terms !== null && Object.hasOwn(terms, 'retention');
}

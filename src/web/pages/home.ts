import { html } from 'hono/html';
import { hasOperatorSignedIn } from '../../database/audit.ts';
import { listStatedMoves, type StatedMove } from '../../database/nights/files-moves.ts';
import { findHolding, type Holding, listNights } from '../../database/nights/night-views.ts';
import { findLiveRun } from '../../database/nights/run-progress.ts';
import {
  findHome,
  findPlanOfPerson,
  getPerson,
  type HomeView,
  type Person,
  type PlanView,
} from '../../database/nights/views.ts';
import { findOperatorsTold, type OperatorsTold } from '../../database/notices/notices.ts';
import { findLoss } from '../../database/repositories/lost-repositories.ts';
import { meansOf } from '../../domain/channels.ts';
import { dateIn, daysBetween, lastWindow, latestBegun, nightAround } from '../../domain/nights.ts';
import type { Protection } from '../../domain/protection.ts';
import { isOfRepository } from '../../domain/protection-causes.ts';
import { sourceNames } from '../../domain/source-names.ts';
import { previewUrl } from '../../domain/url-template.ts';
import { type FoundChoice, findSourceChoice } from '../../flows/consent/choose-sources.ts';
import { findProtection } from '../../flows/nights/find-protection.ts';
import { requestRun } from '../../flows/nights/request-run.ts';
import type { Resources } from '../../resources.ts';
import { icon } from '../icons.ts';
import { type Html, postButton } from '../layout.ts';
import { outcome } from '../outcome.ts';
import { firstNightOf } from '../plots/heat-map.ts';
import type { Texts } from '../texts/en.ts';
import { sourceWords } from '../texts/source-words.ts';
import { wordFor } from '../texts/word.ts';
import { type PersonVisit, page, type Visit } from '../visit.ts';
import { endingIn } from './consent-words.ts';
import { formerAddress } from './former-address.ts';
import { holdingCard, onlyEntriesUnread } from './home-holding.ts';
import { nightsCard, sizeCard } from './home-nights.ts';
import { runsTable } from './nights.ts';
import { leadOf, reasonPart, toneOf, wayOn } from './protection-words.ts';
import { refusedPart } from './refused-sources.ts';
import { eraseWords } from './retention.ts';
import { isHalted, isLive, liveCard, runHead } from './run-live.ts';

/**
 * The address of the home page with a word to whoever went back to an answer of the provider that is done with, or sent a form after
 * their session had ended.
 */
export function homePageSaying(what: keyof Visit['texts']['home']['told']): string {
  return `/?told=${what}`;
}

/** The welcome page, or the person's answer to "am I protected?". */
export async function home(visit: Visit): Promise<Response> {
  const { session } = visit;
  return session === undefined ? welcome(visit) : homeOf({ ...visit, session });
}

async function welcome(visit: Visit): Promise<Response> {
  const { menu, welcome: t } = visit.texts;
  const body = html`<p class="lead">${t.lead}</p><p><a class="button" href="/login">${menu.signIn}</a></p>${await setupHint(visit)}`;
  return page(visit, t.title, body);
}

async function homeOf(visit: PersonVisit): Promise<Response> {
  const { resources, session, texts } = visit;
  const { database } = resources;
  const { userId } = session;
  const [view, protection, holding, person, choice] = await Promise.all([
    findHome(database, { userId }),
    findProtection(resources, userId),
    findHolding(database, { userId }),
    getPerson(database, { userId }),
    findSourceChoice(resources, userId),
  ]);
  const { plan } = view;
  const isLiving = protection.consent === 'living';
  const now = resources.clock.now();
  const today = dateIn(plan?.zone ?? 'UTC', now);
  const underWay = view.runs.find(isLive);
  const [nights, live, moved, lostAt, halted, told] = await Promise.all([
    listNights(database, { userId, since: firstNightOf(today) }),
    underWay ? findLiveRun(database, { userId, runId: underWay.id }) : null,
    plan && isLiving ? listStatedMoves(database, plan.id) : [],
    findLoss(database, userId),
    isLiving ? isHalted(resources) : false,
    operatorTold(resources, protection, view.grant),
  ]);
  const above = await cardsAbove(visit, { view, protection, person, moved, lostAt });
  const year = { texts, nights, today, over: plan === null ? today : lastWindow(plan, now).night };
  const body = html`${above.cards}${verdictCard(visit, { view, protection, holding, told, asked: above.ask, halted })}${isLiving ? moreCard(texts, choice) : ''}${live === null ? '' : await liveCard(visit, live, html`<a href="/runs/${live.id}">${texts.live.see}</a>`)}${nightsCard(year)}
${plan === null ? '' : html`<div class="columns">${holdingCard({ texts, view, holding, person, choice, goesOn: isLiving })}${sizeCard(year)}</div>`}
${recent(visit, view)}`;
  return page(visit, texts.home.title, body, { place: '/', headed: true, head: runHead(live) });
}

interface Above {
  readonly view: HomeView;
  readonly protection: Protection;
  readonly person: Person;
  readonly moved: readonly StatedMove[];
  /** When the repository was lost that they had before. */
  readonly lostAt: Date | null;
}

/** The cards that stand above the verdict, and whether they ask something of the person. */
async function cardsAbove(
  visit: PersonVisit,
  { view, protection, person, moved, lostAt }: Above,
): Promise<{ cards: Html; ask: boolean }> {
  const { texts, url } = visit;
  const hasNoConsent = protection.consent === 'none';
  const former = hasNoConsent ? await formerAddress(visit) : '';
  const adopted = hasNoConsent && view.repository !== null ? adoptedCard(texts) : '';
  const lost = lostAt === null ? '' : lostCard(visit, { lostAt, view });
  const fetchedElsewhere = movedCards(visit, { moved, person, plan: view.plan });
  const what = url.searchParams.get('told') ?? '';
  const said = wordFor(texts.home.told, what);
  const saidCard = said === undefined ? '' : html`<p class="card" role="status">${said}</p>`;
  const hasKeyToKeep = lostAt !== null && view.repository !== null;
  return {
    cards: html`${former}${adopted}${lost}${fetchedElsewhere}${saidCard}`,
    ask: former !== '' || adopted !== '' || hasKeyToKeep || fetchedElsewhere !== '' || what === 'unsent',
  };
}

/** Somebody whose repository was taken over from a lost installation has not agreed again yet. */
function adoptedCard({ home: t }: Texts): Html {
  return html`<p class="card" role="status">${t.adopted} <a href="/snapshots">${t.adoptedSnapshots}</a></p>`;
}

/** Shown until they have kept the recovery key of a repository that a backup began anew. */
function lostCard(
  { texts: { formats, home: t } }: PersonVisit,
  { lostAt, view }: { lostAt: Date; view: HomeView },
): Html {
  const key = view.repository === null ? '' : html`<p><a class="button" href="/recovery">${t.snapshotsLostKey}</a></p>`;
  return html`<section class="card bad" role="status"><p>${t.snapshotsLost(formats.time(lostAt, view.plan?.zone))}</p>${key}</section>`;
}

/** What is fetched from an address that the operator stated, and that they did not agree to themselves. */
function movedCards(
  { texts }: PersonVisit,
  { moved, person, plan }: { moved: readonly StatedMove[]; person: Person; plan: PlanView | null },
): Html | '' {
  const { filesMoved, filesMovedAgree, filesMovedConsent } = texts.home;
  const newest = moved.filter(({ to }, at) => moved.findIndex((other) => other.to === to) === at);
  const lines = newest.flatMap(({ at, from, to }) => {
    const names = sourceNames.filter((name) => plan?.sources.some((one) => one.name === name && one.url === to));
    const [was = '', is = ''] = [from, to].map((address) => previewUrl(address, person));
    if (names.length === 0) return [];
    return [html`<p>${filesMoved(sourceWords(texts, names), texts.formats.time(at, plan?.zone), was, is)}</p>`];
  });
  if (lines.length === 0) return '';
  return html`<section class="card warn" role="status">${lines}
<p class="acts"><a class="button" href="/consent">${filesMovedAgree}</a> <a href="/grant">${filesMovedConsent}</a></p></section>`;
}

/** What the settings name and nobody has asked them about, where it could be backed up for them as well. */
function moreCard({ home: { more: t } }: Texts, choice: FoundChoice | null): Html | '' {
  if (choice === null || choice.unasked.length === 0) return '';
  return html`<section class="card"><p><strong>${t.what(choice.unasked)}</strong></p><p>${t.how}</p>
<p><a class="button quiet" href="/consent">${t.see}</a></p></section>`;
}

/** A word to whoever runs an installation that no operator has seen yet. */
async function setupHint({ resources, texts: { setup: t } }: Visit): Promise<Html | ''> {
  if (await hasOperatorSignedIn(resources.database)) return '';
  return html`<p class="card">${t.hint} <a href="/setup">${t.link}</a></p>`;
}

/** Asks for a run besides the schedule and shows it. */
export async function backUpNow({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const plan = await findPlanOfPerson(resources.database, { userId });
  if (plan === null) return c.redirect('/consent', 303);
  const runId = await requestRun(resources, { planId: plan.id, trigger: 'person' });
  return c.redirect(`/runs/${runId}`, 303);
}

/** When and how operators were notified of the cause, where they are the ones who can mend it. */
async function operatorTold(
  { database }: Resources,
  { by, reason, restorable, since }: Protection,
  grant: HomeView['grant'],
): Promise<OperatorsTold | null> {
  // What was counted while all was well with the person, or before they consented, was not about them.
  const wellUntil = isOfRepository(reason) ? restorable.damagedSince : since;
  return by === 'operator'
    ? findOperatorsTold(database, { reason, since: wellUntil ?? grant?.createdAt ?? null })
    : null;
}

interface Verdict {
  readonly view: HomeView;
  readonly protection: Protection;
  readonly holding: Holding | null;
  /** When and how the operator was told. */
  readonly told: OperatorsTold | null;
  /** A card above asks something of the person. */
  readonly asked: boolean;
  /** The night is paused for everybody. */
  readonly halted: boolean;
}

/** One card with one verdict, whatever is wrong besides; what mends it stands first. */
function verdictCard(visit: PersonVisit, { view, protection, holding, told, asked, halted }: Verdict): Html {
  const { texts } = visit;
  const zone = view.plan?.zone;
  const tone = toneOf(protection);
  const erased = eraseWords(visit, { eraseAt: view.repository?.eraseAt ?? null, zone });
  const unread = holding !== null && holding.id === protection.runId ? onlyEntriesUnread(holding) : undefined;
  const refused = protection.reason === 'unreadable' ? refusedPart(texts, holding?.refused ?? []) : '';
  const leftOut = holding?.id === protection.runId ? (holding?.leftOut ?? []) : [];
  const isAllLeftOut = protection.reason === 'unreadable' && leftOut.length > 0 && holding?.problemCount === 0;
  const reason = isAllLeftOut ? '' : reasonPart(texts, protection, zone, { asked });
  return html`<section class="card"><div class="verdict"><span class="sign ${tone}">${icon(signs[tone])}</span>
<div><p class="soft">${texts.home.title}</p><h1>${leadOf(texts, protection, unread)}</h1>${reason}${leftOut.length === 0 ? '' : html`<p>${texts.home.leftOutNow(sourceWords(texts, leftOut))}</p>`}${refused}
${told ? html`<p>${toldWords(texts, told, zone)}</p>` : ''}${erased === '' ? '' : html`<p>${erased}</p>`}</div>
<div class="ways">${wayOn(texts, protection)}${protection.consent === 'living' && view.plan !== null ? backUpButton(visit, protection) : ''}</div></div>
${protection.consent === 'living' ? facts(visit, { view, protection, halted }) : ''}</section>`;
}

function toldWords(
  { formats, notices: t }: Visit['texts'],
  { at, channel }: OperatorsTold,
  zone: string | undefined,
): string {
  return t.operatorTold(formats.time(at, zone), t.means[meansOf(channel) ?? 'json']);
}

const signs = { good: 'shield', warn: 'doubt', bad: 'breach' } as const;

/** Prominent only where the person has nothing else to do first. */
function backUpButton({ session, texts }: PersonVisit, { mend }: Protection): Html {
  const isFirst = ['nothing', 'back_up', 'wait', 'mend_service', 'mend_account'].includes(mend);
  return postButton(session, '/backup-now', texts.home.now, isFirst ? '' : 'quiet');
}

/** What was and what comes, while there is a consent to go on with. */
function facts(
  { resources, texts }: PersonVisit,
  { view, protection, halted }: Pick<Verdict, 'view' | 'protection' | 'halted'>,
): Html | '' {
  const { grant, plan, lastComplete, runs } = view;
  const { restorable } = protection;
  if (plan === null || grant === null) return '';
  const t = texts.home;
  const { zone, windowStart, windowEnd } = plan;
  const now = resources.clock.now();
  const last = lastEnded(runs);
  const link = (run: { id: string; finishedAt: Date | null } | null | undefined) =>
    run?.finishedAt ? html`<a href="/runs/${run.id}">${texts.formats.time(run.finishedAt, zone)}</a>` : t.never;
  const ending = endingIn(grant, now);
  const next = halted ? t.pausedForAll : t.nextValue(dayOf(texts, plan, now), windowStart, windowEnd, zone);
  return html`<dl class="facts"><div><dt>${t.lastOfAll}</dt><dd>${link(last)} ${last ? outcome(last.state, texts) : ''}</dd></div>
<div><dt>${t.last}</dt><dd>${lastComplete === null && runs.some(({ state }) => state === 'succeeded') ? t.noneLeft : link(lastComplete)}</dd></div>
<div><dt>${t.verified}</dt><dd><a href="/verification">${restorable.verifiedAt === null ? t.notVerified : texts.formats.time(restorable.verifiedAt, zone)}</a>${restorable.damage === 'accepted' ? ` ${t.butLost}` : ''}</dd></div>
<div><dt>${t.next}</dt><dd>${plan.paused ? pausedWords(texts, plan) : next}</dd></div>
${ending ? html`<div><dt>${t.ends}</dt><dd>${texts.consentEnds.endsIn(ending.days)} <a href="/consent">${texts.consentEnds.renew}</a></dd></div>` : ''}</dl>`;
}

/** The run that ended last: one that was asked for earlier may have waited longer. */
function lastEnded(runs: HomeView['runs']): HomeView['runs'][number] | undefined {
  const endOf = ({ finishedAt }: HomeView['runs'][number]) => finishedAt?.getTime() ?? 0;
  return runs.filter(({ finishedAt }) => finishedAt !== null).toSorted((one, other) => endOf(other) - endOf(one))[0];
}

/** The coming night as people call it now; a backup that is due after midnight may belong to the night before. */
function dayOf({ formats, home: t }: Texts, plan: PlanView, now: Date): string {
  const { nextDueAt: at, zone } = plan;
  const ahead = daysBetween(nightAround(zone, now).date, nightAround(zone, at).date);
  if (ahead <= 0) return t.tonight;
  return ahead === 1 ? t.comingNight : t.nightOf(formats.night(latestBegun(plan, at).night));
}

function pausedWords({ formats, home: t }: Texts, { pausedUntil, zone }: PlanView): string {
  return pausedUntil === null ? t.paused : t.pausedUntil(formats.time(pausedUntil, zone));
}

function recent({ texts }: PersonVisit, { runs }: HomeView): Html | '' {
  if (runs.length === 0) return '';
  return html`<h2 id="recent" tabindex="-1">${texts.home.recent}</h2>${runsTable(texts, runs, texts.home.recent)}
<p><a href="/nights">${texts.home.all}</a></p>`;
}

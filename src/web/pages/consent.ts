import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../database/consent/grant-views.ts';
import { getPerson, type Person } from '../../database/nights/views.ts';
import { findFormerPlan } from '../../database/repositories/adoptions.ts';
import { asRule } from '../../domain/retention/rule.ts';
import type { SourceName } from '../../domain/source-names.ts';
import { isFilledIn, urlOfPerson } from '../../domain/url-template.ts';
import { messageForPeople } from '../../errors.ts';
import {
  type AgreedFacts,
  type AgreedPlan,
  carryAgreement,
  chosenOf,
  digestOf,
  factsFor,
  findAgreement,
  namesAgreed,
  readRecord,
  sourcesAgreed,
  writeAgreement,
} from '../../flows/consent/agreement.ts';
import { beginConsent, findConsentObstacle } from '../../flows/consent/give-consent.ts';
import type { Resources } from '../../resources.ts';
import { rememberPending } from '../cookies.ts';
import { english } from '../english.ts';
import { form, type Html } from '../layout.ts';
import { localPath } from '../security.ts';
import type { Texts } from '../texts/en.ts';
import { wordFor } from '../texts/word.ts';
import { type PersonVisit, page } from '../visit.ts';
import { endWarning, sentencesPart } from './consent-words.ts';
import { formerAddress } from './former-address.ts';
import { sourceBox } from './source-box.ts';

/** What a person agrees to, before they are sent to the provider. */
export async function consent(visit: PersonVisit): Promise<Response> {
  const { searchParams } = visit.url;
  const { changed, chosen } = visit.texts.consent;
  const words = wordFor({ changed, chosen }, searchParams.get('told') ?? '');
  const told = words === undefined ? '' : html`<p class="card warn" role="status">${words}</p>`;
  const choice = searchParams.getAll('only');
  return show(visit, searchParams.get('returnTo') ?? undefined, { told, choice });
}

/** Sends the browser to the provider to consent, unless the sentences are others now than those that were read. */
export async function agree(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { userId } = session;
  const { config, database } = resources;
  const { returnTo, read, shown, only = [] } = await c.req.parseBody({ all: true });
  const wanted = typeof returnTo === 'string' ? returnTo : undefined;
  // A form without boxes is about all that its sentences name.
  const ticked = typeof shown === 'string' ? [only].flat().filter((name) => typeof name === 'string') : undefined;
  if (ticked?.length === 0) {
    const told = html`<p class="card bad" role="alert"><strong>${visit.texts.consent.chooseNone}</strong></p>`;
    return show(visit, wanted, { told, choice: [], status: 400 });
  }
  const [person, grant] = await Promise.all([getPerson(database, { userId }), findGrantOfPerson(database, { userId })]);
  const { facts, offered } = await asked(visit, { person, grant, choice: ticked ?? [] });
  if (facts.files !== undefined) urlOfPerson(config.filesUrl, person);
  const agreement = typeof read === 'string' ? findAgreement({ facts, digest: read }) : undefined;
  if (agreement === undefined) {
    const chosen = offered.filter(({ isChosen }) => isChosen).map(({ name }) => name);
    const told = ticked === undefined || chosen.join(' ') === shown ? 'changed' : 'chosen';
    const again = new URLSearchParams({ told, returnTo: localPath(wanted, config.publicUrl) });
    if (ticked !== undefined) for (const name of chosen) again.append('only', name);
    return c.redirect(`/consent?${again}`, 303);
  }
  const carried = carryAgreement(agreement);
  const { url, transaction } = await beginConsent(resources, {
    returnTo: localPath(wanted, config.publicUrl),
    terms: carried,
    ...(person.username && { loginHint: person.username }),
  });
  rememberPending(c, resources, { leg: 'consent', userId, transaction: { ...transaction, terms: carried } });
  return c.redirect(url.href, 303);
}

interface Showing {
  /** What came of a form that was sent before. */
  readonly told: Html | '';
  /** What of it is to be backed up; where that is nothing, what the person chose last, or else all. */
  readonly choice: readonly string[];
  readonly status?: 400;
}

async function show(
  visit: PersonVisit,
  wanted: string | undefined,
  { told, choice, status }: Showing,
): Promise<Response> {
  const { userId } = visit.session;
  const { clock, config, database } = visit.resources;
  const t = visit.texts.consent;
  const [person, grant] = await Promise.all([getPerson(database, { userId }), findGrantOfPerson(database, { userId })]);
  const { facts, offered } = await asked(visit, { person, grant, choice });
  const agreement = writeAgreement(facts, visit.texts);
  const obstacle = facts.files === undefined ? undefined : obstacleFor(person, config);
  const refusal = obstacle === undefined ? await findConsentObstacle(visit.resources) : undefined;
  const returnTo = localPath(wanted, config.publicUrl);
  const former = grant === null ? await formerAddress(visit) : '';
  const fields = html`<input type="hidden" name="returnTo" value="${returnTo}"><input type="hidden" name="read" value="${digestOf(agreement)}">`;
  const body = html`${told}${former}${obstacle === undefined ? '' : blocked(visit.texts, obstacle, returnTo)}${refusal === undefined ? '' : refusedBeforehand(visit.texts, refusal)}${grant ? renewing(visit, grant, clock.now()) : ''}
<p class="lead">${t.lead}</p>${sentencesPart(agreement)}
${obstacle === undefined ? form(visit.session, '/consent', html`${fields}${choicePart(visit.texts, offered)}<button>${t.agree}</button>`) : ''}
<p><a href="/">${t.back}</a></p>`;
  return page(visit, isAlive(grant) ? t.renewTitle : t.title, body, { ...(status && { status }) });
}

/** A box for each thing that can be backed up, where there are several; `shown` tells the form which of them the sentences name. */
function choicePart({ consent: t, holding }: Texts, offered: readonly Offered[]): Html | '' {
  if (offered.length < 2) return '';
  const shown = offered.filter(({ isChosen }) => isChosen).map(({ name }) => name);
  return html`<input type="hidden" name="shown" value="${shown.join(' ')}"><fieldset><legend>${t.choose}</legend>
${offered.map(({ name, isChosen }) => sourceBox({ field: 'only', name, isChosen }, holding))}<p class="soft">${t.chooseHow}</p></fieldset>`;
}

/** Something that can be backed up, and whether the sentences name it. */
interface Offered {
  readonly name: SourceName;
  readonly isChosen: boolean;
}

/**
 * What it is about, with the plan as it would be once they agree: not at a server that the settings do not name any more, and besides files only
 * with what their provider tells all of that the address needs. Of what is offered they left something out before, or do so now.
 */
async function asked(
  visit: PersonVisit,
  { person, grant, choice }: { person: Person; grant: GrantView | null; choice: readonly string[] },
): Promise<{ facts: AgreedFacts; offered: readonly Offered[] }> {
  const { config } = visit.resources;
  const plan = grant?.plans[0] ?? (await planBefore(visit));
  const all = sourcesAgreed(config, { method: 'browser', plan: plan?.sources }).filter(
    ({ name, url }) => name === 'files' || isFilledIn(url, person),
  );
  const isKnown = choice.length > 0 && all.some(({ name }) => choice.includes(name));
  const wanted = isKnown ? choice : chosenBefore(grant, all);
  const { sources, leftOut } = chosenOf(all, wanted);
  const offered = all.map(({ name }) => ({ name, isChosen: wanted.includes(name) }));
  return { facts: factsFor(config, { person, plan, sources, leftOut }), offered };
}

/** All but what the person left out: when they agreed last, or since. */
function chosenBefore(grant: GrantView | null, all: readonly { readonly name: SourceName }[]): readonly SourceName[] {
  const [newest] = grant?.consents ?? [];
  const names = all.map(({ name }) => name);
  if (newest === undefined) return names;
  const { leftOut = [] } = readRecord(newest.terms).facts;
  const agreed = namesAgreed(newest.terms);
  const planned = grant?.plans[0]?.sources ?? [];
  const isLeftOut = (name: SourceName) =>
    leftOut.includes(name) || (agreed.has(name) && planned.every((source) => source.name !== name));
  const left = names.filter((name) => !isLeftOut(name));
  return left.length === 0 ? names : left;
}

/** The plan of somebody whose repository was taken over from a lost installation. */
async function planBefore({ resources, session: { userId } }: PersonVisit): Promise<AgreedPlan | undefined> {
  const former = await findFormerPlan(resources.database, userId);
  if (former === null) return undefined;
  return { ...former, kept: former.retentionAgreedAt === null ? null : asRule(former.retention) };
}

/** Why no night could work, whatever is agreed; undefined where nothing is in the way. */
function obstacleFor(person: Person, { filesUrl }: Resources['config']): string | undefined {
  try {
    urlOfPerson(filesUrl, person);
    return undefined;
  } catch (error) {
    return messageForPeople(error);
  }
}

/** The claims are those of the last sign-in, so the way on is another one. */
function blocked(texts: Texts, obstacle: string, returnTo: string): Html {
  const t = texts.consent;
  const target = `/consent?returnTo=${encodeURIComponent(returnTo)}`;
  return html`<section class="card bad"><h2>${t.blocked}</h2><p>${t.blockedLead}</p><p>${english(texts, obstacle)}</p>
<p><a class="button" href="/login?returnTo=${encodeURIComponent(target)}">${t.signInAgain}</a></p></section>`;
}

/** Nobody is kept from trying: the provider would tell them the same. */
function refusedBeforehand(texts: Texts, refusal: string): Html {
  const t = texts.consent;
  return html`<section class="card bad"><h2>${t.refused}</h2><p>${english(texts, refusal)}</p><p>${t.refusedTold}</p></section>`;
}

function isAlive(grant: GrantView | null): boolean {
  return grant?.state === 'active' || grant?.state === 'suspect';
}

function renewing({ texts }: PersonVisit, grant: GrantView, now: Date): Html | '' {
  const [newest] = grant.consents;
  if (!isAlive(grant) || newest === undefined) return '';
  const zone = grant.plans[0]?.zone;
  return html`${endWarning(texts, grant, now, zone)}<p class="card">${texts.consent.renewing(texts.formats.time(newest.agreedAt, zone))}</p>`;
}

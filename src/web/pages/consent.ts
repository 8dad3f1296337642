import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../database/consent/grant-views.ts';
import { getPerson, type Person } from '../../database/nights/views.ts';
import { findFormerPlan } from '../../database/repositories/adoptions.ts';
import { asRule } from '../../domain/retention/rule.ts';
import { isFilledIn, urlOfPerson } from '../../domain/url-template.ts';
import { messageForPeople } from '../../errors.ts';
import {
  type AgreedFacts,
  type AgreedPlan,
  carryAgreement,
  digestOf,
  factsFor,
  findAgreement,
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
import { type PersonVisit, page } from '../visit.ts';
import { endWarning, sentencesPart } from './consent-words.ts';
import { formerAddress } from './former-address.ts';

/** What a person agrees to, before they are sent to the provider. */
export async function consent(visit: PersonVisit): Promise<Response> {
  const { searchParams } = visit.url;
  const told =
    searchParams.get('told') === 'changed'
      ? html`<p class="card warn" role="status">${visit.texts.consent.changed}</p>`
      : '';
  return show(visit, searchParams.get('returnTo') ?? undefined, told);
}

/** Sends the browser to the provider to consent, unless the sentences are others now than those that were read. */
export async function agree(visit: PersonVisit): Promise<Response> {
  const { c, resources, session } = visit;
  const { userId } = session;
  const { config, database } = resources;
  const { returnTo, read } = await c.req.parseBody();
  const wanted = typeof returnTo === 'string' ? returnTo : undefined;
  const [person, grant] = await Promise.all([getPerson(database, { userId }), findGrantOfPerson(database, { userId })]);
  urlOfPerson(config.filesUrl, person);
  const facts = await factsAsked(visit, { person, grant });
  const agreement = typeof read === 'string' ? findAgreement({ facts, digest: read }) : undefined;
  if (agreement === undefined) {
    const again = new URLSearchParams({ told: 'changed', returnTo: localPath(wanted, config.publicUrl) });
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

async function show(visit: PersonVisit, wanted: string | undefined, told: Html | ''): Promise<Response> {
  const { userId } = visit.session;
  const { clock, config, database } = visit.resources;
  const t = visit.texts.consent;
  const [person, grant] = await Promise.all([getPerson(database, { userId }), findGrantOfPerson(database, { userId })]);
  const agreement = writeAgreement(await factsAsked(visit, { person, grant }), visit.texts);
  const obstacle = obstacleFor(person, config);
  const refusal = obstacle === undefined ? await findConsentObstacle(visit.resources) : undefined;
  const returnTo = localPath(wanted, config.publicUrl);
  const former = grant === null ? await formerAddress(visit) : '';
  const fields = html`<input type="hidden" name="returnTo" value="${returnTo}"><input type="hidden" name="read" value="${digestOf(agreement)}">`;
  const body = html`${told}${former}${obstacle === undefined ? '' : blocked(visit.texts, obstacle, returnTo)}${refusal === undefined ? '' : refusedBeforehand(visit.texts, refusal)}${grant ? renewing(visit, grant, clock.now()) : ''}
<p class="lead">${t.lead}</p>${sentencesPart(agreement)}
${obstacle === undefined ? form(visit.session, '/consent', html`${fields}<button>${t.agree}</button>`) : ''}
<p><a href="/">${t.back}</a></p>`;
  return page(visit, isAlive(grant) ? t.renewTitle : t.title, body);
}

/**
 * What it is about, with the plan as it would be once they agree: not at a server that the settings do not name any more, and besides files only
 * with what their provider tells all of that the address needs.
 */
async function factsAsked(
  visit: PersonVisit,
  { person, grant }: { person: Person; grant: GrantView | null },
): Promise<AgreedFacts> {
  const { config } = visit.resources;
  const plan = grant?.plans[0] ?? (await planBefore(visit));
  const sources = sourcesAgreed(config, { method: 'browser', plan: plan?.sources }).filter(
    ({ name, url }) => name === 'files' || isFilledIn(url, person),
  );
  return factsFor(config, { person, plan, sources });
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

/** Whoever agrees all the same is told the same by the provider, so nobody is kept from trying. */
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

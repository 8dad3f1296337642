import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../database/grant-views.ts';
import { getPerson, type Person } from '../../database/views.ts';
import { previewUrl, urlOfPerson } from '../../domain/url-template.ts';
import { messageForPeople } from '../../errors.ts';
import { beginConsent } from '../../flows/consent/give-consent.ts';
import type { Resources } from '../../resources.ts';
import { rememberPending } from '../cookies.ts';
import { form, type Html } from '../layout.ts';
import { localPath } from '../security.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page } from '../visit.ts';
import { endWarning } from './consent-words.ts';
import { formerAddress } from './former-address.ts';

const t = texts.consent;

/** What a person agrees to, before they are sent to the provider. */
export async function consent(visit: PersonVisit): Promise<Response> {
  const { userId } = visit.session;
  const { clock, config, database } = visit.resources;
  const person = await getPerson(database, { userId });
  const { files, window } = termsFor(person, config);
  const obstacle = obstacleFor(person, config);
  const returnTo = localPath(visit.url.searchParams.get('returnTo') ?? undefined, config.publicUrl);
  const grant = await findGrantOfPerson(database, { userId });
  const former = grant === null ? await formerAddress(visit) : '';
  const first = obstacle === undefined ? '' : blocked(obstacle, returnTo);
  const body = html`${former}${first}${grant ? renewing(grant, clock.now()) : ''}<p class="lead">${t.lead}</p>
<dl class="card"><dt>${t.what}</dt><dd>${t.whatValue(files)}</dd>
<dt>${t.when}</dt><dd>${t.whenValue(window.start, window.end, window.zone)}</dd>
<dt>${t.kept}</dt><dd>${t.keptValue}</dd>
<dt>${t.how}</dt><dd>${t.howValue}</dd><dt>${t.end}</dt><dd>${t.endValue}</dd></dl>
${obstacle === undefined ? form(visit.session, '/consent', html`<input type="hidden" name="returnTo" value="${returnTo}"><button>${t.agree}</button>`) : ''}
<p><a href="/">${t.back}</a></p>`;
  return page(visit, isAlive(grant) ? t.renewTitle : t.title, body);
}

/** Sends the browser to the provider to consent. */
export async function agree({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const { config, database } = resources;
  const { returnTo } = await c.req.parseBody();
  const person = await getPerson(database, { userId });
  urlOfPerson(config.filesUrl, person);
  const { url, transaction } = await beginConsent(resources, {
    returnTo: localPath(typeof returnTo === 'string' ? returnTo : undefined, config.publicUrl),
    terms: { ...termsFor(person, config) },
    ...(person.username && { loginHint: person.username }),
  });
  rememberPending(c, resources, { leg: 'consent', userId, transaction });
  return c.redirect(url.href, 303);
}

/** What a person is asked to agree to, with their own names in the address as far as they are known before consent. */
function termsFor(person: Person, { filesUrl, window }: Resources['config']) {
  return { files: previewUrl(filesUrl, person), window, kept: 'all snapshots' };
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
function blocked(obstacle: string, returnTo: string): Html {
  const target = `/consent?returnTo=${encodeURIComponent(returnTo)}`;
  return html`<section class="card bad"><h2>${t.blocked}</h2><p>${t.blockedLead}</p><p>${obstacle}</p>
<p><a class="button" href="/login?returnTo=${encodeURIComponent(target)}">${t.signInAgain}</a></p></section>`;
}

function isAlive(grant: GrantView | null): boolean {
  return grant?.state === 'active' || grant?.state === 'suspect';
}

function renewing(grant: GrantView, now: Date): Html | '' {
  const [newest] = grant.consents;
  if (!isAlive(grant) || newest === undefined) return '';
  const zone = grant.plans[0]?.zone;
  return html`${endWarning(grant, now, zone)}<p class="card">${t.renewing(shownTime(newest.agreedAt, zone))}</p>`;
}

import { html } from 'hono/html';
import { findGrantOfPerson, type GrantView } from '../../database/grant-views.ts';
import { getPerson, type Person } from '../../database/views.ts';
import { previewUrl } from '../../domain/url-template.ts';
import { beginConsent } from '../../flows/consent/give-consent.ts';
import type { Resources } from '../../resources.ts';
import { rememberPending } from '../cookies.ts';
import { form, type Html } from '../layout.ts';
import { localPath } from '../security.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page } from '../visit.ts';
import { endWarning } from './consent-words.ts';

const t = texts.consent;

/** What a person agrees to, before they are sent to the provider. */
export async function consent(visit: PersonVisit): Promise<Response> {
  const { userId } = visit.session;
  const { clock, config, database } = visit.resources;
  const { files, window } = termsFor(await getPerson(database, { userId }), config);
  const returnTo = localPath(visit.url.searchParams.get('returnTo') ?? undefined, config.publicUrl);
  const grant = await findGrantOfPerson(database, { userId });
  const body = html`${grant ? renewing(grant, clock.now()) : ''}<p class="lead">${t.lead}</p>
<dl class="card"><dt>${t.what}</dt><dd>${t.whatValue(files)}</dd>
<dt>${t.when}</dt><dd>${t.whenValue(window.start, window.end, window.zone)}</dd>
<dt>${t.kept}</dt><dd>${t.keptValue}</dd>
<dt>${t.how}</dt><dd>${t.howValue}</dd><dt>${t.end}</dt><dd>${t.endValue}</dd></dl>
${form(visit.session, '/consent', html`<input type="hidden" name="returnTo" value="${returnTo}"><button>${t.agree}</button>`)}
<p><a href="/">${t.back}</a></p>`;
  return page(visit, isAlive(grant) ? t.renewTitle : t.title, body);
}

/** Sends the browser to the provider to consent. */
export async function agree({ c, resources, session: { userId } }: PersonVisit): Promise<Response> {
  const { config, database } = resources;
  const { returnTo } = await c.req.parseBody();
  const person = await getPerson(database, { userId });
  const { url, transaction } = await beginConsent(resources, {
    returnTo: localPath(typeof returnTo === 'string' ? returnTo : undefined, config.publicUrl),
    terms: { ...termsFor(person, config) },
    ...(person.username && { loginHint: person.username }),
  });
  rememberPending(c, resources, { leg: 'consent', userId, transaction });
  return c.redirect(url.href, 303);
}

/** What a person is asked to agree to, with their own names in the address as far as they are known before consent. */
function termsFor({ subject, username }: Person, { filesUrl, window }: Resources['config']) {
  return { files: previewUrl(filesUrl, { sub: subject, preferred_username: username }), window, kept: 'all snapshots' };
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

import { html } from 'hono/html';
import type { GrantView } from '../../database/grant-views.ts';
import { AppError } from '../../errors.ts';
import { endSession, rememberPending, startSession, takePending } from '../cookies.ts';
import type { Html } from '../layout.ts';
import { localPath } from '../security.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';
import { type PersonVisit, page, type Visit } from '../visit.ts';
import { endWarning } from './consent-words.ts';

/** Sends the browser to the provider to sign in. */
export async function login({ c, house, url }: Visit): Promise<Response> {
  const { url: target, transaction } = await house.beginSignIn(
    localPath(url.searchParams.get('returnTo') ?? undefined, house.publicUrl),
  );
  rememberPending(c, house, { leg: 'sign-in', transaction });
  return c.redirect(target.href, 302);
}

/** Ends the web session only; consent and nights go on. */
export async function logout({ c }: PersonVisit): Promise<Response> {
  endSession(c);
  return c.redirect('/', 303);
}

/** What a person agrees to, before they are sent to the provider. */
export async function consent(visit: PersonVisit): Promise<Response> {
  const { house, session, url } = visit;
  const { files, window, retention } = await house.termsFor(session.userId);
  const returnTo = localPath(url.searchParams.get('returnTo') ?? undefined, house.publicUrl);
  const t = texts.consent;
  const grant = await house.findGrant(session.userId);
  const body = html`${grant ? renewing(grant, house.clock.now()) : ''}<p class="lead">${t.lead}</p>
<dl class="card"><dt>${t.what}</dt><dd>${t.whatValue(files)}</dd>
<dt>${t.when}</dt><dd>${t.whenValue(window.start, window.end, window.zone)}</dd>
<dt>${t.kept}</dt><dd>${t.keptValue(retention.daily, retention.weekly, retention.monthly)}</dd>
<dt>${t.how}</dt><dd>${t.howValue}</dd><dt>${t.end}</dt><dd>${t.endValue}</dd></dl>
<form method="post" action="/consent"><input type="hidden" name="csrf" value="${session.csrf}"><input type="hidden" name="returnTo" value="${returnTo}">
<button>${t.agree}</button></form><p><a href="/">${t.back}</a></p>`;
  return page(visit, isAlive(grant) ? t.renewTitle : t.title, body);
}

function isAlive(grant: GrantView | null): boolean {
  return grant?.state === 'active' || grant?.state === 'suspect';
}

function renewing(grant: GrantView, now: Date): Html | '' {
  const [newest] = grant.consents;
  if (!isAlive(grant) || newest === undefined) return '';
  const zone = grant.plans[0]?.zone;
  return html`${endWarning(grant, now, zone)}<p class="card">${texts.consent.renewing(shownTime(newest.agreedAt, zone))}</p>`;
}

/** Sends the browser to the provider to consent. */
export async function agree({ c, house, session }: PersonVisit): Promise<Response> {
  const { returnTo } = await c.req.parseBody();
  const path = localPath(typeof returnTo === 'string' ? returnTo : undefined, house.publicUrl);
  const { url, transaction } = await house.beginConsent(session.userId, path);
  rememberPending(c, house, { leg: 'consent', userId: session.userId, transaction });
  return c.redirect(url.href, 303);
}

/** The provider's answer, to whichever leg this browser had begun. */
export async function callback({ c, house, session, url }: Visit): Promise<Response> {
  const pending = takePending(c, house);
  const answered = new URL(url.pathname + url.search, house.publicUrl);
  if (pending?.leg === 'sign-in') {
    const signed = await house.finishSignIn(answered, pending.transaction);
    startSession(c, house, signed);
    return c.redirect(localPath(pending.transaction.returnTo, house.publicUrl), 303);
  }
  if (pending === undefined || pending.userId !== session?.userId) {
    throw new AppError(
      'consent/invalid-callback',
      'This answer of the provider does not belong to anything begun in this browser in the last ten minutes.',
    );
  }
  await house.finishConsent(pending.userId, answered, pending.transaction);
  return c.redirect(localPath(pending.transaction.returnTo, house.publicUrl), 303);
}

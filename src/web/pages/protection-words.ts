import { html } from 'hono/html';
import type { Protection, ProtectionReason } from '../../domain/protection.ts';
import type { Html } from '../layout.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts/en.ts';

const t = texts.home;

/** What the words are made of. */
export type Told = Pick<Protection, 'verdict' | 'reason' | 'mend' | 'consent' | 'until' | 'retry' | 'runId'>;

const words = { ...texts.protection.consent, ...texts.protection.nights };

/** Whether the reason concerns the consent, and not what the nights came to. */
export function isAboutConsent(reason: ProtectionReason): boolean {
  return Object.hasOwn(texts.protection.consent, reason);
}

/** The one sentence that answers "am I protected?"; it says how much could not be read, where that is known and all that is wrong. */
export function leadOf({ verdict, reason, consent }: Pick<Told, 'verdict' | 'reason' | 'consent'>, unread = 0): string {
  if (reason === 'unreadable' && unread > 0) return t.butFor(unread);
  if (verdict === 'late') return t.late;
  if (verdict === 'partly') return t.partly;
  if (verdict === 'protected') return reason === 'complete' ? t.protected : t.soFar;
  if (consent !== 'living') return consent === 'none' ? t.none : t.expired;
  return reason === 'run_under_way' || reason === 'run_waits' ? t.underway : t.not;
}

/** The colour of its card: green for what is wholly well only. */
export function toneOf({ verdict, reason }: Told): 'good' | 'warn' | 'bad' {
  if (verdict === 'protected') return reason === 'complete' ? 'good' : 'warn';
  if (
    verdict === 'partly' ||
    ['no_consent', 'withdrawn', 'withdrawn_by_operator', 'run_under_way', 'run_waits'].includes(reason)
  )
    return 'warn';
  return 'bad';
}

/** What happened, and what mends it and who can do that. */
export function reasonPart(
  { reason, until, retry }: Pick<Told, 'reason' | 'until' | 'retry'>,
  zone: string | undefined,
): Html {
  const { happened, act } = words[reason];
  const time = (at: Date) => shownTime(at, zone);
  const same = retry !== null && retry.at.getTime() === until?.getTime();
  const when = until === null ? 'soon' : `on ${time(until)}${same ? `, and then until ${time(retry.until)}` : ''}`;
  const said = typeof act === 'string' ? act : act(when);
  const rest = retry !== null && !(same && said !== act) ? texts.run.waits(time(retry.at), time(retry.until)) : '';
  return html`<p>${happened}</p><p>${said}${rest && ` ${rest}`}</p>`;
}

/** The one way on: to what the person can do, else to what shows more of it. */
export function wayOn({ reason, mend, runId }: Told): Html | '' {
  if (mend === 'agree') return button('/consent', reason === 'no_consent' ? t.agree : texts.grant.again);
  if (mend === 'renew') return button('/consent', texts.consentEnds.renew);
  if (mend === 'look' && runId !== null) return button(`/runs/${runId}`, t.look);
  if (runId !== null) return html`<p><a href="/runs/${runId}">${t.seeRun}</a></p>`;
  return isAboutConsent(reason) ? html`<p><a href="/grant">${t.seeConsent}</a></p>` : '';
}

function button(href: string, label: string): Html {
  return html`<p><a class="button" href="${href}">${label}</a></p>`;
}

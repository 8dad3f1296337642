import { html } from 'hono/html';
import type { Protection } from '../../domain/protection.ts';
import type { ProtectionReason } from '../../domain/protection-reasons.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';

/** What the words are made of. */
export type Told = Pick<
  Protection,
  'verdict' | 'reason' | 'mend' | 'consent' | 'until' | 'retry' | 'pausedSince' | 'runId'
>;

/** Whether the reason concerns the consent, and not what the nights came to. */
export function isAboutConsent({ protection }: Texts, reason: ProtectionReason): boolean {
  return Object.hasOwn(protection.consent, reason);
}

/** The one sentence that answers "am I protected?"; it says how much could not be read, where that is known and all that is wrong. */
export function leadOf(
  { home: t }: Texts,
  { verdict, reason, consent }: Pick<Told, 'verdict' | 'reason' | 'consent'>,
  unread = 0,
): string {
  if (reason === 'unreadable' && unread > 0) return t.butFor(unread);
  if (verdict === 'late') return t.late;
  if (verdict === 'partly') return t.partly;
  if (verdict === 'protected') return reason === 'complete' ? t.protected : t.soFar;
  if (consent !== 'living') return consent === 'none' ? t.none : t.expired;
  return reason === 'run_under_way' || reason === 'run_waits' ? t.underway : t.not;
}

/** The colour of its card: green only where all is well. */
export function toneOf({ verdict, reason }: Told): 'good' | 'warn' | 'bad' {
  if (verdict === 'protected') return reason === 'complete' ? 'good' : 'warn';
  if (
    verdict === 'partly' ||
    ['no_consent', 'withdrawn', 'withdrawn_by_operator', 'run_under_way', 'run_waits'].includes(reason)
  )
    return 'warn';
  return 'bad';
}

type Happened = Pick<Told, 'reason'> & { readonly pausedSince?: Date | null | undefined };

/** What happened, and of a pause since when it lasts. */
export function happenedWords(
  { formats, protection: t }: Texts,
  { reason, pausedSince }: Happened,
  zone: string | undefined,
): string {
  const { happened } = { ...t.consent, ...t.nights }[reason];
  return pausedSince ? `${happened} ${t.pausedSince(formats.time(pausedSince, zone))}` : happened;
}

/** What happened, and what mends it and who can do that. `asked` says that the page asks something else of the person above. */
export function reasonPart(
  texts: Texts,
  { reason, until, retry, pausedSince }: Happened & Pick<Told, 'until' | 'retry'>,
  zone: string | undefined,
  { asked = false } = {},
): Html {
  const { consent, nights } = texts.protection;
  const { act } = { ...consent, ...nights }[reason];
  const time = (at: Date) => texts.formats.time(at, zone);
  const same = retry !== null && retry.at.getTime() === until?.getTime();
  const when =
    until === null ? texts.protection.soon : texts.protection.at(time(until), same ? time(retry.until) : undefined);
  const said = typeof act === 'string' ? act : act(when, { asked });
  const rest =
    retry !== null && !(same && said.includes(when)) ? texts.run.waits(time(retry.at), time(retry.until)) : '';
  return html`<p>${happenedWords(texts, { reason, pausedSince }, zone)}</p><p>${said}${rest && ` ${rest}`}</p>`;
}

/** The one way on: to what the person can do, else to what shows more of it. */
export function wayOn(texts: Texts, { reason, mend, runId }: Told): Html | '' {
  const { home: t, consentEnds, grant } = texts;
  if (mend === 'agree') return button('/consent', reason === 'no_consent' ? t.agree : grant.again);
  if (mend === 'renew') return button('/consent', consentEnds.renew);
  if (mend === 'renew_key') return button('/recovery', t.renewKey);
  if (reason === 'lost' || reason === 'snapshots_removed') return button('/verification', t.look);
  if (mend === 'look' && runId !== null) return button(`/runs/${runId}`, t.look);
  if (['damaged', 'repository_damaged', 'repository_gone', 'unverified'].includes(reason))
    return html`<p><a href="/verification">${t.seeVerification}</a></p>`;
  if (reason === 'paused_until') return html`<p><a href="/settings#pause">${t.seePause}</a></p>`;
  if (runId !== null) return html`<p><a href="/runs/${runId}">${t.seeRun}</a></p>`;
  return isAboutConsent(texts, reason) ? html`<p><a href="/grant">${t.seeConsent}</a></p>` : '';
}

function button(href: string, label: string): Html {
  return html`<p><a class="button" href="${href}">${label}</a></p>`;
}

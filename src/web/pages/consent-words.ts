import { html } from 'hono/html';
import { daysUntil, warningDue } from '../../domain/deadlines.ts';
import type { Agreement } from '../../flows/consent/agreement.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';

interface Ending {
  readonly state: string;
  readonly maxDeadline: Date | null;
}

/** From 14 days before a consent ends whatever is done: in how many days, and which warning it is. */
export function endingIn({ state, maxDeadline }: Ending, now: Date): { days: number; due: 14 | 7 | 2 } | undefined {
  if (maxDeadline === null || (state !== 'active' && state !== 'suspect')) return undefined;
  const due = warningDue(maxDeadline, now, null);
  return due && { due, days: daysUntil(maxDeadline, now) };
}

/** The warning that a consent ends soon, with the link that renews it. */
export function endWarning(
  { consentEnds: t, formats }: Texts,
  grant: Ending,
  now: Date,
  zone: string | undefined,
): Html | '' {
  const ending = endingIn(grant, now);
  if (ending === undefined || grant.maxDeadline === null) return '';
  return html`<section class="card ${ending.due === 2 ? 'bad' : 'warn'}"><p><strong>${t.endsIn(ending.days)}</strong></p>
<p>${t.endsAt(formats.time(grant.maxDeadline, zone))}</p><p><a class="button" href="/consent">${t.renew}</a></p></section>`;
}

/** What is agreed to, as sentences, in the language in which they are read. */
export function sentencesPart({ language, sentences }: Pick<Agreement, 'language' | 'sentences'>): Html {
  return html`<dl class="card" lang="${language}">${sentences.map(({ about, says }) => html`<dt>${about}</dt><dd>${says}</dd>`)}</dl>`;
}

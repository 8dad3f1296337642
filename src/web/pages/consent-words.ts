import { html } from 'hono/html';
import { warningDue } from '../../domain/deadlines.ts';
import type { Html } from '../layout.ts';
import { shownTime } from '../shown.ts';
import { texts } from '../texts.ts';

const t = texts.consentEnds;

interface Told {
  readonly state: string;
  readonly reason?: string | null;
}

/** What happened to a consent that is not well, and whether the person must act; nothing where it is well. */
function whatHappened({ state, reason }: Told): { happened: string; act: string; mustAct: boolean } | undefined {
  if (state === 'active' && reason !== 'lost_answers') return undefined;
  const words = t.reasons[reason ?? ''] ?? t.unknown;
  return state === 'suspect' && words.mustAct ? { ...words, act: t.suspect, mustAct: false } : words;
}

/** The sentences of that. */
export function explanation(told: Told): Html | '' {
  const words = whatHappened(told);
  return words === undefined ? '' : html`<p>${words.happened}</p><p>${words.act}</p>`;
}

/** The warning 14, 7 and 1 days before a consent ends whatever is done, with the link that renews it. */
export function endWarning(
  { state, maxDeadline }: Told & { readonly maxDeadline?: Date | null },
  now: Date,
  zone: string | undefined,
): Html | '' {
  if (!maxDeadline || (state !== 'active' && state !== 'suspect')) return '';
  const due = warningDue(maxDeadline, now, null);
  if (due === undefined) return '';
  const days = Math.ceil((maxDeadline.getTime() - now.getTime()) / 86_400_000);
  return html`<section class="card ${due === 1 ? 'bad' : 'warn'}"><p><strong>${t.endsIn(days)}</strong></p>
<p>${t.endsAt(shownTime(maxDeadline, zone))}</p><p><a class="button" href="/consent">${t.renew}</a></p></section>`;
}

/** The provider is in trouble that the operator was told of. */
export function troubleNotice({ troubled }: { readonly troubled?: boolean }): Html | '' {
  return troubled === true ? html`<p class="card warn">${t.troubled}</p>` : '';
}

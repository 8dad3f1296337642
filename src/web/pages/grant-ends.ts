import { html } from 'hono/html';
import type { GrantView } from '../../database/consent/grant-views.ts';
import { isSameEnd, warningsBefore } from '../../domain/deadlines.ts';
import type { MailKind } from '../../domain/notices.ts';
import { minuteMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';
import type { Html } from '../layout.ts';
import type { Texts } from '../texts/en.ts';
import type { PersonVisit } from '../visit.ts';

type Words = Texts['grant']['lasts'];

/** How long a living consent lasts, what keeps it alive, and the calendar of its ends. Says so where something is not known. */
export function lastsPart({ resources, texts }: PersonVisit, view: GrantView): Html {
  const t = texts.grant.lasts;
  const { clock, config } = resources;
  const time = (at: Date) => texts.formats.time(at, view.plans[0]?.zone ?? 'UTC');
  const idle = idleTime(t, view);
  const rows = calendar(t, view, { idle, now: clock.now(), mailed: mailOf(config, view) !== undefined });
  const unknown = view.maxDeadline === null ? t.maxUnknown : '';
  const unused = idle === undefined ? '' : view.idleSeconds === null ? t.idleSet(idle) : t.idleLearned(idle);
  return html`<section class="card"><h2>${t.title}</h2><ol class="calendar">${rows.map(({ at, what, ends }) => html`<li><time datetime="${at.toISOString()}">${time(at)}</time><span>${ends ? html`<strong>${what}.</strong>` : `${what}.`}</span></li>`)}</ol>
${unused + unknown === '' ? '' : html`<p class="soft">${unused} ${unknown}</p>`}<p class="soft">${mailSentence(t, config, view)}</p></section>`;
}

interface Entry {
  at: Date;
  what: string;
  /** Whether the consent ends then. */
  ends?: boolean;
}

/**
 * What was and what comes, by time. What would come after the consent has ended is left out: whatever is done, or unused, where keep-alive is
 * overdue.
 */
function calendar(
  t: Words,
  view: GrantView,
  { idle, now, mailed }: { idle: string | undefined; now: Date; mailed: boolean },
): Entry[] {
  const { idleDeadline, lastExchangedAt, maxDeadline, nextExchangeAt, plans, state } = view;
  const [plan] = plans;
  const night = plan !== undefined && !plan.paused ? [{ at: plan.nextDueAt, what: t.night }] : [];
  const kept = nextExchangeAt !== null && state === 'active' ? [{ at: nextExchangeAt, what: t.kept }] : [];
  const isRenewed = kept.some(({ at }) => at > now && at < idleDeadline);
  const used = [...night, ...kept].filter(({ at }) => at > now && (isRenewed || at < idleDeadline));
  const unused = idle === undefined ? [] : [{ at: idleDeadline, what: t.idle(idle), ends: true }];
  const reminders = maxDeadline === null ? [] : warningsBefore(maxDeadline);
  const fixed: Entry[] = [
    ...reminders.map(({ days, at }) => ({ at, what: t.reminder(days, { mailed }) })),
    ...(maxDeadline === null ? [] : [{ at: maxDeadline, what: t.max, ends: true }]),
  ];
  const entries = [
    ...[...used, ...unused].filter(({ at }) => isBefore(at, maxDeadline)),
    ...fixed.filter(({ at }) => at > now),
  ];
  return [
    { at: lastExchangedAt, what: t.used },
    ...entries.toSorted((one, other) => one.at.getTime() - other.at.getTime()),
  ];
}

function isBefore(at: Date, end: Date | null): boolean {
  return end === null || (at < end && !isSameEnd(at, end));
}

/**
 * How long the consent lives unused, in the largest unit that is whole. Where an unused consent would only end at its fixed end, the time until
 * then says nothing of that: undefined, unless earlier tokens named a longer time.
 */
function idleTime(
  t: Words,
  { idleDeadline, idleSeconds, lastExchangedAt, maxDeadline }: GrantView,
): string | undefined {
  const lifeMs = idleDeadline.getTime() - lastExchangedAt.getTime();
  const learned = idleSeconds === null ? null : new Date(lastExchangedAt.getTime() + idleSeconds * 1000);
  const isCut = maxDeadline !== null && isSameEnd(idleDeadline, maxDeadline);
  if (isCut && (learned === null || isSameEnd(learned, maxDeadline) || learned < maxDeadline)) return undefined;
  const idleMs = idleSeconds === null || isBefore(idleDeadline, maxDeadline) ? lifeMs : idleSeconds * 1000;
  const minutes = Math.round(idleMs / minuteMs);
  if (minutes >= 2 * 1440) return t.days(Math.round(minutes / 1440));
  return minutes >= 120 ? t.hours(Math.round(minutes / 60)) : t.minutes(Math.max(1, minutes));
}

/** Where the person is mailed before a fixed end, if they are. */
function mailOf({ mail }: Resources['config'], { user }: GrantView): string | undefined {
  return mail === undefined || isMuted(user) ? undefined : (user.email ?? undefined);
}

function isMuted({ mutedMails }: GrantView['user']): boolean {
  return mutedMails.includes('consent-ends' satisfies MailKind);
}

function mailSentence(t: Words, config: Resources['config'], view: GrantView): string {
  if (config.mail === undefined) return t.mail.noServer;
  if (view.user.email === null) return t.mail.noAddress;
  return isMuted(view.user) ? t.mail.muted : t.mail.to(view.user.email);
}

import { createHash } from 'node:crypto';
import { hourMs, minuteMs } from '../durations.ts';
import type { ChannelId } from './channels.ts';
import { isWhole } from './damage.ts';
import { daysUntil, warningDue } from './deadlines.ts';
import type { NightForecast } from './night-forecast.ts';
import { isRecent, lateUnderWayOf, newTally, type PeopleTally, pausedOf } from './people-tally.ts';
import type { Protection } from './protection.ts';
import type { ProtectionReason, ProtectionVerdict } from './protection-reasons.ts';
import type { SourceName } from './source-names.ts';
import { withoutClaims } from './url-template.ts';

/** Who is told, and by what: each is one delivery. */
export type Channel = 'mail-person' | 'mail-operator' | ChannelId;

/** How the people are, and how many wait for operators or are late, by reason. */
interface Figures {
  verdicts: Record<ProtectionVerdict, number>;
  /** Those of them who paused their nights until a day; absent in what the version before put on record. */
  paused?: Record<ProtectionVerdict, number>;
  /** Those who are late although their backup is under way; absent there too. */
  lateUnderWay?: number;
  reasons: Partial<Record<ProtectionReason, number>>;
}

/** What is told; nothing of a person's files, and no name. */
export type NoticeFacts =
  | {
      kind: 'person';
      verdict: ProtectionVerdict;
      reason: ProtectionReason;
      days?: number;
      endsAt?: string;
      /** What a server gave nothing of, in the backup that it is about. */
      refused?: readonly SourceName[];
    }
  | { kind: 'healed' }
  /** The addresses up to the name of the person in them. */
  | { kind: 'files_moved'; names?: readonly SourceName[]; from: string; to: string }
  | { kind: 'snapshots_lost' }
  | ({ kind: 'digest' } & Figures)
  | { kind: 'circuit'; issuer: string; openMs?: number }
  | { kind: 'rotation_lost'; grants: number }
  | { kind: 'repositories'; are: 'damaged' | 'gone' | 'healed' | 'back' | 'unverified' | 'held'; people: number }
  /** The moments as RFC 3339 has them. */
  | ({ kind: 'forecast'; from: string; to: string } & Omit<ForecastFigures, 'from' | 'to'>)
  | { kind: 'night_begun'; night: string }
  | ({ kind: 'night_over'; night: string } & Figures);

export interface Notice {
  /** The same key is told once. */
  key: string;
  facts: NoticeFacts;
  /** The run that it is about, where what it could not read may say more. */
  runId?: string | undefined;
}

/** The kinds of mail that a person may have or not: of the end of their consent, and of trouble that they can mend. */
export const mailKinds = ['consent-ends', 'trouble'] as const;

export type MailKind = (typeof mailKinds)[number];

/** Which kind of mail tells a person of it. */
export function mailKindOf(facts: NoticeFacts): MailKind {
  return facts.kind === 'person' && facts.reason === 'consent_ends' ? 'consent-ends' : 'trouble';
}

/**
 * What a person should be told, the first thing first: 14, 7 and 2 days before an end of their consent, whatever else is wrong,
 * once of each trouble that they can mend, that something of theirs is damaged, or was healed, and once of each time that their snapshots
 * are not verified for too long. Who never consented, or withdrew, knows.
 */
export function noticesForPerson(
  { userId, maxDeadline, protection }: { userId: string; maxDeadline: Date | null; protection: Protection },
  now: Date,
): Notice[] {
  const { by, consent, mend, reason, restorable, runId, since, verdict } = protection;
  const notices: Notice[] = [];
  const due = maxDeadline && consent === 'living' ? warningDue(maxDeadline, now, null) : undefined;
  if (maxDeadline && due !== undefined) {
    const key = `person/${userId}/consent_ends/${maxDeadline.toISOString()}/${due}`;
    const days = daysUntil(maxDeadline, now);
    notices.push({
      key,
      facts: { kind: 'person', verdict, reason: 'consent_ends', days, endsAt: maxDeadline.toISOString() },
    });
  }
  const { damage, damagedSince, healedAt } = restorable;
  if (isWhole(damage) && isRecent(healedAt, now))
    notices.push({ key: `person/${userId}/healed/${healedAt.toISOString()}`, facts: { kind: 'healed' } });
  const about = (trouble: ProtectionReason, id: string | null | undefined) =>
    notices.push({
      key: `person/${userId}/${trouble}/${id ?? 'never'}`,
      facts: { kind: 'person', verdict, reason: trouble },
      ...(trouble === 'unreadable' && runId !== null && { runId }),
    });
  const theyKnow = mend === 'renew' || reason === 'no_consent' || reason === 'withdrawn';
  if (isOfDamage(reason)) about(reason, damagedSince?.toISOString());
  else if (by === 'person' && !theyKnow) about(reason, mend === 'look' ? runId : since?.toISOString());
  if (restorable.isOverdue) about('unverified', restorable.verifiedAt?.toISOString());
  return notices;
}

/** Whether something of the person's own is damaged or lost. */
export function isOfDamage(reason: ProtectionReason): boolean {
  return ['damaged', 'lost', 'snapshots_removed', 'key_damaged'].includes(reason);
}

/** People whose repository is damaged or gone, those whose was lately healed or is lately back, and when the last of each was found. */
export interface DamagedPeople {
  readonly damaged: number;
  readonly newestDamage: Date | null;
  readonly gone: number;
  readonly newestGone: Date | null;
  readonly healed: number;
  readonly newestHealing: Date | null;
  readonly back: number;
  readonly newestBack: Date | null;
  /** Since when the first of those that are back was gone. */
  readonly backFrom: Date | null;
}

/** That repositories are damaged or gone, that some are healed, and that some were not verified for too long: once of each, of the last once a day. */
export function noticesOfRepositories(
  {
    damaged,
    newestDamage,
    gone,
    newestGone,
    healed,
    newestHealing,
    unverified,
  }: DamagedPeople & {
    readonly unverified: number;
  },
  day: string,
): Notice[] {
  const notice = (are: 'damaged' | 'gone' | 'healed' | 'unverified', people: number, key: string) =>
    people === 0 ? [] : [{ key: `repositories/${are}/${key}`, facts: { kind: 'repositories' as const, are, people } }];
  return [
    ...notice('damaged', damaged, (newestDamage ?? new Date(0)).toISOString()),
    ...notice('gone', gone, (newestGone ?? new Date(0)).toISOString()),
    ...notice('healed', healed, (newestHealing ?? new Date(0)).toISOString()),
    ...notice('unverified', unverified, day),
  ];
}

/** That repositories which were gone are back: once of each; undefined where none is. */
export function noticeOfReturn({ back, newestBack }: Pick<DamagedPeople, 'back' | 'newestBack'>): Notice | undefined {
  return newestBack === null
    ? undefined
    : {
        key: `repositories/back/${newestBack.toISOString()}`,
        facts: { kind: 'repositories', are: 'back', people: back },
      };
}

/** Says how many people have snapshots that did not go as agreed for too long: once a day; undefined where there are none. */
export function noticeOfHeldSnapshots(people: number, day: string): Notice | undefined {
  return people === 0
    ? undefined
    : { key: `repositories/held/${day}`, facts: { kind: 'repositories', are: 'held', people } };
}

/** What operators should know once a day: undefined where nobody waits for them or their provider, and nobody is late. */
export function digestOf(tally: PeopleTally, day: string): Notice | undefined {
  const figures = figuresOf(tally);
  return isQuiet(figures) ? undefined : { key: `digest/${day}`, facts: { kind: 'digest', ...figures } };
}

function figuresOf({ verdicts, judged, reasons }: PeopleTally): Figures {
  return { verdicts, paused: pausedOf({ judged }), lateUnderWay: lateUnderWayOf({ judged }), reasons };
}

/** That the snapshots of a person are lost, by the word of an operator. */
export function noticeOfLostSnapshots({ userId, at }: { userId: string; at: Date }): Notice {
  return { key: `person/${userId}/snapshots_lost/${at.toISOString()}`, facts: { kind: 'snapshots_lost' } };
}

/** Whether it is about something that was done, and so is sent once: no later state of things takes it back. */
export function isOfAnAct({ kind }: NoticeFacts): boolean {
  return kind === 'files_moved' || kind === 'snapshots_lost';
}

/**
 * That something of a person is fetched from another address by the word of an operator. It is no trouble, and nobody can do without it: what
 * was agreed to is otherwise now.
 */
export function noticeOfMovedFiles({
  userId,
  names,
  from,
  to,
  at,
}: {
  userId: string;
  names: readonly SourceName[];
  from: string;
  to: string;
  at: Date;
}): Notice {
  const key = `person/${userId}/files_moved/${at.toISOString()}`;
  return { key, facts: { kind: 'files_moved', names, from: withoutClaims(from), to: withoutClaims(to) } };
}

/** Whether both tell a person of the same trouble, or of the same end. */
export function tellsTheSame(one: NoticeFacts, other: NoticeFacts): boolean {
  if (one.kind !== 'person' || other.kind !== 'person') return one.kind === other.kind;
  return one.reason === other.reason && one.endsAt === other.endsAt;
}

/** The same as it is now: what could not be delivered at once may be nearer to the end that it tells of. */
export function asOf(facts: NoticeFacts, now: Date): NoticeFacts {
  if (facts.kind !== 'person' || facts.endsAt === undefined) return facts;
  return { ...facts, days: Math.max(0, daysUntil(new Date(facts.endsAt), now)) };
}

/** The figures of a forecast that a notice has. */
type ForecastFigures = Pick<NightForecast, 'from' | 'to' | 'plans' | 'neededMs' | 'windowMs' | 'by' | 'holds'>;

/** Whether the windows to come hold their backups: either answer at most once a day, even if it keeps changing. */
export function noticeOfForecast(
  { from, to, plans, neededMs, windowMs, by, holds }: ForecastFigures,
  day: string,
): Notice {
  const moments = { from: from.toISOString(), to: to.toISOString() };
  return {
    key: `forecast/${holds ? 'holds' : 'short'}/${day}`,
    facts: { kind: 'forecast', ...moments, plans, neededMs, windowMs, by, holds },
  };
}

/** For channels that expect a sign of life each night: the first window has opened … */
export function noticeOfNightBegun(night: string): Notice {
  return { key: `night/${night}/begun`, facts: { kind: 'night_begun', night } };
}

/** … and how people are once the last one is over, with its grace. */
export function noticeOfNightOver(night: string, tally: PeopleTally = newTally()): Notice {
  return { key: `night/${night}/over`, facts: { kind: 'night_over', night, ...figuresOf(tally) } };
}

/** What the notices of one night share: a UUID of our own making (RFC 9562, version 8), the same on every machine. */
export function idOfNight(night: string): string {
  const hex = createHash('sha256').update(`nightkeep/night/${night}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Whether operators have nothing to do. */
export function isQuiet({ reasons }: Pick<Figures, 'reasons'>): boolean {
  return Object.keys(reasons).length === 0;
}

/** A circuit was opened; sent at once, since nobody's night continues before it is closed. */
export function noticeOfCircuit({ issuer, openedAt }: { issuer: string; openedAt: Date }): Notice {
  return { key: `circuit/${issuer}/${openedAt.toISOString()}`, facts: { kind: 'circuit', issuer } };
}

/** A circuit whose opening operators were notified of has closed; says for how long it was open. */
export function noticeOfClosedCircuit({
  issuer,
  openedAt,
  closedAt,
}: {
  issuer: string;
  openedAt: Date;
  closedAt: Date;
}): Notice {
  const { key } = noticeOfCircuit({ issuer, openedAt });
  return {
    key: `${key}/closed`,
    facts: { kind: 'circuit', issuer, openMs: closedAt.getTime() - openedAt.getTime() },
  };
}

/** Says of how many grants the rotated token was lost, which must never happen: once a day as long as there are any. */
export function noticeOfLostRotations(grants: number, day: string): Notice {
  return { key: `rotation_lost/${day}`, facts: { kind: 'rotation_lost', grants } };
}

/** The pauses after deliveries that failed; after the last one it is given up. */
const pauses = [minuteMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 6 * hourMs, 12 * hourMs];

/** A night's beginning that came after its end would look like another one. */
const triesOfBeginning = 2;

/** When a delivery that has failed this often is tried again; undefined: never. */
export function nextAttempt({ kind }: Pick<NoticeFacts, 'kind'>, failures: number, at: Date): Date | undefined {
  if (kind === 'night_begun' && failures >= triesOfBeginning) return undefined;
  const pause = pauses[failures - 1];
  return pause === undefined ? undefined : new Date(at.getTime() + pause);
}

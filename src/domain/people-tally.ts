import { dayMs } from '../durations.ts';
import type { Protection } from './protection.ts';
import type { ProtectionReason, ProtectionVerdict } from './protection-reasons.ts';

/** How people are, in figures; nothing of one person. Moments are milliseconds since 1970, 0: never. */
export interface PeopleTally {
  readonly verdicts: Record<ProtectionVerdict, number>;
  /** People whose data is not well protected, or soon will not be, by who can fix it. */
  readonly menders: Record<Exclude<Protection['by'], 'nobody'>, number>;
  /** Those who wait for operators or their provider, or are late, by reason. */
  readonly reasons: Partial<Record<ProtectionReason, number>>;
  /** Everybody, by verdict, reason and who can mend it, with a blank between them. */
  readonly judged: Record<string, number>;
  readonly repositories: {
    /** When the one that was verified the longest ago was; null where none was. */
    oldestVerified: number | null;
    /** People with snapshots that nobody has verified yet. */
    pending: number;
  };
}

/** How people are, and as of when. */
export interface TalliedPeople {
  readonly tally: PeopleTally;
  readonly at: Date;
}

/** Where a process counts people just now: whoever asks meanwhile waits for that. */
export interface PeopleCount {
  underWay: Promise<TalliedPeople> | null;
}

/** For one process: nobody is being counted yet. */
export function openPeopleCount(): PeopleCount {
  return { underWay: null };
}

/** A tally of nobody. */
export function newTally(): PeopleTally {
  return {
    verdicts: { protected: 0, partly: 0, late: 0, not: 0 },
    menders: { person: 0, operator: 0, provider: 0 },
    reasons: {},
    judged: {},
    repositories: {
      oldestVerified: null,
      pending: 0,
    },
  };
}

/** Counts one more person. */
export function addToTally({ verdicts, menders, reasons, judged, repositories }: PeopleTally, one: Protection): void {
  const { by, reason, verdict, restorable } = one;
  verdicts[verdict] += 1;
  if (by !== 'nobody') menders[by] += 1;
  if (isForOperators(one)) reasons[reason] = (reasons[reason] ?? 0) + 1;
  const key = `${verdict} ${reason} ${by}`;
  judged[key] = (judged[key] ?? 0) + 1;
  const { isPending, verifiedAt } = restorable;
  if (isPending) repositories.pending += 1;
  if (verifiedAt !== null)
    repositories.oldestVerified = Math.min(
      repositories.oldestVerified ?? Number.POSITIVE_INFINITY,
      verifiedAt.getTime(),
    );
}

/** Those of these people who paused their nights until a day, by verdict: they want no backups meanwhile. */
export function pausedOf({ judged }: Pick<PeopleTally, 'judged'>): Record<ProtectionVerdict, number> {
  const paused = { protected: 0, partly: 0, late: 0, not: 0 };
  for (const verdict of Object.keys(paused) as ProtectionVerdict[])
    for (const [key, people] of Object.entries(judged)) {
      const [judgedAs, reason] = key.split(' ');
      if (judgedAs === verdict && isPaused(reason)) paused[verdict] += people;
    }
  return paused;
}

/** Those of these people who are late although their backup is under way: it began, and has not ended yet. */
export function lateUnderWayOf({ judged }: Pick<PeopleTally, 'judged'>): number {
  return judged['late run_under_way nobody'] ?? 0;
}

/** The same as words tell them: who paused their nights, and so has no backup of the last window, is not late. */
export function pausedApart({
  verdicts,
  paused,
}: {
  readonly verdicts: Record<ProtectionVerdict, number>;
  readonly paused: Record<ProtectionVerdict, number>;
}): Record<ProtectionVerdict | 'paused', number> {
  const { protected: whole, partly, late, not } = verdicts;
  return { protected: whole, partly, late: late - paused.late, not, paused: paused.late };
}

/** Whether it was within a day. */
export function isRecent(at: Date | null, now: Date): at is Date {
  return at !== null && at > aDayBefore(now);
}

/** What came after it is recent. */
export function aDayBefore(now: Date): Date {
  return new Date(now.getTime() - dayMs);
}

/**
 * Lateness that nobody needs to mend, and a first backup that does not come, may pass by themselves, but operators see many of it at once
 * first; not where it is wanted, or the first is still to come.
 */
function isForOperators({ by, reason, verdict }: Pick<Protection, 'by' | 'reason' | 'verdict'>): boolean {
  if (by === 'operator' || by === 'provider') return true;
  if (isPaused(reason)) return false;
  return verdict === 'late' || (verdict === 'not' && by === 'nobody' && !isToCome(reason));
}

function isPaused(reason: string | undefined): boolean {
  return reason === 'paused_until' || reason === 'paused_beyond_consent';
}

function isToCome(reason: ProtectionReason): boolean {
  return reason === 'run_under_way' || reason === 'run_waits';
}

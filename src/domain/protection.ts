import { dayMs } from '../durations.ts';
import { isAlarming } from './damage.ts';
import { lastWindow } from './nights.ts';
import {
  type Cause,
  causeOf,
  damageCause,
  isGone,
  missingFoundation,
  newer,
  type Situation,
} from './protection-causes.ts';
import type { EndedRun, ProtectionFacts, Restorable } from './protection-facts.ts';
import {
  alarmReasons,
  type Mend,
  mendedBy,
  type ProtectionReason,
  type ProtectionVerdict,
} from './protection-reasons.ts';

/** The verdict on a person's data, and why it is that. */
export interface Protection {
  readonly verdict: ProtectionVerdict;
  readonly reason: ProtectionReason;
  readonly mend: Mend;
  readonly by: (typeof mendedBy)[Mend];
  /** Whether there is a consent to go on with. */
  readonly consent: 'none' | 'ended' | 'living';
  /** Where nobody can do more than wait: when it is tried again, as far as that is known. */
  readonly until: Date | null;
  /** Where a run failed and waits to be tried again: when that is, and until when it is tried. */
  readonly retry: { readonly at: Date; readonly until: Date } | null;
  /** Where the reason is that the night is paused for everybody: since when, at the latest. */
  readonly pausedSince: Date | null;
  /** What changed after this moment may not be kept: the last complete run, or the one that looks wrong. Null: there is none. */
  readonly since: Date | null;
  /** The run that shows it. */
  readonly runId: string | null;
  readonly restorable: Restorable;
}
/** Verified once a day, a repository may miss two. */
export const overdueMs = 3 * dayMs;

/**
 * The one verdict on a person's data. Where several things are wrong, the worse verdict wins; among what makes it so,
 * the first in the list. Total: any facts get a verdict. A fault more never makes it better.
 */
export function judgeProtection(facts: ProtectionFacts, now: Date): Protection {
  const newest = newestSnapshot(facts);
  const situation = { ...facts, now, newest, restorable: restorableOf(facts, newest, now) };
  const missing = missingFoundation(situation);
  const verdict = missing === undefined ? verdictOf(situation) : 'not';
  const { reason, mend, until = null, runId = null } = missing ?? causeOf(verdict, situation);
  return {
    verdict,
    reason,
    mend,
    by: mendedBy[mend],
    consent: consentOf(facts, missing),
    until,
    retry: retryOf(facts.underWay, now),
    pausedSince: reason === 'paused_for_all' ? facts.nightPausedAt : null,
    since: sinceOf(facts, { verdict, runId }),
    runId,
    restorable: situation.restorable,
  };
}

/** The newest run with a snapshot; null where there is none. */
export function newestSnapshot({ complete, partial }: Pick<ProtectionFacts, 'complete' | 'partial'>): EndedRun | null {
  return newer(complete, partial);
}

function restorableOf({ verification }: ProtectionFacts, newest: EndedRun | null, now: Date): Restorable {
  if (verification === null)
    return { verifiedAt: null, isPending: false, isOverdue: false, damage: null, damagedSince: null, healedAt: null };
  const { since: _, checkedAt, ...known } = verification;
  const isOverdue = newest !== null && !isAlarming(known.damage) && overdueFrom(verification) <= now;
  return { ...known, isPending: newest !== null && checkedAt === null && known.verifiedAt === null, isOverdue };
}

/** From when on nobody will have looked at the snapshots for too long. */
export function overdueFrom({
  damage,
  verifiedAt,
  checkedAt,
  since,
}: NonNullable<ProtectionFacts['verification']>): Date {
  const last = (damage === null ? verifiedAt : checkedAt) ?? since;
  return new Date(last.getTime() + overdueMs);
}

/** The verdict of what was backed up, where consent lives. */
function verdictOf(situation: Situation): ProtectionVerdict {
  const { plan, newest, complete, alarm, now } = situation;
  if (newest === null || plan === null || isGone(situation)) return 'not';
  if (newest.endedAt < lastWindow(plan, now).start) return 'late';
  return newest !== complete || alarm !== null || damageCause(situation) !== undefined ? 'partly' : 'protected';
}

function consentOf({ consent }: ProtectionFacts, missing: Cause | undefined): Protection['consent'] {
  if (consent === null) return 'none';
  return missing === undefined || missing.reason === 'nothing_to_fetch' ? 'living' : 'ended';
}

function retryOf(run: ProtectionFacts['underWay'], now: Date): Protection['retry'] {
  return run?.state === 'queued' && run.errorCode !== null && run.dueAt > now
    ? { at: run.dueAt, until: run.triedUntil }
    : null;
}

function sinceOf(
  { complete, alarm }: ProtectionFacts,
  { verdict, runId }: Pick<Protection, 'verdict' | 'runId'>,
): Date | null {
  const wrong = verdict === 'partly' && alarm?.id === runId ? alarm : null;
  return (wrong ?? complete)?.endedAt ?? null;
}

/**
 * Since when what is kept may not be what it should be: the run that looks wrong, or the moment from which on snapshots are known to be
 * damaged; null where nothing of the kind is the reason.
 */
export function doubtedSince({ reason, restorable, since }: Protection): Date | null {
  if (Object.values(alarmReasons).some((one) => one === reason)) return since;
  return ['damaged', 'lost', 'snapshots_removed', 'repository_gone'].includes(reason) ? restorable.damagedSince : null;
}

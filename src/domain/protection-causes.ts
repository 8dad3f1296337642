import { dayMs, minuteMs } from '../durations.ts';
import type { DamageState } from './damage.ts';
import type { EndedRun, ProtectionFacts, Restorable } from './protection-facts.ts';
import { alarmReasons, type Mend, type ProtectionReason, type ProtectionVerdict } from './protection-reasons.ts';
import type { Reason as EndReason } from './refusal.ts';
import { type RunFault, runFaultOf } from './run-fault.ts';

/** The facts, and what follows from them at this moment. */
export interface Situation extends ProtectionFacts {
  readonly now: Date;
  /** The newest run with a snapshot. */
  readonly newest: EndedRun | null;
  readonly restorable: Restorable;
}

/** A reason for a verdict, and the one thing that mends it. */
export interface Cause {
  readonly reason: ProtectionReason;
  readonly mend: Mend;
  readonly until?: Date | null | undefined;
  readonly runId?: string | undefined;
}

type Look = (situation: Situation) => Cause | undefined;

/** What is missing without which no night can go well, whatever the last one was. */
export function missingFoundation(situation: Situation): Cause | undefined {
  return first(foundations, situation);
}

/** Why the verdict is this one, where no foundation is missing. */
export function causeOf(verdict: ProtectionVerdict, situation: Situation): Cause {
  return first(causes[verdict], situation) ?? nothingElse[verdict];
}

/** Consent first, since the person can give it. */
const foundations: readonly Look[] = [
  ({ consent }) => (consent === null ? { reason: 'no_consent', mend: 'agree' } : undefined),
  ({ consent }) => {
    if (consent?.state !== 'needs_consent' && consent?.state !== 'withdrawn') return undefined;
    return (
      endOf(consent.reason) ?? { reason: consent.state === 'withdrawn' ? 'withdrawn' : 'consent_ended', mend: 'agree' }
    );
  },
  // Refused after an end that is known beforehand, or until the person acts there: there is nothing to wait for.
  ({ consent }) =>
    consent?.state === 'suspect' && /^(expired_|interaction_required$)/.test(consent.reason ?? '')
      ? endOf(consent.reason)
      : undefined,
  ({ consent, now }) =>
    consent?.maxDeadline && consent.maxDeadline <= now ? { reason: 'expired_maximum', mend: 'agree' } : undefined,
  ({ plan }) =>
    plan === null || plan.sources === 0 ? { reason: 'nothing_to_fetch', mend: 'mend_service' } : undefined,
];

/** What keeps nights from going well although consent was given. */
const hindrances: readonly Look[] = [
  // Before a pause, since its end would not mend them: a consent is asked and kept alive meanwhile. While the provider is in trouble
  // refusals prove nothing of anybody's consent.
  ({ consent, circuitOpen, now }) => (consent === null || circuitOpen ? undefined : doubtOf(consent, now)),
  // Kept alive by nobody: no worker, or one that fails.
  ({ consent, circuitOpen, now }) =>
    consent !== null && !circuitOpen && consent.idleDeadline <= now
      ? { reason: 'consent_unused', mend: 'mend_service' }
      : undefined,
  // Somebody wants it so: no run is tried, so that nothing below can mend it.
  ({ plan, consent }) => {
    if (!plan?.paused) return undefined;
    const { pausedUntil: until } = plan;
    if (until === null) return { reason: 'paused', mend: 'mend_service' };
    return consent?.maxDeadline && consent.maxDeadline <= until
      ? { reason: 'paused_beyond_consent', mend: 'renew', until: consent.maxDeadline }
      : { reason: 'paused_until', mend: 'wait', until };
  },
  // Before the faults of runs: no server is asked without the provider's leave.
  ({ circuitOpen }) => (circuitOpen ? { reason: 'provider_trouble', mend: 'mend_service' } : undefined),
  // Before the faults of runs: none is tried meanwhile, whatever mends them.
  (situation) =>
    situation.nightPausedAt !== null && isDue(situation)
      ? { reason: 'paused_for_all', mend: 'mend_service' }
      : undefined,
  faultOfRuns,
  // Last, since a run that failed says more than one that nobody takes, unless it only had to be tried again.
  (situation) => (isLeftAlone(situation) ? { reason: 'no_worker', mend: 'mend_service' } : undefined),
];

/** Where nothing hinders, a snapshot that is missing is still to come. */
const toCome: readonly Look[] = [
  ({ underWay }) =>
    underWay?.state === 'running' ? { reason: 'run_under_way', mend: 'wait', runId: underWay.id } : undefined,
  ({ underWay, now }) => {
    if (underWay === null) return undefined;
    const { id: runId, dueAt } = underWay;
    return { reason: 'run_waits', mend: 'wait', until: stillAhead(dueAt, now), runId };
  },
];

const causes: Readonly<Record<ProtectionVerdict, readonly Look[]>> = {
  not: [(situation) => (isGone(situation) ? damages.gone : undefined), ...hindrances, ...toCome],
  late: [...hindrances, ...toCome],
  partly: [
    damageCause,
    // A loss may go on night after night; what could not be read is at least known by name.
    ({ alarm }) => (alarm ? { reason: alarmReasons[alarm.kind], mend: 'look', runId: alarm.id } : undefined),
    ({ partial }) => (partial ? { reason: 'unreadable', mend: 'look', runId: partial.id } : undefined),
  ],
  protected: [
    ...hindrances,
    ({ consent, now }) =>
      consent?.maxDeadline && consent.maxDeadline.getTime() - now.getTime() <= endsSoonMs
        ? { reason: 'consent_ends', mend: 'renew', until: consent.maxDeadline }
        : undefined,
    ({ restorable }) => (restorable.isOverdue ? { reason: 'unverified', mend: 'mend_service' } : undefined),
  ],
};

const nothingElse: Readonly<Record<ProtectionVerdict, Cause>> = {
  not: { reason: 'no_run', mend: 'back_up' },
  late: { reason: 'no_run', mend: 'back_up' },
  partly: { reason: 'unreadable', mend: 'look' },
  protected: { reason: 'complete', mend: 'nothing' },
};

function first(looks: readonly Look[], situation: Situation): Cause | undefined {
  for (const look of looks) {
    const cause = look(situation);
    if (cause !== undefined) return cause;
  }
  return undefined;
}

/** Somebody has looked at what is accepted; what is superseded harms nothing. */
const damages: Readonly<Record<DamageState, Cause | undefined>> = {
  gone: { reason: 'repository_gone', mend: 'mend_service' },
  healing: { reason: 'damaged', mend: 'mend_service' },
  mending: { reason: 'repository_damaged', mend: 'mend_service' },
  lost: { reason: 'lost', mend: 'look' },
  removed: { reason: 'snapshots_removed', mend: 'look' },
  key: { reason: 'key_damaged', mend: 'renew_key' },
  superseded: undefined,
  accepted: undefined,
};

export function damageCause(situation: Situation): Cause | undefined {
  const { damage } = situation.restorable;
  return damage === null || (damage === 'gone' && !isGone(situation)) ? undefined : damages[damage];
}

/** Whether nothing could be restored, and no night has opened the repository since. */
export function isGone({ newest, restorable: { damage, damagedSince } }: Situation): boolean {
  return damage === 'gone' && (newest === null || damagedSince === null || newest.endedAt <= damagedSince);
}

/** Whether the reason is that something in the repository is damaged or gone. */
export function isOfRepository(reason: ProtectionReason): boolean {
  return Object.values(damages).some((cause) => cause?.reason === reason);
}

/** Why consent ended, and what mends that; a word that is not here is `consent_ended`. */
const ends = {
  withdrawn: 'agree',
  withdrawn_by_operator: 'agree',
  back_channel_logout: 'agree',
  ended_at_provider: 'agree',
  withdrawn_at_provider: 'agree',
  signed_out: 'agree',
  account_disabled: 'mend_account',
  permission_missing: 'mend_account',
  expired_idle: 'agree',
  expired_maximum: 'agree',
  lost_rotation: 'agree',
  token_reused: 'agree',
  interaction_required: 'agree',
} satisfies Record<
  Exclude<EndReason, 'lost_answers'> | 'withdrawn' | 'withdrawn_by_operator' | 'back_channel_logout',
  Mend
>;

const endReasons = Object.keys(ends) as (keyof typeof ends)[];

function endOf(reason: string | null): Cause | undefined {
  const known = endReasons.find((one) => one === reason);
  return known && { reason: known, mend: ends[known] };
}

/** A consent that the provider refused, or did not answer, and that is asked again; undefined where it is in order. */
function doubtOf(
  { state, reason, nextExchangeAt }: NonNullable<ProtectionFacts['consent']>,
  now: Date,
): Cause | undefined {
  const until = nextExchangeAt && stillAhead(nextExchangeAt, now);
  if (reason === 'lost_answers') return { reason, mend: 'wait', until };
  if (state !== 'suspect') return undefined;
  const mended = endOf(reason);
  return mended?.mend === 'mend_account' ? mended : { reason: 'consent_refused', mend: 'wait', until };
}

const faultMends: Readonly<Record<RunFault, Mend>> = {
  server_away: 'wait',
  server_refuses: 'mend_service',
  address_unknown: 'mend_service',
  address_refused: 'mend_service',
  address_wrong: 'mend_service',
  consent_refused: 'wait',
  consent_in_use: 'wait',
  provider_away: 'wait',
  provider_trouble: 'mend_service',
  repository_locked: 'wait',
  store_full: 'mend_service',
  store_trouble: 'mend_service',
  time_over: 'wait',
  service_trouble: 'mend_service',
};

/** Why no run went well since the newest snapshot; nothing while one is being worked on, or where nobody is there to try again. */
function faultOfRuns(situation: Situation): Cause | undefined {
  const { failed, newest, underWay, plan, now } = situation;
  if (underWay?.state === 'running' && underWay.leaseUntil !== null && underWay.leaseUntil > now) return undefined;
  const failing = failed !== null && newer(failed, newest) === failed ? failed : undefined;
  const run = underWay?.errorCode ? underWay : failing;
  if (run === undefined) return undefined;
  const reason = runFaultOf(run.errorCode);
  const mend = faultMends[reason];
  if (mend !== 'wait') return { reason, mend, runId: run.id };
  if (isLeftAlone(situation)) return undefined;
  const next = underWay?.state === 'queued' ? underWay.dueAt : plan?.nextDueAt;
  return { reason, mend, runId: run.id, until: next && stillAhead(next, now) };
}

/** After a run has been due, or its worker silent, for this long, no worker takes runs. The doctor waits as long. */
const silenceMs = 15 * minuteMs;

/** Whether no worker takes up what is due. */
function isLeftAlone(situation: Situation): boolean {
  const { underWay, workersUntil, now } = situation;
  // Behind the runs of others it waits for a worker that is busy.
  const waitsBehindOthers = underWay?.state === 'queued' && workersUntil !== null && workersUntil > now;
  return isDue(situation, silenceMs) && !waitsBehindOthers;
}

/** Whether a worker should have taken up what is next, so long ago or longer. */
function isDue({ plan, underWay, now }: Situation, agoMs = 0): boolean {
  const due = underWay === null ? plan?.nextDueAt : underWay.state === 'queued' ? underWay.dueAt : underWay.leaseUntil;
  return due !== undefined && due !== null && due.getTime() + agoMs <= now.getTime();
}

/** The first warning before a consent ends whatever is done. */
const endsSoonMs = 14 * dayMs;

/** Null where it has come: nobody should wait for a moment that is over. */
function stillAhead(moment: Date, now: Date): Date | null {
  return moment > now ? moment : null;
}

export function newer<Run extends EndedRun>(one: Run | null, other: Run | null): Run | null {
  return one === null || (other !== null && other.endedAt > one.endedAt) ? other : one;
}

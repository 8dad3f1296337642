import { type DamageState, isAlarming } from './damage.ts';
import { lastWindow, type NightPlan } from './nights.ts';
import type { Reason as EndReason } from './refusal.ts';
import { type RunFault, runFaultOf } from './run-fault.ts';

/**
 * protected: the last window brought a complete snapshot. partly: a snapshot came, but not of everything, or something
 * looks wrong with it. late: a window passed without a snapshot. not: there is none that can be restored, or no consent to make one.
 */
export type ProtectionVerdict = 'protected' | 'partly' | 'late' | 'not';

/** Why it is so, as one word for each sentence that people read: what concerns consent … */
export type ConsentReason =
  | 'no_consent'
  | 'withdrawn'
  | 'withdrawn_by_operator'
  | 'back_channel_logout'
  | EndReason
  | 'consent_ended'
  | 'consent_refused'
  | 'consent_unused'
  | 'consent_ends'
  | 'provider_trouble';

/** … and what concerns the nights. */
export type NightReason =
  | Exclude<RunFault, ConsentReason>
  | 'complete'
  | 'nothing_to_fetch'
  | 'paused'
  | 'paused_until'
  | 'paused_beyond_consent'
  | 'no_worker'
  | 'run_under_way'
  | 'run_waits'
  | 'no_run'
  | 'unreadable'
  | 'great_loss'
  | 'great_change'
  | 'root_gone'
  | 'damaged'
  | 'repository_damaged'
  | 'repository_gone'
  | 'lost'
  | 'snapshots_removed'
  | 'key_damaged'
  | 'unverified';

export type ProtectionReason = ConsentReason | NightReason;

/** Why somebody should look at a snapshot: much of it is gone, or has another content, or one of its roots is not offered. */
export type AlarmKind = 'loss' | 'change' | 'root';

const alarmReasons: Readonly<Record<AlarmKind, NightReason>> = {
  loss: 'great_loss',
  change: 'great_change',
  root: 'root_gone',
};

/** The reason that stands for an alarm of a run; a word that nobody knows reads as a change. */
export function reasonOfAlarm(kind: string): NightReason {
  return Object.entries(alarmReasons).find(([known]) => known === kind)?.[1] ?? 'great_change';
}

/** Whether it is damage of what is kept that makes it so. */
export function isOfRepository(reason: ProtectionReason): boolean {
  return Object.values(damages).some((cause) => cause?.reason === reason);
}

/**
 * Since when what is kept may not be what it should be: the run that looks wrong, or the moment from which on snapshots are known to be
 * damaged; null where nothing of the kind is the reason.
 */
export function doubtedSince({ reason, restorable, since }: Protection): Date | null {
  if (Object.values(alarmReasons).some((one) => one === reason)) return since;
  return ['damaged', 'lost', 'snapshots_removed', 'repository_gone'].includes(reason) ? restorable.damagedSince : null;
}

/** The one thing that mends it; `wait` is for nobody to do. */
export type Mend = keyof typeof mendedBy;

/** Who does what mends it. `provider` is an administrator there. */
const mendedBy = {
  nothing: 'nobody',
  agree: 'person',
  renew_key: 'person',
  renew: 'person',
  back_up: 'person',
  look: 'person',
  mend_account: 'provider',
  mend_service: 'operator',
  wait: 'nobody',
} as const;

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
  /** What changed after this moment may not be kept: the last complete run, or the one that looks wrong. Null: there is none. */
  readonly since: Date | null;
  /** The run that shows it. */
  readonly runId: string | null;
  readonly restorable: Restorable;
}

/** What is known of whether the snapshots can be restored. */
export interface Restorable {
  /** When all that was read of them was last found whole, but for what somebody has looked at; null: never. */
  readonly verifiedAt: Date | null;
  /** There are snapshots, and nobody has verified any yet. */
  readonly isPending: boolean;
  /** Nobody looked for too long, though no damage is known that somebody should look at. */
  readonly isOverdue: boolean;
  /** What is to be done about damage; null: none is known. */
  readonly damage: DamageState | null;
  /** Since when that is known. */
  readonly damagedSince: Date | null;
  /** When the damage before was found healed. */
  readonly healedAt: Date | null;
}

export interface EndedRun {
  readonly id: string;
  readonly endedAt: Date;
}

/** What the verdict is made of; everything of one person. */
export interface ProtectionFacts {
  readonly consent: {
    readonly state: 'active' | 'suspect' | 'needs_consent' | 'withdrawn';
    readonly reason: string | null;
    readonly idleDeadline: Date;
    readonly maxDeadline: Date | null;
    readonly nextExchangeAt: Date | null;
  } | null;
  /** The provider is in trouble, or our client there: nobody's consent is used but for a probe. */
  readonly circuitOpen: boolean;
  readonly plan:
    | (Omit<NightPlan, 'id'> & {
        readonly paused: boolean;
        readonly pausedUntil: Date | null;
        readonly nextDueAt: Date;
        readonly sources: number;
      })
    | null;
  /** The last runs of each outcome; the first two only where their snapshot is there. */
  readonly complete: EndedRun | null;
  readonly partial: EndedRun | null;
  readonly failed: (EndedRun & { readonly errorCode: string | null }) | null;
  readonly underWay: {
    readonly id: string;
    readonly state: 'queued' | 'running';
    readonly dueAt: Date;
    readonly leaseUntil: Date | null;
    /** Of the try before, where one failed. */
    readonly errorCode: string | null;
    /** No further try begins after this. */
    readonly triedUntil: Date;
  } | null;
  /** Until when workers hold runs, of whomever; null: none is being worked on. */
  readonly workersUntil: Date | null;
  /** The last run that lost or changed so much that somebody should look, and which nobody has looked at. */
  readonly alarm: (EndedRun & { readonly kind: AlarmKind }) | null;
  /** `since`: since when the repository is to be verified; `checkedAt`: when it last was, whatever was found. Null: there is none. */
  readonly verification:
    | (Omit<Restorable, 'isOverdue' | 'isPending'> & { readonly since: Date; readonly checkedAt: Date | null })
    | null;
}

interface Situation extends ProtectionFacts {
  readonly now: Date;
  /** The newest run with a snapshot. */
  readonly newest: EndedRun | null;
  readonly restorable: Restorable;
}

interface Cause {
  readonly reason: ProtectionReason;
  readonly mend: Mend;
  readonly until?: Date | null | undefined;
  readonly runId?: string | undefined;
}

type Look = (situation: Situation) => Cause | undefined;

/** A run that is due, or whose worker is silent, for so long: no worker takes runs. The doctor waits as long. */
const silenceMs = 15 * 60_000;
/** The first warning before a consent ends whatever is done. */
const endsSoonMs = 14 * 86_400_000;
/** Verified once a day, a repository may miss two. */
export const overdueMs = 3 * 86_400_000;

/**
 * The one verdict on a person's data. Where several things are wrong, the worse verdict wins; among what makes it so,
 * the first in the list. Total: any facts get a verdict. A fault more never makes it better.
 */
export function judgeProtection(facts: ProtectionFacts, now: Date): Protection {
  const newest = newestSnapshot(facts);
  const restorable = restorableOf(facts, newest, now);
  const situation = { ...facts, now, newest, restorable };
  const gone = first(foundations, situation);
  const verdict = gone === undefined ? verdictOf(situation) : 'not';
  const cause = gone ?? first(causes[verdict], situation) ?? nothingElse[verdict];
  const { reason, mend, until = null, runId = null } = cause;
  const { complete, alarm } = facts;
  const since = verdict === 'partly' && alarm?.id === runId ? alarm?.endedAt : complete?.endedAt;
  const lives = gone === undefined || gone.reason === 'nothing_to_fetch';
  const consent = facts.consent === null ? 'none' : lives ? 'living' : 'ended';
  const retry = retryOf(facts.underWay, now);
  return { verdict, reason, mend, by: mendedBy[mend], consent, until, retry, since: since ?? null, runId, restorable };
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

function retryOf(run: ProtectionFacts['underWay'], now: Date): Protection['retry'] {
  return run?.state === 'queued' && run.errorCode !== null && run.dueAt > now
    ? { at: run.dueAt, until: run.triedUntil }
    : null;
}

/** The verdict of what was backed up, where consent lives. */
function verdictOf(situation: Situation): ProtectionVerdict {
  const { plan, newest, complete, alarm, now } = situation;
  if (newest === null || plan === null || isGone(situation)) return 'not';
  if (newest.endedAt < lastWindow(plan, now).start) return 'late';
  return newest !== complete || alarm !== null || damageCause(situation) !== undefined ? 'partly' : 'protected';
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

function damageCause(situation: Situation): Cause | undefined {
  const { damage } = situation.restorable;
  return damage === null || (damage === 'gone' && !isGone(situation)) ? undefined : damages[damage];
}

/** Whether nothing could be restored, and no night has opened the repository since. */
function isGone({ newest, restorable: { damage, damagedSince } }: Situation): boolean {
  return damage === 'gone' && (newest === null || damagedSince === null || newest.endedAt <= damagedSince);
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

/** Without these no night can go well, whatever the last one was: consent first, since the person can give it. */
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

/** Whether no worker takes up what is due. */
function isLeftAlone({ plan, underWay, workersUntil, now }: Situation): boolean {
  const due = underWay === null ? plan?.nextDueAt : underWay.state === 'queued' ? underWay.dueAt : underWay.leaseUntil;
  const silent = due !== undefined && due !== null && due.getTime() + silenceMs <= now.getTime();
  // Behind the runs of others it waits for a worker that is busy.
  const waitsBehindOthers = underWay?.state === 'queued' && workersUntil !== null && workersUntil > now;
  return silent && !waitsBehindOthers;
}

/** Null where it has come: nobody is told to wait for a moment that is over. */
function stillAhead(moment: Date, now: Date): Date | null {
  return moment > now ? moment : null;
}

function newer<Run extends EndedRun>(one: Run | null, other: Run | null): Run | null {
  return one === null || (other !== null && other.endedAt > one.endedAt) ? other : one;
}

import type { Reason as EndReason } from './refusal.ts';
import type { RunFault } from './run-fault.ts';

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
  | 'paused_for_all'
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

export const alarmReasons: Readonly<Record<AlarmKind, NightReason>> = {
  loss: 'great_loss',
  change: 'great_change',
  root: 'root_gone',
};

/** The reason that stands for an alarm of a run; a word that nobody knows reads as a change. */
export function reasonOfAlarm(kind: string): NightReason {
  return Object.entries(alarmReasons).find(([known]) => known === kind)?.[1] ?? 'great_change';
}

/** The one thing that mends it; `wait` is for nobody to do. */
export type Mend = keyof typeof mendedBy;

/** Who does what mends it. `provider` is an administrator there. */
export const mendedBy = {
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

import type { DamageState } from './damage.ts';
import type { NightPlan } from './nights.ts';
import type { AlarmKind } from './protection-reasons.ts';

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
    /** The error of the try before, where one failed. */
    readonly errorCode: string | null;
    /** No further try begins after this. */
    readonly triedUntil: Date;
  } | null;
  /** Until when workers hold leases of runs, of anybody; null: no run is being worked on. */
  readonly workersUntil: Date | null;
  /** Since when, at the latest, the night is paused for everybody; null: it goes on. */
  readonly nightPausedAt: Date | null;
  /** The last run whose losses or changes somebody should look at, and nobody has. */
  readonly alarm: (EndedRun & { readonly kind: AlarmKind }) | null;
  /** `since`: since when the repository is to be verified; `checkedAt`: when it last was, whatever was found. Null: there is none. */
  readonly verification:
    | (Omit<Restorable, 'isOverdue' | 'isPending'> & { readonly since: Date; readonly checkedAt: Date | null })
    | null;
}

export interface EndedRun {
  readonly id: string;
  readonly endedAt: Date;
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
  /** Since when that is known; of one that is gone, since when it is. */
  readonly damagedSince: Date | null;
  /** When the damage before was found healed. */
  readonly healedAt: Date | null;
}

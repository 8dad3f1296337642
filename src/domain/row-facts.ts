import { isAppError } from '../errors.ts';

/**
 * What decides, in a row of the database, whose something is and where tokens and snapshots go. It is sealed with the row, so that
 * nobody without the keyring can change it.
 */

/** Who somebody is, and what the addresses of their files may name. */
export interface PersonFacts {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly username: string | null;
  readonly claims: unknown;
}

/** Which addresses are read with whose consent. */
export interface PlanFacts {
  readonly userId: string;
  readonly grantId: string;
  readonly sources: unknown;
}

/** Whose a repository is, and where it lies. */
export interface PlaceFacts {
  readonly id: string;
  readonly userId: string;
  readonly location: string;
  /** Null: the store of the settings. */
  readonly store: string | null;
}

/** When the snapshots of a repository are erased; null: they stay. */
export interface ErasureFacts {
  readonly id: string;
  readonly userId: string;
  /** As the database gives it, or JSON. */
  readonly eraseAt: Date | string | null;
}

/** By which rule the person of a plan agreed that snapshots go. */
export interface AgreedRuleFacts {
  readonly id: string;
  readonly userId: string;
  readonly retention: unknown;
  /** Null: all of them stay, whatever the rule. */
  readonly retentionAgreedAt: Date | string | null;
}

export type RowSeal = Uint8Array<ArrayBuffer>;

/** Facts with the seal that their row has; null where none was ever written. */
export type Sealed<Facts> = Facts & { readonly seal: RowSeal | null };

/** Seals the facts of a kind of row, and looks at the seals. */
export interface RowSealing<Facts> {
  /** Of a new row: its number is 1. */
  seal(facts: Facts): RowSeal;
  /** Of a row that says this from now on: the seal that it has where that was so before, else one with the next number. */
  reseal(before: Sealed<Facts>, facts: Facts): RowSeal;
  /**
   * The number of the row, which rises with each change; 0 for one of a version that numbered none. Throws `seal/broken` where the facts are not
   * those that were sealed.
   */
  require(row: Sealed<Facts>): number;
}

/** Whether the seal of a row vouches for what it says. */
export function vouchesFor<Facts>(sealing: RowSealing<Facts>, row: Sealed<Facts>): boolean {
  try {
    sealing.require(row);
    return true;
  } catch (error) {
    if (isAppError(error, 'seal/broken')) return false;
    throw error;
  }
}

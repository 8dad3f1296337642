/** What is wrong with a person's repository, as it is kept on record. */
export interface Damage {
  /** One for each thing that is wrong, at most `mostMarks`: where it is found again it has the same mark. */
  readonly marks: readonly string[];
  /** What cannot be restored by name, folders ending in '/', with the ids of the snapshots: the first thousand names. */
  readonly files: readonly { readonly path: string; readonly snapshots: readonly string[] }[];
  /** Snapshots from which nothing can be restored. */
  readonly snapshots: readonly string[];
  /** Snapshots of our nights that are gone though retention did not let them go; absent in what was saved before this was looked for. */
  readonly removed?: readonly string[];
  /** The recovery key that the person was given opens nothing. */
  readonly recoveryKey: boolean;
  /** All of it are packs that no snapshot needs any more, in a store that lets nothing be deleted. */
  readonly isSuperseded?: boolean;
}

/** More would fill the database, and nobody looks at so much damage piece by piece. */
export const mostMarks = 50_000;
/** How many files are named. */
export const mostNames = 1000;

/**
 * - healing: the next night reads again what is lost.
 * - lost: a complete night did, and the source does not have it any more; shown until somebody has looked.
 * - gone: the repository is not where it was made, or nothing opens it, so nothing can be restored.
 * - removed: somebody removed whole snapshots; shown until somebody has looked.
 * - key: a new recovery key mends it.
 * - mending: nothing is lost, and the operator can mend the repository.
 * - superseded: harmless, and stays until somebody with a key that may delete removes it.
 * - accepted: somebody has looked.
 */
export type DamageState = 'gone' | 'healing' | 'lost' | 'removed' | 'key' | 'mending' | 'superseded' | 'accepted';

/** Nobody needs to know of these: somebody has looked, or they harm nothing. */
export const quietDamage: readonly DamageState[] = ['accepted', 'superseded'];

/** Whether somebody should know of it. */
export function isAlarming(state: DamageState | null): boolean {
  return state !== null && !quietDamage.includes(state);
}

export interface DamageFacts {
  readonly damage: Damage;
  /** Since when this damage is known. */
  readonly foundAt: Date;
  /** When the last complete run began: it read again what was known to be damaged by then. */
  readonly readAgainAt: Date | null;
  /** The marks that somebody has looked at. */
  readonly accepted: ReadonlySet<string>;
}

/** Since when a repository is known to be gone: the version before wrote the moment in place of that of the damage. */
export function goneSince({ foundAt, goneAt }: { foundAt: Date | null; goneAt: Date | null }): Date | null {
  return foundAt === null || (goneAt !== null && goneAt > foundAt) ? goneAt : foundAt;
}

/** What is to be done about the damage: where several things are, the first of the list. */
export function damageStateOf({ damage, foundAt, readAgainAt, accepted }: DamageFacts): DamageState {
  const isLost = damage.files.length + damage.snapshots.length > 0;
  if (damage.marks.length < mostMarks && damage.marks.every((mark) => accepted.has(mark))) return 'accepted';
  if (isLost) return readAgainAt !== null && readAgainAt > foundAt ? 'lost' : 'healing';
  if (damage.removed !== undefined && damage.removed.length > 0) return 'removed';
  if (damage.recoveryKey) return 'key';
  return damage.isSuperseded === true ? 'superseded' : 'mending';
}

/** Since when damage is known: the moment of the damage before, where nothing is wrong that was not then. */
export function damageKnownSince(
  { marks }: Pick<Damage, 'marks'>,
  before: { readonly marks: readonly string[]; readonly foundAt: Date } | null,
  now: Date,
): Date {
  const known = new Set(before?.marks);
  return before !== null && marks.every((mark) => known.has(mark)) ? before.foundAt : now;
}

/** Whether everything that is needed is whole. */
export function isWhole(damage: DamageState | null): boolean {
  return damage === null || damage === 'superseded';
}

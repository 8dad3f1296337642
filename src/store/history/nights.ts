import type { SavedSnapshot } from '../repository/snapshots.ts';
import type { Budget } from './budget.ts';
import type { History, Sight } from './history.ts';
import { sightAt } from './sight.ts';

/** A snapshot as it matters to one path. */
export interface PathAtNight extends SavedSnapshot {
  /** null where nothing was there, undefined where that is not known. */
  readonly sight: Sight | null | undefined;
}

/** The path in each of these snapshots. */
export async function pathAtNights(
  history: History,
  snapshots: readonly SavedSnapshot[],
  path: string,
  budget: Budget,
): Promise<PathAtNight[]> {
  const names = path.split('/').filter((name) => name !== '');
  const nights: PathAtNight[] = [];
  for (const saved of snapshots) {
    nights.push({ ...saved, sight: await sightAt(history, saved.snapshot.tree, names, budget) });
  }
  return nights;
}

/** One state of a file: what it held, and over which snapshots that stayed so. */
export interface Version {
  readonly sight: Sight;
  readonly first: SavedSnapshot;
  readonly last: SavedSnapshot;
}

/**
 * The states of a file over all snapshots, newest first; snapshots that follow each other with the same content are one. `isComplete` is
 * false where the budget did not reach the oldest snapshot, or a folder is damaged.
 */
export async function versionsOf(
  history: History,
  path: string,
  budget: Budget,
): Promise<{ versions: Version[]; isComplete: boolean }> {
  const nights = await pathAtNights(history, history.snapshots.toReversed(), path, budget);
  const versions: Version[] = [];
  let newer: Sight | null = null;
  for (const { sight, ...saved } of nights) {
    if (sight === undefined && !budget.left()) return { versions, isComplete: false };
    if (sight === undefined) continue;
    const last = versions.at(-1);
    if (sight !== null && last !== undefined && isSame(sight, newer)) versions.splice(-1, 1, { ...last, first: saved });
    else if (sight !== null) versions.push({ sight, first: saved, last: saved });
    newer = sight;
  }
  return { versions, isComplete: budget.damaged === 0 };
}

/** The nearest snapshots before and after one in which the path was there with another content. */
export async function otherStates(
  history: History,
  at: SavedSnapshot,
  path: string,
  budget: Budget,
): Promise<{ earlier: SavedSnapshot | undefined; later: SavedSnapshot | undefined }> {
  const here = history.snapshots.findIndex(({ id }) => id === at.id);
  const [own] = await pathAtNights(history, [at], path, budget);
  const firstOther = async (snapshots: readonly SavedSnapshot[]) => {
    for (const saved of snapshots) {
      const [night] = await pathAtNights(history, [saved], path, budget);
      if (night?.sight === undefined && !budget.left()) return undefined;
      if (night?.sight != null && !isSame(night.sight, own?.sight)) return saved;
    }
    return undefined;
  };
  return {
    earlier: await firstOther(history.snapshots.slice(0, here).reverse()),
    later: await firstOther(history.snapshots.slice(here + 1)),
  };
}

/** Whether both sights show the same content of the same type, or nothing. */
export function isSame(one: Sight | null | undefined, other: Sight | null | undefined): boolean {
  return one?.content === other?.content && one?.type === other?.type;
}

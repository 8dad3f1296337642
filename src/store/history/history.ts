import type { Holdable } from '../../domain/holder.ts';
import { type AppError, isAppError } from '../../errors.ts';
import { parseId, type SnapshotId, type TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import { type Cache, createCache } from '../repository/cache.ts';
import { namedOfKind } from '../repository/findings.ts';
import { inParallel } from '../repository/in-parallel.ts';
import type { Repository } from '../repository/repository.ts';
import { byTime, type SavedSnapshot } from '../repository/snapshots.ts';
import type { OddNames } from '../restorer/odd-names.ts';

/** What is seen at a path in one snapshot, in short. */
export interface Sight {
  readonly type: Node['type'];
  /** The same text where the content is the same: of a file its bytes, of a folder all below it. */
  readonly content: string;
  /** Bytes of a file. */
  readonly size?: number;
  /** RFC 3339. */
  readonly mtime?: string;
}

/** All that lies below a folder. */
export interface Weight {
  readonly files: number;
  readonly bytes: number;
  /** Of these, what Nightkeep keeps of mailboxes beside their messages; undefined where there is none. */
  readonly records?: { readonly files: number; readonly bytes: number } | undefined;
  /** Names that not every system can hold; undefined where there are none. */
  readonly odd?: OddNames | undefined;
}

/** An opened repository with all of its snapshots, and what was found out about its folders. Trees never change, so that stays right. */
export interface History extends Holdable {
  readonly repository: Repository;
  /** Oldest first, as of the last `renew`; damaged ones are left out. */
  readonly snapshots: readonly SavedSnapshot[];
  /** How many are left out. */
  readonly damaged: number;
  readonly sights: Cache<string, Sight | null>;
  readonly weights: Cache<TreeId, Weight>;
  readonly ordered: Cache<string, readonly Node[]>;
  /** Does work that reads a lot after what was asked for before: one person keeps no more than one processor busy. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Bytes of folders kept decoded; small, as several people's are in memory at once. */
export const cachedTreeBytes = 8 * 1024 * 1024;

/** An index of a few blobs takes so much already; each blob then takes 64 bytes. */
const smallestIndex = 2 * 1024 * 1024;
/** Decoded, a folder takes about three times the bytes of its tree. */
const decoded = 3;

/** Opens the history of a repository; it is empty before the first `renew`. `onDamage` is called once for each damaged file, at most a thousand times. */
export function openHistory(repository: Repository, onDamage: (error: AppError) => void): History {
  const known = new Map<SnapshotId, SavedSnapshot | undefined>();
  const told = new Set<string>();
  const unreadable = new Set<SnapshotId>();
  let snapshots: readonly SavedSnapshot[] = [];
  let renewing: Promise<boolean> | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const tell = (error: AppError) => {
    if (told.has(error.message) || told.size >= namedOfKind) return;
    told.add(error.message);
    onDamage(error);
  };

  /** A snapshot that vanished while it was read was forgotten meanwhile. */
  async function readSnapshots(ids: readonly SnapshotId[]): Promise<void> {
    const read = async (id: SnapshotId) => {
      try {
        return { id, snapshot: await repository.loadSnapshot(id) };
      } catch (error) {
        if (isAppError(error, 'repository/damaged')) unreadable.add(id);
        throw error;
      }
    };
    const failed = (error: unknown) => {
      if (isAppError(error, 'repository/no-such-snapshot')) return;
      if (!isAppError(error, 'repository/damaged')) throw error;
      tell(error);
    };
    for (const id of ids) known.set(id, undefined);
    for await (const saved of inParallel(ids, 8, read, failed)) known.set(saved.id, saved);
  }

  /** Snapshots are listed first: whatever they name is in an index by then. */
  async function renew(): Promise<boolean> {
    const ids = await Array.fromAsync(repository.backend.list('snapshot'), ({ name }) => parseId<SnapshotId>(name));
    if (!(await repository.renewIndex(tell))) return false;
    const listed = new Set(ids);
    const fresh = ids.filter((id) => !known.has(id));
    const gone = known
      .keys()
      .filter((id) => !listed.has(id))
      .toArray();
    if (fresh.length + gone.length === 0) return true;
    for (const id of gone) {
      known.delete(id);
      unreadable.delete(id);
    }
    await readSnapshots(fresh);
    snapshots = [...known.values()].filter((saved) => saved !== undefined).sort(byTime);
    return true;
  }

  return {
    repository,
    sights: createCache(20_000),
    weights: createCache(50_000),
    ordered: createCache(50_000),
    inTurn: (work) => {
      const done = turn.then(work);
      turn = done.catch(() => undefined);
      return done;
    },
    get snapshots() {
      return snapshots;
    },
    get damaged() {
      return unreadable.size;
    },
    renew: () => {
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
    weight: () => smallestIndex + 64 * repository.index.size + decoded * cachedTreeBytes + 2048 * snapshots.length,
  };
}

import { AppError, isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../format/envelope.ts';
import { parseId, type SnapshotId } from '../format/ids.ts';
import { openSnapshot, type Snapshot, sealSnapshot } from '../format/snapshot.ts';
import { timestampMs } from '../format/timestamp.ts';
import { inParallel } from './in-parallel.ts';

export interface SavedSnapshot {
  readonly id: SnapshotId;
  readonly snapshot: Snapshot;
}

/** The snapshot files of a repository. */
export interface Snapshots {
  /**
   * Oldest first. A damaged one goes to `onDamage` and is left out; without it, `repository/damaged` is thrown, with the cure. What is in `known` is
   * not read again, and what is read goes into it, for who looks twice: what a name stands for never changes.
   */
  listSnapshots(
    onDamage?: (error: AppError, id: SnapshotId) => void,
    known?: Map<SnapshotId, Snapshot>,
  ): AsyncIterable<SavedSnapshot>;
  /** Of all of them, in no order, without a look into any. */
  listSnapshotIds(): Promise<readonly SnapshotId[]>;
  /** Throws `repository/no-such-snapshot`, `repository/damaged`. */
  loadSnapshot(id: SnapshotId): Promise<Snapshot>;
  /**
   * The only snapshot whose id begins with this text, or the newest for 'latest'. Throws `repository/no-such-snapshot`, and for
   * 'latest' `repository/damaged` while a snapshot cannot be read: it may be the newest.
   */
  findSnapshot(idOrPrefix: string): Promise<SavedSnapshot>;
  /** Everything that it names must be durable and indexed already. */
  saveSnapshot(snapshot: Snapshot): Promise<SnapshotId>;
  /** Removes the snapshot. Data that only it used stays in the packs until a prune. */
  forgetSnapshot(id: SnapshotId): Promise<void>;
}

/** The snapshot files of an opened repository; each is sealed with its master key, and its id is the SHA-256 of the file. */
export function createSnapshots(backend: Backend, masterKey: MasterKey): Snapshots {
  const loadSnapshot = (id: SnapshotId) => load(backend, masterKey, id);
  const listSnapshots: Snapshots['listSnapshots'] = async function* (onDamage = refuseWithCure, known) {
    const read = async (id: SnapshotId) => {
      try {
        const snapshot = known?.get(id) ?? (await loadSnapshot(id));
        known?.set(id, snapshot);
        return [{ id, snapshot }];
      } catch (error) {
        tolerate(error, (damage) => onDamage(damage, id));
        return [];
      }
    };
    yield* (await Array.fromAsync(inParallel(await listIds(backend), 8, read))).flat().sort(byTime);
  };
  return {
    loadSnapshot,
    listSnapshotIds: () => listIds(backend),
    listSnapshots,
    findSnapshot: async (idOrPrefix) => {
      if (idOrPrefix === 'latest') return newest(await Array.fromAsync(listSnapshots(refuseToChoose)));
      const id = onlyMatch(await listIds(backend), idOrPrefix);
      return { id, snapshot: await loadSnapshot(id) };
    },
    saveSnapshot: async (snapshot) => {
      const { id, bytes } = sealSnapshot(masterKey, snapshot);
      await backend.save('snapshot', id, bytes);
      return id;
    },
    forgetSnapshot: (id) => backend.remove('snapshot', id).catch(asNoSuchSnapshot),
  };
}

async function load(backend: Backend, masterKey: MasterKey, id: SnapshotId): Promise<Snapshot> {
  return openSnapshot(masterKey, id, await backend.load('snapshot', id).catch(asNoSuchSnapshot));
}

function listIds(backend: Backend): Promise<SnapshotId[]> {
  return Array.fromAsync(backend.list('snapshot'), ({ name }) => parseId<SnapshotId>(name));
}

/** Orders snapshots by their time; those of one moment by id, so that the order is always the same. */
export function byTime(a: SavedSnapshot, b: SavedSnapshot): number {
  return timestampMs(a.snapshot.time) - timestampMs(b.snapshot.time) || (a.id < b.id ? -1 : 1);
}

/**
 * The snapshots that the store lists, and lists again, though it has no file of them: its listing is old, or the file was lost there. `found` are all
 * those that were read just now, damaged ones too.
 */
export async function listAbsent(
  { listSnapshotIds }: Pick<Snapshots, 'listSnapshotIds'>,
  listed: readonly SnapshotId[],
  found: Iterable<SnapshotId>,
): Promise<SnapshotId[]> {
  const there = new Set(found);
  const absent = listed.filter((id) => !there.has(id));
  if (absent.length === 0) return [];
  const still = new Set(await listSnapshotIds());
  return absent.filter((id) => still.has(id));
}

/** What an operator can do about one of these. */
export const cureOfAbsentSnapshot =
  'If its listing is old, that passes; if the file was lost there, nightkeep repair snapshots --forget removes what is left of it.';

function refuseToChoose(cause: AppError): never {
  const cure = 'It may be the latest one, so name the snapshot that is meant by its id.';
  throw new AppError('repository/damaged', `${cause.message} ${cure}`, { cause });
}

function newest(snapshots: SavedSnapshot[]): SavedSnapshot {
  const last = snapshots.at(-1);
  if (last === undefined) throw noSuchSnapshot('The repository has no snapshot yet.');
  return last;
}

function onlyMatch(ids: readonly SnapshotId[], prefix: string): SnapshotId {
  const matches = /^[0-9a-f]{4,64}$/.test(prefix) ? ids.filter((id) => id.startsWith(prefix)) : [];
  const [only, other] = matches;
  if (only === undefined)
    throw noSuchSnapshot(
      'The repository has no snapshot whose id begins so: give 4 hex digits or more of one that nightkeep snapshots lists.',
    );
  if (other !== undefined) throw noSuchSnapshot('Several snapshots begin so; give more digits of the id.');
  return only;
}

/** A snapshot that vanished while it was listed was forgotten by somebody else. */
function tolerate(error: unknown, onDamage: (error: AppError) => void): void {
  if (isAppError(error, 'repository/no-such-snapshot')) return;
  if (!isAppError(error, 'repository/damaged')) throw error;
  onDamage(error);
}

/** What an operator can do about a snapshot that cannot be read. */
export const cureOfSnapshot =
  'Bring it back from a copy of the store; where there is none, nightkeep repair snapshots --forget removes it.';

function refuseWithCure(cause: AppError): never {
  throw new AppError(cause.code, `${cause.message} ${cureOfSnapshot}`, { cause, detail: cause.detail });
}

function asNoSuchSnapshot(error: unknown): never {
  if (isAppError(error, 'store/not-found')) throw noSuchSnapshot('The repository has no such snapshot.', error);
  throw error;
}

function noSuchSnapshot(message: string, cause?: unknown): AppError {
  return new AppError('repository/no-such-snapshot', message, { cause });
}

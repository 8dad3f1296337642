import type { Clock } from '../../clock.ts';
import { isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../format/envelope.ts';
import { type LockId, parseId } from '../format/ids.ts';
import { type Lock, openLock } from '../format/lock-file.ts';
import { timestampMs } from '../format/timestamp.ts';
import { inParallel } from './in-parallel.ts';

export interface ListedLock {
  readonly id: LockId;
  readonly lock: Lock;
}

/** The process that takes locks. */
export interface LockOwner {
  /** `nightkeep-<instance>`: one a machine, and never the name of a machine on which a person runs restic. */
  readonly hostname: string;
  readonly username?: string;
  /** This process's by default. */
  readonly pid?: number;
  /** Whether a process of this machine lives; asks the system by default. */
  readonly isAlive?: (pid: number) => boolean;
  /** The locks that it holds; one with its pid that is not among them is of an earlier process of that number. */
  readonly held: Set<LockId>;
}

/** This process under that host name, without a lock yet. All its locks must be taken with the one owner. */
export function openLockOwner(hostname: string): LockOwner {
  return { hostname, username: 'nightkeep', held: new Set() };
}

const staleAfterMs = 30 * 60_000;
const attempts = 4;
const firstPauseMs = 5_000;

/** All locks that can be read. One that is being written is given time; one that stays unreadable is an error. */
export async function listLocks(
  repository: { readonly backend: Backend; readonly masterKey: MasterKey },
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<ListedLock[]> {
  const files = await Array.fromAsync(repository.backend.list('lock'));
  const read = async ({ name, size }: { name: string; size: number }) => {
    const id = parseId<LockId>(name);
    const lock = size === 0 ? undefined : await readLock(repository, id, clock, signal);
    return lock === undefined ? [] : [{ id, lock }];
  };
  const failed = (error: unknown) => {
    throw error;
  };
  return (await Array.fromAsync(inParallel(files, 8, read, failed))).flat();
}

/** Whether a lock is of this installation and its process is gone. Only the machine that took it can tell. */
export function isDead({ id, lock }: ListedLock, owner: LockOwner, now: Date): boolean {
  if (lock.hostname !== owner.hostname || owner.held.has(id)) return false;
  if (now.getTime() - timestampMs(lock.time) > staleAfterMs) return true;
  return lock.pid === (owner.pid ?? process.pid) || !(owner.isAlive ?? processIsAlive)(lock.pid);
}

async function readLock(
  { backend, masterKey }: { readonly backend: Backend; readonly masterKey: MasterKey },
  id: LockId,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Lock | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return openLock(masterKey, id, await backend.load('lock', id));
    } catch (error) {
      if (isAppError(error, 'store/not-found')) return undefined;
      if (attempt === attempts || !isAppError(error, 'repository/damaged')) throw error;
      await clock.sleep(firstPauseMs * 2 ** (attempt - 1), signal);
    }
  }
}

function processIsAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

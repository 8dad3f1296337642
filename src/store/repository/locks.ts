import type { Clock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { isAppError } from '../../errors.ts';
import type { Backend } from '../backend/backend.ts';
import type { MasterKey } from '../format/envelope.ts';
import { type LockId, parseId } from '../format/ids.ts';
import { type Lock, openLock } from '../format/lock-file.ts';
import { timestampMs } from '../format/timestamp.ts';
import { inParallel } from './in-parallel.ts';

export interface Locks {
  readonly readable: readonly ListedLock[];
  /** Damaged ones, or of another key. */
  readonly unreadable: readonly UnreadableLock[];
}

export interface UnreadableLock {
  readonly id: LockId;
  /**
   * When this process first saw it or, where the store tells that it is older, since when it lies there; in milliseconds of the clock. For ever where
   * no program makes locks like it, such as a pipe or a link that leads nowhere.
   */
  readonly since: number;
}

export interface ListedLock {
  readonly id: LockId;
  readonly lock: Lock;
}

/** The part of a repository that locks need. */
export interface Lockable {
  readonly backend: Backend;
  readonly masterKey: MasterKey;
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
  /** The locks that may be nobody's, and when it first saw each. */
  readonly seen: Map<LockId, number>;
}

/** What the host names of Nightkeep's processes begin with. */
const ownHosts = 'nightkeep-';

/** This process under that host name, without a lock yet. All its locks must be taken with the one owner. */
export function openLockOwner(hostname: string): LockOwner {
  return { hostname, username: 'nightkeep', held: new Set(), seen: new Map() };
}

const staleAfterMs = 30 * minuteMs;
const pauseMs = 5_000;

interface Reading extends Pick<LockOwner, 'seen'> {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** All locks. One that cannot be read may be on its way, and is given a moment when it is first seen. */
export async function listLocks(repository: Lockable, reading: Reading): Promise<Locks> {
  const files = await Array.fromAsync(repository.backend.list('lock'));
  const read = async ({ name }: { name: string }) => {
    const id = parseId<LockId>(name);
    return { id, lock: await readLock(repository, id, reading) };
  };
  const failed = (error: unknown) => {
    throw error;
  };
  const found = await Array.fromAsync(inParallel(files, 8, read, failed));
  return {
    readable: found.flatMap(({ id, lock }) => (typeof lock === 'object' ? [{ id, lock }] : [])),
    unreadable: await Promise.all(
      found
        .filter(({ lock }) => typeof lock === 'string')
        .map(({ id, lock }) =>
          lock === 'no file' ? { id, since: Number.NEGATIVE_INFINITY } : noteUnreadable(repository, id, reading),
        ),
    ),
  };
}

/** What the store says of its age counts too, so that a process which has just begun need not wait. */
async function noteUnreadable({ backend }: Lockable, id: LockId, { seen, clock }: Reading): Promise<UnreadableLock> {
  const { modified } = await backend.stat('lock', id).catch((error: unknown) => {
    if (isAppError(error, 'store/not-found')) return { modified: undefined };
    throw error;
  });
  const age = modified === undefined ? 0 : clock.now().getTime() - modified.getTime();
  const since = Math.min(seen.get(id) ?? clock.elapsed(), clock.elapsed() - age);
  seen.set(id, since);
  return { id, since };
}

/** Whoever holds a lock writes it anew every few minutes, under another name: one that stays longer than this is held by nobody. */
export function isAbandoned({ since }: UnreadableLock, clock: Clock): boolean {
  return clock.elapsed() - since > staleAfterMs;
}

/**
 * Whether Nightkeep left the lock behind on another machine, such as a container that was killed and made anew under another name. By its
 * time it is old, and this process has seen it for longer than any holder keeps one: whose clock is wrong does not matter.
 */
export function isLeftBehind(
  { id, lock }: ListedLock,
  { hostname, seen, clock }: Reading & Pick<LockOwner, 'hostname'>,
): boolean {
  if (!lock.hostname.startsWith(ownHosts) || lock.hostname === hostname || !isStale({ lock }, clock.now()))
    return false;
  const since = seen.get(id) ?? clock.elapsed();
  seen.set(id, since);
  return isAbandoned({ id, since }, clock);
}

/** Whether a lock is of this installation and its process is gone. Only the machine that took it can tell. */
export function isDead({ id, lock }: ListedLock, owner: LockOwner, now: Date): boolean {
  if (lock.hostname !== owner.hostname || owner.held.has(id)) return false;
  if (isStale({ lock }, now)) return true;
  return lock.pid === (owner.pid ?? process.pid) || !(owner.isAlive ?? processIsAlive)(lock.pid);
}

/** Whether whoever holds it would have written it anew by now; restic goes by it too. */
export function isStale({ lock }: Pick<ListedLock, 'lock'>, now: Date): boolean {
  return now.getTime() - timestampMs(lock.time) > staleAfterMs;
}

async function readLock(
  { backend, masterKey }: Lockable,
  id: LockId,
  { clock, signal, seen }: Reading,
): Promise<Lock | 'unreadable' | 'no file' | undefined> {
  for (let isLast = seen.has(id); ; isLast = true) {
    const bytes = await backend.load('lock', id).catch((error: unknown) => {
      if (isAppError(error, 'store/not-found')) return undefined;
      if (isAppError(error, 'repository/damaged')) return 'no file' as const;
      throw error;
    });
    // Stock restic passes over empty ones too.
    if (bytes === undefined || bytes.length === 0) return undefined;
    if (bytes === 'no file') return bytes;
    try {
      return openLock(masterKey, id, bytes);
    } catch (error) {
      if (!isAppError(error, 'repository/damaged')) throw error;
      if (isLast) return 'unreadable';
      await clock.sleep(pauseMs, signal);
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

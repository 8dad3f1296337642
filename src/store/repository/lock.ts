import { abortToo } from '../../abort.ts';
import type { Clock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { LockId } from '../format/ids.ts';
import { type Lock, sealLock } from '../format/lock-file.ts';
import { timestamp } from '../format/timestamp.ts';
import { fileExists } from './exists.ts';
import {
  isAbandoned,
  isDead,
  isLeftBehind,
  isStale,
  type ListedLock,
  type Lockable,
  type LockOwner,
  type Locks,
  listLocks,
  type UnreadableLock,
} from './locks.ts';

export interface LockOptions extends LockOwner {
  readonly clock: Clock;
  /** Exclusive, as prune and check need it. Otherwise others may write at the same time. */
  readonly exclusive?: boolean;
  /** Ends the wait for the lock, and aborts its signal as well. */
  readonly signal?: AbortSignal | undefined;
}

/** A held lock; disposing releases it. */
export interface RepositoryLock extends AsyncDisposable {
  /** Aborted with `repository/lost-lock` when the lock could not be kept, or by the signal that it was taken with: stop writing at once. */
  readonly signal: AbortSignal;
}

const settleMs = 200;
const refreshEveryMs = 5 * minuteMs;
const watchEveryMs = 30_000;
/** Others may take a lock as stale after 30 minutes, so that its holder has to stop well before. */
const lostAfterMs = 22.5 * minuteMs;

/**
 * Takes a lock that stock restic understands, and keeps it fresh until it is disposed. Our own dead locks are cleared away
 * first. Throws `repository/locked` when another program is in the way. Where the key of the store may not delete, a shared lock stays
 * behind, which keeps no night out, and an exclusive one is refused with `store/may-not-delete`.
 */
export async function lockRepository(repository: Lockable, options: LockOptions): Promise<RepositoryLock> {
  const found = await listLocks(repository, options);
  const cleared = await clearDead(repository, options, found);
  if (options.exclusive) await proveRemovable(repository, options);
  refuseConflict(cleared > 0 ? await listLocks(repository, options) : found, options);
  const held = await writeLock(repository, options);
  try {
    await options.clock.sleep(settleMs, options.signal);
    refuseConflict(await listLocks(repository, options), options, held.id);
  } catch (error) {
    await removeWhereAllowed(repository, options, held.id);
    throw error;
  }
  return keepLock(repository, options, held);
}

/** Throws `repository/locked` while a program that lives holds a lock: it may be writing. */
export async function refuseHeld(repository: Lockable, options: LockOptions): Promise<void> {
  const now = options.clock.now();
  const { readable } = await listLocks(repository, options);
  const held = readable.find((lock) => !isDead(lock, options, now) && !isStale(lock, now));
  if (held !== undefined) throw lockedBy(held);
}

/**
 * Removes locks that a process of ours left behind, on this machine or another, and unreadable ones that are too old for anybody to hold: stock prune and check would
 * stop at them. Returns how many.
 */
async function clearDead(repository: Lockable, options: LockOptions, { readable, unreadable }: Locks): Promise<number> {
  const { clock } = options;
  const dead = [
    ...readable.filter((lock) => isDead(lock, options, clock.now()) || isLeftBehind(lock, options)),
    ...unreadable.filter((lock) => isAbandoned(lock, clock)),
  ];
  let cleared = 0;
  for (const { id } of dead) {
    if (!(await removeWhereAllowed(repository, options, id))) break;
    cleared += 1;
  }
  return cleared;
}

/** An exclusive lock that could not be removed would keep everybody out for good, so that it is tried with a shared one. */
async function proveRemovable(repository: Lockable, options: LockOptions): Promise<void> {
  const { id } = await writeLock(repository, { ...options, exclusive: false });
  await removeLock(repository, options, id);
}

interface HeldLock {
  readonly id: LockId;
  readonly since: Date;
}

async function writeLock({ backend, masterKey }: Lockable, options: LockOptions): Promise<HeldLock> {
  const since = options.clock.now();
  const { hostname, username = '', pid = process.pid, exclusive = false, held } = options;
  const lock: Lock = { time: timestamp(since), exclusive, hostname, username, pid };
  const { id, bytes } = sealLock(masterKey, lock);
  held.add(id);
  try {
    await backend.save('lock', id, bytes);
  } catch (error) {
    held.delete(id);
    throw error;
  }
  return { id, since };
}

async function removeLock({ backend }: Lockable, { held }: LockOwner, id: LockId): Promise<void> {
  held.delete(id);
  await backend.remove('lock', id).catch((error: unknown) => {
    if (!isAppError(error, 'store/not-found')) throw error;
  });
}

/** False where the key of the store may not delete. */
async function removeWhereAllowed(repository: Lockable, owner: LockOwner, id: LockId): Promise<boolean> {
  return removeLock(repository, owner, id).then(
    () => true,
    (error: unknown) => (isAppError(error, 'store/may-not-delete') ? false : Promise.reject(error)),
  );
}

function refuseConflict({ readable, unreadable }: Locks, options: LockOptions, own?: LockId): void {
  const unclear = unreadable.find((lock) => !isAbandoned(lock, options.clock));
  if (unclear !== undefined) throw unreadableLock(unclear);
  const others = readable.filter((lock) => lock.id !== own && !isLeftBehind(lock, options));
  const conflict = others.find(({ lock }) => lock.exclusive || options.exclusive === true);
  if (conflict !== undefined) throw lockedBy(conflict);
}

function lockedBy({ id, lock }: ListedLock): AppError {
  return new AppError(
    'repository/locked',
    `The repository is locked ${lock.exclusive ? 'for itself alone ' : ''}by process ${lock.pid} on ${lock.hostname} since ${lock.time}. ` +
      'Wait until it is done; if that program is dead, run `restic unlock`. Of Nightkeep’s own on another machine, a worker removes it once it has seen it for half an hour.',
    { detail: { lockId: id, hostname: lock.hostname, pid: lock.pid, time: lock.time }, retry: { afterMs: minuteMs } },
  );
}

function unreadableLock({ id }: UnreadableLock): AppError {
  return new AppError(
    'repository/locked',
    `The lock file locks/${id} cannot be read: it is damaged, or of another key. Nightkeep removes it where it is still there in half an hour, since ` +
      'nobody holds it then; if no other program uses the repository, `restic unlock --remove-all` removes it now.',
    { detail: { lockId: id }, retry: { afterMs: 31 * minuteMs } },
  );
}

/** One timer refreshes the lock; a second one watches, because a store that hangs would block the first. */
function keepLock(repository: Lockable, options: LockOptions, first: HeldLock): RepositoryLock {
  const { clock } = options;
  const ended = new AbortController();
  const stopping = options.signal && abortToo(ended, options.signal);
  let held = first;
  let refreshing = Promise.resolve();
  const age = () => clock.now().getTime() - held.since.getTime();
  const refresh = async () => {
    const next = await refreshLock(repository, options, held);
    if (next === undefined) ended.abort(lostLock('was removed by somebody else'));
    else held = next;
  };
  const refresher = clock.every(refreshEveryMs, () => {
    refreshing = refresh().catch(() => undefined);
    return refreshing;
  });
  const watcher = clock.every(watchEveryMs, () => {
    if (age() >= lostAfterMs) ended.abort(lostLock('could not be refreshed in time'));
  });
  return {
    signal: ended.signal,
    [Symbol.asyncDispose]: async () => {
      refresher[Symbol.dispose]();
      watcher[Symbol.dispose]();
      stopping?.[Symbol.dispose]();
      await refreshing;
      await removeLock(repository, options, held.id).catch(() => undefined);
    },
  };
}

/** Writes the new lock before it removes the old one. Undefined when the old one was gone already. */
async function refreshLock(repository: Lockable, options: LockOptions, held: HeldLock): Promise<HeldLock | undefined> {
  if (!(await fileExists(repository.backend, 'lock', held.id))) return undefined;
  const next = await writeLock(repository, options);
  await removeLock(repository, options, held.id).catch(() => undefined);
  return next;
}

function lostLock(what: string): AppError {
  return new AppError(
    'repository/lost-lock',
    `Nightkeep's lock on the repository ${what}; the run stops so that nothing is harmed.`,
    {
      retry: { afterMs: minuteMs },
    },
  );
}

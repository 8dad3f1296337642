import { describe, expect, test, vi } from 'vitest';
import { hourMs, minuteMs } from '../../../../src/durations.ts';
import { AppError } from '../../../../src/errors.ts';
import { createMasterKey } from '../../../../src/store/format/envelope.ts';
import { parseId } from '../../../../src/store/format/ids.ts';
import { type Lock, openLock, sealLock } from '../../../../src/store/format/lock-file.ts';
import { type LockOptions, lockRepository, refuseHeld } from '../../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../../src/store/repository/locks.ts';
import type { Repository } from '../../../../src/store/repository/repository.ts';
import { manualClock } from '../../../support/fixtures/manual-clock.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository } from '../../../support/fixtures/repository.ts';

const start = '2026-01-02T03:00:00.000Z';

async function place(options: Partial<LockOptions> = {}) {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const clock = manualClock(start, { sleepAtOnce: true });
  return {
    backend,
    repository,
    clock,
    options: { clock, ...openLockOwner('nightkeep-1'), isAlive: () => true, ...options },
  };
}

const locksIn = (backend: MemoryBackend) => [...backend.files.values()].filter(({ type }) => type === 'lock');
const readLocks = ({ masterKey }: Repository, backend: MemoryBackend) =>
  locksIn(backend).map(({ name, bytes }) => openLock(masterKey, parseId(name), bytes));

async function addLock(repository: Repository, lock: Partial<Lock>): Promise<string> {
  const whole = { time: start, exclusive: false, hostname: 'laptop', username: 'alice', pid: 77, ...lock };
  const { id, bytes } = sealLock(repository.masterKey, whole);
  await repository.backend.save('lock', id, bytes);
  return id;
}

describe('a lock', () => {
  test('is there while it is held, and gone afterwards', async () => {
    const { backend, repository, options } = await place({ username: 'service' });
    {
      await using lock = await lockRepository(repository, options);
      expect(lock.signal.aborted).toBe(false);
      expect(readLocks(repository, backend)).toMatchObject([
        {
          exclusive: false,
          hostname: 'nightkeep-1',
          username: 'service',
          pid: process.pid,
          time: '2026-01-02T03:00:00Z',
        },
      ]);
    }
    expect(locksIn(backend)).toEqual([]);
  });

  test('may be held beside others that are not exclusive', async () => {
    const { backend, repository, options } = await place();
    await addLock(repository, {});
    await using _first = await lockRepository(repository, options);
    await using _second = await lockRepository(repository, options);
    expect(locksIn(backend)).toHaveLength(3);
  });

  test.each([
    ['ours', { exclusive: true }, {}],
    ['theirs', {}, { exclusive: true }],
  ])('is refused when %s is exclusive, and leaves nothing', async (_, ours, theirs) => {
    const { backend, repository, options } = await place(ours);
    await addLock(repository, theirs);
    await expect(lockRepository(repository, options)).rejects.toMatchObject({
      code: 'repository/locked',
      message: expect.stringContaining('process 77 on laptop'),
      retry: { afterMs: 60_000 },
    });
    expect(locksIn(backend)).toHaveLength(1);
  });

  test('is taken back when another came between', async () => {
    const { backend, repository, clock, options } = await place();
    const sleep = async () => {
      await addLock(repository, { exclusive: true });
    };
    const racing = { ...options, clock: { ...clock, sleep } };
    await expect(lockRepository(repository, racing)).rejects.toMatchObject({ code: 'repository/locked' });
    expect(readLocks(repository, backend)).toMatchObject([{ hostname: 'laptop' }]);
  });

  test('of somebody else is in the way however old it is', async () => {
    const { repository, clock, options } = await place();
    await addLock(repository, { exclusive: true });
    await clock.advance(600 * minuteMs);
    await expect(lockRepository(repository, options)).rejects.toMatchObject({ code: 'repository/locked' });
  });

  test('file that is empty is ignored', async () => {
    const { backend, repository, options } = await place();
    await backend.save('lock', 'ab'.repeat(32), Buffer.of());
    await using _lock = await lockRepository(repository, options);
  });
});

describe('a lock file that cannot be read', () => {
  const unreadable: [string, (bytes: Buffer) => Buffer][] = [
    ['flipped', (bytes) => bytes.fill(7, 20, 40)],
    ['cut', (bytes) => bytes.subarray(0, 40)],
    ['of three bytes', () => Buffer.from('abc')],
    ['of another key', () => sealLock(createMasterKey(), { ...foreign, exclusive: true }).bytes],
  ];
  const foreign = { time: start, exclusive: false, hostname: 'laptop', username: 'alice', pid: 77 };

  describe.each(unreadable)('%s', (_, make) => {
    async function withLock() {
      const at = await place();
      const { id, bytes } = sealLock(at.repository.masterKey, foreign);
      await at.backend.save('lock', id, make(Buffer.from(bytes)));
      return { ...at, id };
    }

    test('is named with the cure, after a moment in which it may be on its way, and the next time at once', async () => {
      const { repository, clock, options, id } = await withLock();
      for (const waited of [5_000, 0]) {
        const before = clock.now().getTime();
        await expect(lockRepository(repository, options)).rejects.toMatchObject({
          code: 'repository/locked',
          message: expect.stringMatching(new RegExp(`locks/${id} cannot be read.*restic unlock --remove-all`)),
          retry: { afterMs: 31 * minuteMs },
        });
        expect(clock.now().getTime() - before).toBe(waited);
      }
    });

    test.each([false, true])('is removed half an hour later (exclusive: %s), but not before', async (exclusive) => {
      const { backend, repository, clock, options } = await withLock();
      await expect(lockRepository(repository, { ...options, exclusive })).rejects.toThrow();
      await clock.advance(29 * minuteMs);
      await expect(lockRepository(repository, { ...options, exclusive })).rejects.toThrow();
      await clock.advance(2 * minuteMs);
      {
        await using _lock = await lockRepository(repository, { ...options, exclusive });
        expect(locksIn(backend)).toHaveLength(1);
      }
      expect(locksIn(backend)).toHaveLength(0);
    });

    test('is removed at once by a process that has just begun, where the store says that it is that old', async () => {
      for (const [age, isRemoved] of [
        [29 * minuteMs, false],
        [-hourMs, false],
        [31 * minuteMs, true],
      ] as const) {
        const { backend, repository, clock, options, id } = await withLock();
        const modified = new Date(clock.now().getTime() - age);
        const aged = {
          ...backend,
          stat: async (...about: Parameters<typeof backend.stat>) => ({ ...(await backend.stat(...about)), modified }),
        };
        const locking = lockRepository({ ...repository, backend: aged }, options);
        if (isRemoved) await (await locking)[Symbol.asyncDispose]();
        else await expect(locking).rejects.toMatchObject({ code: 'repository/locked' });
        expect(
          locksIn(backend).some(({ name }) => name === id),
          `${age}`,
        ).toBe(!isRemoved);
      }
    });

    test('keeps no night out for good where the key of the store may not delete', async () => {
      const { backend, repository, clock, options } = await withLock();
      const remove = async () => {
        throw new AppError('store/may-not-delete', 'This key may not delete.');
      };
      const held = { ...repository, backend: { ...backend, remove } };
      await expect(lockRepository(held, options)).rejects.toMatchObject({ code: 'repository/locked' });
      await clock.advance(31 * minuteMs);
      await using _lock = await lockRepository(held, options);
    });
  });

  test('is removed at once where no program makes one like it, as where the store says that it is no file', async () => {
    const { backend, repository, options } = await place();
    const id = await addLock(repository, { exclusive: true });
    const load: typeof backend.load = async (type, name, ...rest) => {
      if (name === id) throw new AppError('repository/damaged', `locks/${id} is a link that leads nowhere.`);
      return backend.load(type, name, ...rest);
    };
    await using _lock = await lockRepository({ ...repository, backend: { ...backend, load } }, options);
    expect(locksIn(backend)).toHaveLength(1);
    expect(locksIn(backend)).not.toMatchObject([{ name: id }]);
  });

  test('that is whole a moment later is no obstacle', async () => {
    const { backend, repository, clock, options } = await place();
    const id = await addLock(repository, {});
    const stored = backend.files.get(`locks/${id}`);
    if (stored === undefined) throw new Error('There is no lock.');
    backend.files.set(`locks/${id}`, { ...stored, bytes: stored.bytes.subarray(0, 10) });
    const sleep: typeof clock.sleep = async (...given) => {
      backend.files.set(`locks/${id}`, stored);
      return clock.sleep(...given);
    };
    await using _lock = await lockRepository(repository, { ...options, clock: { ...clock, sleep } });
  });
});

describe('a held lock', () => {
  test('is written anew every five minutes', async () => {
    const { backend, repository, clock, options } = await place();
    await using lock = await lockRepository(repository, options);
    const [first] = locksIn(backend);
    await clock.advance(61 * minuteMs);
    expect(lock.signal.aborted).toBe(false);
    expect(locksIn(backend)).toHaveLength(1);
    expect(locksIn(backend)[0]?.name).not.toBe(first?.name);
    expect(readLocks(repository, backend)).toMatchObject([{ time: '2026-01-02T04:00:00.2Z' }]);
  });

  test('is lost when it could not be refreshed for 22.5 minutes', async () => {
    const { backend, repository, clock, options } = await place();
    await using lock = await lockRepository(repository, options);
    backend.save = async () => {
      throw new AppError('store/unavailable', 'Away.');
    };
    await clock.advance(22 * minuteMs);
    expect(lock.signal.aborted).toBe(false);
    await clock.advance(1 * minuteMs);
    expect(lock.signal.reason).toMatchObject({ code: 'repository/lost-lock' });
  });

  test('survives a store that is away for less', async () => {
    const { backend, repository, clock, options } = await place();
    await using lock = await lockRepository(repository, options);
    const { save } = backend;
    backend.save = async () => {
      throw new AppError('store/unavailable', 'Away.');
    };
    await clock.advance(19 * minuteMs);
    backend.save = save;
    await clock.advance(30 * minuteMs);
    expect(lock.signal.aborted).toBe(false);
  });

  test('stops with the signal that it was taken with, and not with one that is aborted after its release', async () => {
    const { repository, options } = await place();
    const stopping = new AbortController();
    const taken = { ...options, signal: stopping.signal };
    const released = await lockRepository(repository, taken);
    await released[Symbol.asyncDispose]();
    await using lock = await lockRepository(repository, taken);
    stopping.abort('stopped');
    expect([lock.signal.reason, released.signal.aborted]).toEqual(['stopped', false]);
  });

  test('is lost at once when somebody else removed it', async () => {
    const { backend, repository, clock, options } = await place();
    await using lock = await lockRepository(repository, options);
    for (const { name } of locksIn(backend)) await backend.remove('lock', name);
    await clock.advance(6 * minuteMs);
    expect(lock.signal.reason).toMatchObject({ code: 'repository/lost-lock' });
  });
});

describe('a lock that ends', () => {
  test('while it is being refreshed leaves none behind', async () => {
    const { backend, repository, clock, options } = await place();
    const lock = await lockRepository(repository, options);
    const { save } = backend;
    const reached = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    backend.save = async (...file) => {
      reached.resolve();
      await going.promise;
      await save(...file);
    };
    const passing = clock.advance(5 * minuteMs);
    await reached.promise;
    const ending = lock[Symbol.asyncDispose]();
    going.resolve();
    await Promise.all([passing, ending]);
    expect(locksIn(backend)).toEqual([]);
  });

  test('and could not be removed, or was written though the store said that it failed, is cleared by the next', async () => {
    const { backend, repository, options } = await place();
    const { remove, save } = backend;
    const away = async () => {
      throw new AppError('store/unavailable', 'Away.');
    };
    const first = await lockRepository(repository, options);
    backend.remove = away;
    await first[Symbol.asyncDispose]();
    backend.remove = remove;
    backend.save = async (...file) => {
      await save(...file);
      await away();
    };
    await expect(lockRepository(repository, options)).rejects.toMatchObject({ code: 'store/unavailable' });
    backend.save = save;
    expect(locksIn(backend)).toHaveLength(1);
    await using _lock = await lockRepository(repository, { ...options, exclusive: true });
    expect(readLocks(repository, backend)).toMatchObject([{ exclusive: true }]);
  });

  test('just while another reads it is no obstacle', async () => {
    const { backend, repository, options } = await place();
    await addLock(repository, { exclusive: true });
    const { load } = backend;
    backend.load = async (type, name, range) => {
      if (type === 'lock') backend.files.clear();
      return load(type, name, range);
    };
    await using lock = await lockRepository(repository, options);
    expect(lock.signal.aborted).toBe(false);
  });
});

describe('who erases or clears', () => {
  const refused = async (lock: Partial<Lock>, options: Partial<LockOptions> = {}) => {
    const made = await place(options);
    await addLock(made.repository, lock);
    return refuseHeld(made.repository, made.options).then(
      () => false,
      (error: unknown) => (error instanceof AppError ? error.code : error),
    );
  };

  test('waits for a lock that somebody holds, shared as well, and not for one that nobody does', async () => {
    expect(await refused({})).toBe('repository/locked');
    expect(await refused({ time: '2026-01-02T02:29:59Z' })).toBe(false);
    const ours = { hostname: 'nightkeep-1', pid: 12 };
    expect(await refused(ours)).toBe('repository/locked');
    expect(await refused(ours, { isAlive: () => false })).toBe(false);
  });

  test('takes a process of another user for one that lives', async () => {
    const kill = vi.spyOn(process, 'kill');
    const { isAlive: _, ...asked } = (await place()).options;
    const held = async (code: string) => {
      kill.mockImplementation(() => {
        throw Object.assign(new Error(code), { code });
      });
      const { repository } = await place();
      await addLock(repository, { hostname: 'nightkeep-1', pid: 12 });
      return refuseHeld(repository, asked).then(
        () => false,
        () => true,
      );
    };
    expect([await held('EPERM'), await held('ESRCH')]).toEqual([true, false]);
    kill.mockRestore();
  });
});

describe('dead locks', () => {
  test('of ours are cleared: older than 30 minutes, process gone, or our number from an earlier life', async () => {
    const { backend, repository, options } = await place({ isAlive: (pid) => pid !== 11 });
    await addLock(repository, { hostname: 'nightkeep-1', pid: 10, time: '2026-01-02T02:29:00Z', exclusive: true });
    await addLock(repository, { hostname: 'nightkeep-1', pid: 11, exclusive: true });
    await addLock(repository, { hostname: 'nightkeep-1', pid: process.pid, exclusive: true });
    await using _lock = await lockRepository(repository, options);
    expect(readLocks(repository, backend)).toMatchObject([{ exclusive: false, pid: process.pid }]);
  });

  test('of others, and living ones of ours, stay', async () => {
    const { backend, repository, options } = await place({ isAlive: (pid) => pid === 12 });
    await using _held = await lockRepository(repository, options);
    await addLock(repository, { hostname: 'nightkeep-1', pid: 12 });
    await addLock(repository, { hostname: 'nightkeep-2', pid: 11, time: '2020-01-01T00:00:00Z' });
    await using _another = await lockRepository(repository, options);
    expect(locksIn(backend)).toHaveLength(4);
  });

  test.each([false, true])(
    'of ours on another machine (exclusive: %s) are cleared once we have seen them for half an hour',
    async (exclusive) => {
      const { backend, repository, clock, options } = await place();
      await addLock(repository, { hostname: 'nightkeep-2', exclusive });
      await addLock(repository, { hostname: 'nightkeep-1-of-somebody' });
      const locking = () => lockRepository(repository, { ...options, exclusive: true });
      for (const passed of [0, 31, 29]) {
        await clock.advance(passed * minuteMs);
        await expect(locking()).rejects.toMatchObject({ code: 'repository/locked' });
      }
      // One that is held has another name by now.
      await addLock(repository, { hostname: 'nightkeep-2', time: clock.now().toISOString() });
      await clock.advance(2 * minuteMs);
      await expect(locking()).rejects.toMatchObject({ code: 'repository/locked' });
      expect(locksIn(backend)).toHaveLength(1);
      await clock.advance(31 * minuteMs);
      await expect(locking()).rejects.toMatchObject({ code: 'repository/locked' });
      await clock.advance(31 * minuteMs);
      await (await locking())[Symbol.asyncDispose]();
      expect(locksIn(backend)).toHaveLength(0);
    },
  );

  test('of ours on another machine count no more where they may not be removed', async () => {
    const { backend, repository, clock, options } = await place();
    await addLock(repository, { hostname: 'nightkeep-2', exclusive: true });
    const remove = async () => {
      throw new AppError('store/may-not-delete', 'No.');
    };
    const locking = () => lockRepository({ ...repository, backend: { ...backend, remove } }, options);
    for (const passed of [0, 31]) {
      await clock.advance(passed * minuteMs);
      await expect(locking()).rejects.toMatchObject({ code: 'repository/locked' });
    }
    await clock.advance(31 * minuteMs);
    expect((await locking()).signal.aborted).toBe(false);
  });

  test('do not stop us from locking', async () => {
    const { repository, options } = await place({ isAlive: () => false });
    await addLock(repository, { hostname: 'nightkeep-1', pid: 999_999, exclusive: true });
    await using lock = await lockRepository(repository, options);
    expect(lock.signal.aborted).toBe(false);
  });
});

describe('where the key of the store may not delete', () => {
  const appendOnly = async () => {
    const made = await place();
    const refuse = async () => {
      throw new AppError('store/may-not-delete', 'No.');
    };
    return { ...made, repository: { ...made.repository, backend: { ...made.backend, remove: refuse } } };
  };

  test('nights take their locks one after the other, and leave them behind', async () => {
    const { backend, repository, options } = await appendOnly();
    for (let night = 1; night <= 3; night++) {
      {
        const own = { ...options, held: new Set<never>(), pid: 1000 + night, isAlive: () => false };
        await using lock = await lockRepository(repository, own);
        expect(lock.signal.aborted).toBe(false);
      }
      expect(readLocks(repository, backend)).toHaveLength(night);
    }
  });

  test('no exclusive lock is taken, which would keep the nights out', async () => {
    const { backend, repository, options } = await appendOnly();
    await expect(lockRepository(repository, { ...options, exclusive: true })).rejects.toMatchObject({
      code: 'store/may-not-delete',
    });
    expect(readLocks(repository, backend)).toMatchObject([{ exclusive: false }]);
    await using lock = await lockRepository(repository, options);
    expect(lock.signal.aborted).toBe(false);
  });
});

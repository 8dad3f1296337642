import { expect, test } from 'vitest';
import { loadWhileLocking } from '../../../../src/store/repository/load-while-locking.ts';
import { lockRepository } from '../../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../../src/store/repository/locks.ts';
import { openRepository } from '../../../../src/store/repository/repository.ts';
import { manualClock } from '../../../support/fixtures/manual-clock.ts';
import { openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';

async function place() {
  const backend = openMemoryBackend();
  await writeSnapshot(await newRepository(backend), { file: Buffer.from('text') });
  const clock = manualClock('2026-01-02T03:00:00.000Z');
  return { backend, clock, repository: await openRepository(backend, 'pw') };
}

const asUs = (clock: ReturnType<typeof manualClock>) => ({
  clock,
  ...openLockOwner('nightkeep-1'),
  isAlive: () => true,
});
const lookedTwice = async (clock: ReturnType<typeof manualClock>, promise: Promise<unknown>) => {
  let done = false;
  const finish = promise.then(
    () => undefined,
    () => undefined,
  );
  finish.then(() => (done = true));
  while (!done) {
    await clock.advance(200);
    await new Promise(setImmediate);
  }
};

test('the index is there before the lock has settled', async () => {
  const { backend, clock, repository } = await place();
  {
    await using lock = await loadWhileLocking(repository, asUs(clock));
    expect(repository.index.size).toBe(2);
    await lookedTwice(clock, lock.settled);
    expect((await lock.settled).signal.aborted).toBe(false);
    expect(await Array.fromAsync(backend.list('lock'))).toHaveLength(1);
  }
  expect(await Array.fromAsync(backend.list('lock'))).toEqual([]);
});

test('a lock that is refused aborts what was begun', async () => {
  const { clock, repository } = await place();
  const other = lockRepository(repository, { ...asUs(clock), hostname: 'laptop', exclusive: true });
  await lookedTwice(clock, other);
  await using _held = await other;
  await using lock = await loadWhileLocking(repository, asUs(clock));
  await lookedTwice(clock, lock.settled);
  await expect(lock.settled).rejects.toMatchObject({ code: 'repository/locked' });
  expect(lock.signal.aborted).toBe(true);
});

test('who stops while the lock settles stops what was begun, and leaves no lock', async () => {
  const { backend, clock, repository } = await place();
  const stopping = new AbortController();
  {
    await using lock = await loadWhileLocking(repository, { ...asUs(clock), signal: stopping.signal });
    stopping.abort('stopped');
    expect(lock.signal.reason).toBe('stopped');
    await expect(lock.settled).rejects.toBe('stopped');
  }
  expect(await Array.fromAsync(backend.list('lock'))).toEqual([]);
});

test('an index that cannot be loaded leaves no lock', async () => {
  const { backend, clock, repository } = await place();
  backend.load = async () => {
    throw new Error('The disk is broken.');
  };
  const loading = loadWhileLocking(repository, asUs(clock));
  await lookedTwice(clock, loading);
  await expect(loading).rejects.toThrow('broken');
  expect(await Array.fromAsync(backend.list('lock'))).toEqual([]);
});

test('an index that was replaced meanwhile is noticed', async () => {
  const { backend, clock, repository } = await place();
  await using lock = await loadWhileLocking(repository, asUs(clock));
  for await (const { name } of backend.list('index')) await backend.remove('index', name);
  await lookedTwice(clock, lock.settled);
  await expect(lock.settled).rejects.toMatchObject({ code: 'repository/locked' });
});

import { expect, test } from 'vitest';
import type { FileType } from '../../../../src/store/backend/backend.ts';
import { clearPlace, contentsOf } from '../../../../src/store/repository/clear-place.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';

const types: readonly FileType[] = ['config', 'data', 'index', 'snapshot', 'lock', 'card', 'key'];

async function filled(): Promise<MemoryBackend> {
  const backend = openMemoryBackend();
  for (const type of types) await backend.save(type, 'a'.repeat(64), Buffer.from(type));
  return backend;
}

test('what opens a repository goes first: keys, the card with its password, then the rest', async () => {
  const backend = await filled();
  const { remove } = backend;
  const removed: FileType[] = [];
  backend.remove = async (type, name) => {
    removed.push(type);
    await remove(type, name);
  };
  await clearPlace(backend);
  expect(removed.slice(0, 2)).toEqual(['key', 'card']);
  expect(removed.toSorted()).toEqual(types.toSorted());
  expect(await contentsOf(backend)).toEqual({ snapshots: 0, files: 0, bytes: 0 });
});

test('a place is not clear while the store still lists a file of it', async () => {
  const backend = await filled();
  backend.remove = async () => undefined;
  await expect(clearPlace(backend)).rejects.toMatchObject({
    code: 'store/unavailable',
    message: expect.stringContaining('7 files'),
  });
});

test('a file that another worker removed just before is no obstacle, any other failure is', async () => {
  const backend = await filled();
  const { remove } = backend;
  backend.remove = async (type, name) => {
    await remove(type, name);
    await remove(type, name);
  };
  await clearPlace(backend);
  const broken = await filled();
  broken.remove = async () => {
    throw new Error('The disk is read-only.');
  };
  await expect(clearPlace(broken)).rejects.toThrow('read-only');
});

test('clearing stops before the next file once it is told to', async () => {
  const backend = await filled();
  const stopping = new AbortController();
  const { remove } = backend;
  backend.remove = async (type, name) => {
    await remove(type, name);
    stopping.abort(new Error('Stopped.'));
  };
  await expect(clearPlace(backend, stopping.signal)).rejects.toThrow('Stopped.');
  expect((await contentsOf(backend)).files).toBe(types.length - 1);
});

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadCards } from '../../../../src/store/repository/cards.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';

function put(backend: MemoryBackend, bytes: Buffer): void {
  const name = createHash('sha256').update(bytes).digest('hex');
  backend.files.set(`cards/${name}`, { type: 'card', name, bytes });
}

test('a few cards are read, all of them', async () => {
  const backend = openMemoryBackend();
  for (const text of ['one', 'other']) put(backend, Buffer.from(text));
  expect((await loadCards(backend)).map(String).toSorted()).toEqual(['one', 'other']);
});

test('what cannot be a card keeps no card from being read, and is one that does not open', async () => {
  const backend = openMemoryBackend();
  put(backend, Buffer.from('a card'));
  for (const byte of [0, 1]) put(backend, Buffer.alloc(2 * 1024 * 1024, byte));
  expect((await loadCards(backend)).map(String).toSorted()).toEqual(['', 'a card']);
});

test('of thousands that somebody put there, no more are read than years bring, few at a time', async () => {
  const backend = openMemoryBackend();
  for (let number = 0; number < 4_100; number++) put(backend, Buffer.from(`card ${number}`));
  let [underWay, most] = [0, 0];
  const watched: MemoryBackend = {
    ...backend,
    load: async (type, name) => {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      const bytes = await backend.load(type, name);
      underWay -= 1;
      return bytes;
    },
  };
  const read = await loadCards(watched);
  expect([read.length, read.filter(({ length }) => length === 0).length]).toEqual([4_001, 1]);
  expect(most).toBeLessThanOrEqual(8);
});

test('of large ones no more are read than fit into some megabytes', async () => {
  const backend = openMemoryBackend();
  for (let number = 0; number < 30; number++) put(backend, Buffer.alloc(1024 * 1024, number));
  expect((await loadCards(backend)).reduce((sum, { length }) => sum + length, 0)).toBe(16 * 1024 * 1024);
});

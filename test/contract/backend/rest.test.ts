import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectBackend } from '../../../src/store/backend/inspect-backend.ts';
import { saveCard } from '../../../src/store/repository/cards.ts';
import { clearPlace } from '../../../src/store/repository/clear-place.ts';
import { openTestRest } from '../../support/fixtures/rest-store.ts';
import { type MemoryRest, type MemoryRestManner, startMemoryRest } from '../../support/servers/memory-rest.ts';
import { describeBackend } from './contract.ts';

let opened: AsyncDisposableStack;
let server: MemoryRest;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await startMemoryRest());
});
afterAll(() => opened.disposeAsync());

const bytes = randomBytes(100);
const name = createHash('sha256').update(bytes).digest('hex');
const missing = createHash('sha256').digest('hex');

describeBackend('REST', async () => opened.use(openTestRest(server.origin)).open(`people/${randomUUID()}`));

async function openServer(manner: MemoryRestManner = {}) {
  const own = opened.use(await startMemoryRest(manner));
  return { own, store: opened.use(openTestRest(own.origin, manner.credentials)) };
}

describe('on a server that speaks the REST protocol', () => {
  test('cards and the names of places lie beside the repositories, and go with them', async () => {
    const { own, store } = await openServer();
    const backend = store.open('people/one');
    await backend.save('key', name, bytes);
    await saveCard(backend, Buffer.from('a card'));
    await saveCard(backend, Buffer.from('another card'));
    const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
    expect([...own.files.keys()].toSorted()).toEqual([
      `people/nightkeep-places/data/${hashOf('one')}`,
      `people/one-cards/data/${hashOf('another card')}`,
      `people/one/keys/${name}`,
    ]);
    await clearPlace(backend);
    expect([...own.files.keys()]).toEqual([]);
  });

  test('a place stays known while anything is there by which it is opened or told whose it is', async () => {
    const { own, store } = await openServer();
    const backend = store.open('one');
    for (const type of ['key', 'card', 'config'] as const) {
      await backend.save(type, name, bytes);
      await backend.vacate();
      expect(await Array.fromAsync(store.places(''))).toEqual(['one']);
      await backend.remove(type, name);
    }
    await backend.save('lock', name, bytes);
    await backend.vacate();
    expect([...own.files.keys()]).toEqual([`one/locks/${name}`]);
  });

  test('an entry that names no place is passed over', async () => {
    const { own, store } = await openServer();
    await store.open('one').save('key', name, bytes);
    for (const text of ['../two', '', '..', 'a\nb'])
      own.files.set(`nightkeep-places/data/${createHash('sha256').update(text).digest('hex')}`, Buffer.from(text));
    expect(await Array.fromAsync(store.places(''))).toEqual(['one']);
  });

  test('one that lets nobody delete takes nights, lets locks go, and says whose job the rest is', async () => {
    const { store } = await openServer({ isAppendOnly: true });
    const backend = store.open('one');
    await backend.save('lock', name, bytes);
    await backend.remove('lock', name);
    await backend.save('data', name, bytes);
    await saveCard(backend, Buffer.from('a card'));
    await saveCard(backend, Buffer.from('another card'));
    expect(await Array.fromAsync(backend.list('card'))).toHaveLength(2);
    await expect(backend.remove('data', name)).rejects.toMatchObject({
      code: 'store/may-not-delete',
      message: expect.stringMatching(/lets nobody delete there \(append-only\)\. Whoever may must do this/),
    });
    expect(await inspectBackend(store.open('doctor'), () => 0)).toMatchObject({ mayDelete: true, tripMs: 0 });
  });

  test('the user and the password go along, and a wrong one is named with the cure', async () => {
    const credentials = { user: 'nightkeep', password: 'pässword:1' };
    const { own, store } = await openServer({ credentials });
    await store.open('one').save('data', name, bytes);
    await using wrong = openTestRest(own.origin, { user: 'nightkeep', password: 'a guess' });
    await using nobody = openTestRest(own.origin);
    for (const other of [wrong, nobody]) {
      const backend = other.open('one');
      for (const act of [backend.load('data', name), backend.save('key', name, bytes), backend.remove('data', name)])
        await expect(act).rejects.toMatchObject({
          code: 'store/unavailable',
          message: expect.stringMatching(/does not accept the user or the password\. Correct STORE_URL or STORE_KEYS/),
          retry: undefined,
        });
      await expect(Array.fromAsync(backend.list('data'))).rejects.toThrow(/does not accept the user or the password/);
    }
  });

  test('a prefix that is too long for it is named with the cure', async () => {
    const { store } = await openServer();
    await expect(store.open('far/too/deep').save('data', name, bytes)).rejects.toThrow(
      /keeps no repository at such a path\. Shorten the prefix in STORE_URL/,
    );
  });

  test('one that lists names alone is refused, since a listing without sizes proves nothing', async () => {
    const { store } = await openServer({ isOld: true });
    const backend = store.open('one');
    await backend.save('data', name, bytes);
    await expect(Array.fromAsync(backend.list('data'))).rejects.toThrow(
      /does not speak version 2 of the REST protocol/,
    );
  });

  test('bytes that do not have the name that they are given are refused by it', async () => {
    const { store } = await openServer();
    await expect(store.open('one').save('data', missing, bytes)).rejects.toMatchObject({
      message: expect.stringContaining('got other bytes than were sent'),
      retry: { afterMs: 500 },
    });
  });
});

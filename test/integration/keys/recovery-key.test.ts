import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { tidyKeys } from '../../../src/flows/keys/foreign-keys.ts';
import { reissueRecoveryKey, revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { letGoOf } from '../../../src/flows/snapshots/let-go.ts';
import type { Resources } from '../../../src/resources.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { cheapScrypt } from '../../support/fixtures/repository.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let guest: SignedIn;
let userId: string;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());
beforeEach(async () => {
  guest = await pages.consented();
  userId = await guest.userId();
  await ensurePersonRepository(pages.resources, userId);
});

const open = () => openPersonRepository(pages.resources, userId);
const keyIds = async () => (await Array.fromAsync((await open()).repository.listKeys())).map(({ id }) => id).toSorted();
/** The keys of Nightkeep itself and of the recovery key. */
const known = async () => {
  const { repository, recoveryKeyFile } = await open();
  return [repository.keyId, recoveryKeyFile].toSorted();
};
const reissue = (resources: Resources = pages.resources) => reissueRecoveryKey(resources, userId);
const shown = async () => (await revealRecoveryKey(pages.resources, userId)).recoveryKey;
const opens = async (password: string) => {
  const { backend } = (await open()).repository;
  return openRepository(backend, password).then(
    () => true,
    () => false,
  );
};

test('after many reissues at once, the key that is shown last opens the repository, and none that was shown before does', async () => {
  const before = await shown();
  await Promise.all(Array.from({ length: 4 }, () => reissue()));
  expect(await keyIds()).toEqual(await known());
  const last = await shown();
  expect([await opens(before), await opens(last)]).toEqual([false, true]);
  expect(await pages.resources.database.audit.count({ where: { userId, act: 'key-reissued' } })).toBe(4);
});

test('two first nights at once make one recovery key', async () => {
  const other = await pages.consented();
  const id = await other.userId();
  await Promise.allSettled([ensurePersonRepository(pages.resources, id), ensurePersonRepository(pages.resources, id)]);
  const { repository, recoveryKeyFile } = await ensurePersonRepository(pages.resources, id);
  const ids = (await Array.fromAsync(repository.listKeys())).map((key) => key.id);
  expect(ids.toSorted()).toEqual([repository.keyId, recoveryKeyFile].toSorted());
});

/** Ends at the n-th step of those that change something in store or database. */
function dyingAt(n: number): { resources: Resources; died: () => boolean } {
  let steps = 0;
  const step = () => {
    if (++steps >= n) throw new Error('The process was killed.');
  };
  const store: Resources['store'] = (location, at) => {
    const backend = pages.resources.store(location, at);
    return {
      ...backend,
      save: async (...input) => {
        step();
        return backend.save(...input);
      },
      remove: async (...input) => {
        step();
        return backend.remove(...input);
      },
    };
  };
  return { resources: { ...pages.resources, store }, died: () => steps >= n };
}

test('a reissue that was killed at any step leaves one key that works, and the next verification or reissue tidies up after it', async () => {
  for (let n = 1; ; n += 1) {
    const { resources, died } = dyingAt(n);
    await reissue(resources).catch(() => undefined);
    if (!died()) break;
    expect(await opens(await shown())).toBe(true);
    if (n % 2 === 0) await tidyKeys(pages.resources, userId);
    else await reissue();
    expect(await keyIds()).toEqual(await known());
    expect(n).toBeLessThan(9);
  }
});

test.each(['store/may-not-delete', 'store/unavailable'] as const)(
  'where the store answers %s to deleting, the new key is made and shown, and the page says that the old one still opens until it is gone',
  async (code) => {
    const stays = texts.recovery.reissue.stays(1);
    const before = await shown();
    const { store } = pages.resources;
    const refuse = async () => {
      throw new AppError(code, 'No.');
    };
    pages.resources.store = (location, at) => ({ ...store(location, at), remove: refuse });
    try {
      letGoOf(pages.resources, userId);
      expect((await guest.post('/recovery/reissue', { sure: 'yes' })).headers.get('location')).toBe('/recovery');
      const after = await shown();
      expect([after === before, await opens(before), await opens(after)]).toEqual([false, true, true]);
      expect(await guest.text('/recovery')).toContain(stays);
    } finally {
      pages.resources.store = store;
      letGoOf(pages.resources, userId);
    }
    await tidyKeys(pages.resources, userId);
    expect(await opens(before)).toBe(false);
    expect(await guest.text('/recovery')).not.toContain(stays);
  },
);

test('a key that somebody else added is shown to its person with when it came, and theirs to remove; a reissue leaves it', async () => {
  const t = texts.recovery.foreign;
  expect(await guest.text('/recovery')).not.toContain(t.title);
  const facts = { username: 'mallory', hostname: '<b>laptop</b>\u001b[2J', clock: pages.clock, scrypt: cheapScrypt };
  const foreign = await (await open()).repository.addKey('a foreign password', facts);
  const page = await guest.text('/recovery');
  expect(page).toContain(t.title);
  expect(page).toContain('mallory@&lt;b&gt;laptop&lt;/b&gt;\\x1b[2J');
  expect(page).toContain(texts.formats.time(pages.clock.now(), 'UTC'));
  await reissue();
  expect(await keyIds()).toContain(foreign);
  const remove = (key: string, by = guest) => by.post('/recovery/remove', { key });
  const other = await pages.consented();
  await ensurePersonRepository(pages.resources, await other.userId());
  const before = await keyIds();
  for (const answer of [
    await remove(foreign, other),
    ...(await Promise.all((await known()).map((own) => remove(own ?? '')))),
    await remove('../config'),
  ])
    expect(answer.headers.get('location')).toBe('/recovery');
  expect(await keyIds()).toEqual(before);
  expect((await remove(foreign)).headers.get('location')).toBe('/recovery');
  expect(await keyIds()).toEqual(await known());
  expect(await opens('a foreign password')).toBe(false);
  expect(await guest.text('/recovery')).not.toContain(t.title);
  expect((await remove(foreign)).headers.get('location')).toBe('/recovery');
});

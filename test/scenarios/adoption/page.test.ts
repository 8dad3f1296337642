import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { freshMs } from '../../../src/flows/consent/give-consent.ts';
import { revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { removeCards } from '../../../src/store/repository/cards.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const t = texts.recovery.adopt;
let pages: Pages;
let alice: SignedIn;
let key: string;
let folder: string;
let password: Uint8Array;
beforeEach(async () => {
  pages = await openPages();
  alice = await pages.newPerson();
  const userId = await alice.userId();
  await ensurePersonRepository(pages.resources, userId);
  ({ recoveryKey: key, folder } = await revealRecoveryKey(pages.resources, userId));
  await writeCards(pages.resources);
});
afterEach(() => pages[Symbol.asyncDispose]());

/** As a database that was lost is: it knows nobody's repository. Without cards nothing else says whose it is, as without the keyring. */
async function lose({ cards = false } = {}) {
  const { database, store } = pages.resources;
  const row = await database.repository.findUniqueOrThrow({ where: { userId: await alice.userId() } });
  password = row.sealedPassword;
  if (!cards) await removeCards(store(folder, null));
  await database.repository.deleteMany();
}
const type = async (visitor: SignedIn, fields: { folder?: string; key?: string } = {}) =>
  visitor.post('/recovery/adopt', { folder, key, ...fields });
const repositories = () => pages.resources.database.repository.findMany();
const refused = async (answer: Response, why: keyof typeof t.refused) => {
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(t.refused[why])]);
};

test('the recovery key, typed as people type, gives a person their repository back, with a new password of the service', async () => {
  await lose();
  expect(await alice.text('/recovery')).toContain('href="/recovery/adopt"');
  const answer = await type(alice, { folder: ` ${folder} `, key: key.toUpperCase().replaceAll('-', ' ') });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  expect(await alice.text('/')).toContain(texts.home.adopted);
  const userId = await alice.userId();
  const [row] = await repositories();
  expect(row).toMatchObject({ userId, location: folder, recoveryKeptAt: pages.clock.now(), sealedRecoveryKey: null });
  expect(row?.sealedPassword).not.toEqual(password);
  const { repository } = await openPersonRepository(pages.resources, userId);
  expect(await Array.fromAsync(repository.listKeys())).toHaveLength(2);
  expect(await alice.text('/recovery')).toContain(texts.recovery.reissue.button);
  const acts = await pages.resources.database.audit.findMany({ where: { act: 'repository-adopted' } });
  expect(acts).toMatchObject([{ by: `user:${userId}`, userId, about: folder }]);
  await refused(await type(alice), 'another');
  expect(await alice.text('/recovery/adopt')).not.toContain('name="key"');
});

test('a wrong key and a folder without a repository are told alike, and nothing leads out of the store', async () => {
  await lose();
  await refused(await type(alice, { key: 'aaaaa-bbbbb-ccccc-ddddd-eeeee-fffff' }), 'wrong');
  await refused(await type(alice, { key: '' }), 'misspelled');
  for (const elsewhere of ['nowhere', '', '..', `../store/${folder}`, `./${folder}`, `${folder}/`, '.'])
    await refused(await type(alice, { folder: elsewhere }), 'wrong');
  expect(await repositories()).toEqual([]);
  const page = await (await type(alice, { key: 'aaaaa-bbbbb-ccccc-ddddd-eeeee-fffff' })).text();
  expect(page).toContain(`value="${folder}"`);
  expect(page).not.toContain('aaaaa');
});

test('what is somebody else’s stays so, whether their card says it or the database', async () => {
  const bob = await pages.newPerson();
  await refused(await type(bob), 'known');
  await lose({ cards: true });
  await refused(await type(bob), 'others');
  expect(await repositories()).toEqual([]);
  expect((await type(alice)).status).toBe(303);
});

test('a fresh sign-in is asked for, attempts are limited, and strangers are sent to sign in', async () => {
  await lose();
  pages.resources.config.rates.recovery = { count: 3, spanMs: 3_600_000 };
  const wrong = { key: 'aaaaa-bbbbb-ccccc-ddddd-eeeee-fffff' };
  for (let tries = 0; tries < 3; tries += 1) await refused(await type(alice, wrong), 'wrong');
  expect((await type(alice)).status).toBe(429);
  expect(await repositories()).toEqual([]);
  await pages.clock.advance(freshMs);
  const answer = await type(alice);
  expect([answer.status, answer.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/login\?fresh=yes/)]);
  expect(await alice.text('/recovery/adopt')).toContain(texts.fresh.signIn);
  expect(await repositories()).toEqual([]);
});

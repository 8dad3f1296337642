import { randomUUID } from 'node:crypto';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { readSources } from '../../../src/database/nights/plan-rows.ts';
import { saveUser } from '../../../src/database/people/users.ts';
import { checkRowMarks } from '../../../src/doctor/checks/row-marks.ts';
import { noMark, peopleRow, planRow, tokenRow } from '../../../src/domain/marks.ts';
import { AppError } from '../../../src/errors.ts';
import { chooseSources } from '../../../src/flows/consent/choose-sources.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { markPlaces, raiseMark, readMark, requireNewest } from '../../../src/flows/keys/marks.ts';
import { confirmReplayed, findReplayedRows } from '../../../src/flows/keys/replayed-rows.ts';
import { requireWholeRows } from '../../../src/flows/keys/require-whole-rows.ts';
import { deleteFormerCopy, moveRepository } from '../../../src/flows/store/move-repository.ts';
import type { Resources } from '../../../src/resources.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { personSealing, planSealing } from '../../../src/vault/row-seals.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';

/** Somebody who may write to PostgreSQL puts older rows back, with the seals that they had. Everything is started anew in between. */

let opened: AsyncDisposableStack;
let fixture: ConsentFixture;
let folders: { ours: string; elsewhere: string };
/** What the store does to marks. */
let marksFail: 'never' | 'at writing' | 'at removing' | 'always';
/** Done once a mark was read, before whoever asked for it has it. */
let whenMarkIsRead: (() => Promise<void>) | undefined;
let markLists: number;
let alices: Awaited<ReturnType<ConsentFixture['consent']>>;
let bobs: Awaited<ReturnType<ConsentFixture['consent']>>;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const folder = async (name: string) => opened.use(await temporaryFolder(name)).path;
  folders = { ours: await folder('ours'), elsewhere: await folder('elsewhere') };
  marksFail = 'never';
  whenMarkIsRead = undefined;
  markLists = 0;
  const store = (location: string, at: string | null): Backend => {
    const backend = openLocalBackend(
      join(at?.endsWith(folders.elsewhere) ? folders.elsewhere : folders.ours, location),
    );
    const fail = () => {
      throw new Error('no answer');
    };
    return {
      ...backend,
      save: async (type, ...rest) =>
        type === 'mark' && (marksFail === 'at writing' || marksFail === 'always')
          ? fail()
          : backend.save(type, ...rest),
      remove: async (type, name) => {
        if (type !== 'mark' || marksFail !== 'at removing') return backend.remove(type, name);
        throw new AppError('store/may-not-delete', 'no');
      },
      load: async (type, ...rest) => {
        const bytes = await backend.load(type, ...rest);
        const then = type === 'mark' ? whenMarkIsRead : undefined;
        whenMarkIsRead = undefined;
        await then?.();
        return bytes;
      },
      list: (type) => {
        if (type === 'mark') markLists += 1;
        return type === 'mark' && marksFail === 'always' ? fail() : backend.list(type);
      },
    };
  };
  fixture = opened.use(await openConsentFixture({ store }));
  alices = await fixture.consent(alice);
  bobs = await fixture.consent(bob);
  for (const { plan } of [alices, bobs]) expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
});
afterEach(() => opened.disposeAsync());

const restarted = (): Resources => fixture.other('another');
const userRow = () => fixture.resources.database.user.findUniqueOrThrow({ where: { id: alices.user.id } });
const asked = () => [fixture.custody.provider.log.requests().length, fixture.files.heard.length];
const replayedRows = async () => Array.fromAsync(findReplayedRows(fixture.resources));
const confirmAll = () => Array.fromAsync(confirmReplayed(fixture.resources, { userIds: null, by: 'command:op@here' }));
const backUp = (planId: string, worker = restarted()) => fixture.backUp(planId, worker);

/** Alice signs in with another user name, and a night uses it. */
async function renamed(): Promise<Awaited<ReturnType<typeof userRow>>> {
  const { database, keyring } = fixture.resources;
  const before = await userRow();
  const { issuer, subject } = before;
  const claims = { preferred_username: 'alice' };
  await saveUser(database, { issuer, subject, claims, username: 'alicia', at: new Date() }, personSealing(keyring));
  expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  return before;
}

async function putBack({ id, username, claims, seal }: Awaited<ReturnType<typeof userRow>>): Promise<void> {
  const data = { username, seal, ...(claims !== null && { claims }) };
  await fixture.resources.database.user.update({ where: { id }, data });
}

/** Alice's night fails, and nothing was asked; the operator sees which rows they are; Bob's goes on. */
async function stopsAliceAlone(row: string): Promise<void> {
  const before = asked();
  const run = await backUp(alices.plan.id);
  expect(run).toMatchObject({ state: 'failed', errorCode: 'seal/replayed', snapshotId: null });
  expect(asked()).toEqual(before);
  expect(await replayedRows()).toEqual([{ userId: alices.user.id, older: [row] }]);
  expect(checkRowMarks(await replayedRows())).toMatchObject({ state: 'wrong' });
  await expect(requireWholeRows(fixture.resources, alices.user.id)).rejects.toMatchObject({ code: 'seal/replayed' });
  expect(await backUp(bobs.plan.id)).toMatchObject({ state: 'succeeded' });
}

describe('an older row that is put back while nothing runs', () => {
  test('of a person stops their night alone, until the newest is back', async () => {
    const older = await renamed();
    const newest = await userRow();
    await putBack(older);
    await stopsAliceAlone(peopleRow);
    await putBack(newest);
    expect(await replayedRows()).toEqual([]);
    expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('of a plan does, and can be confirmed after looking', async () => {
    const { database, keyring } = fixture.resources;
    const { id, ...older } = await database.plan.findFirstOrThrow({ where: { userId: alices.user.id } });
    const sources = [{ kind: 'webdav', name: 'all', url: fixture.files.url }];
    const seal = planSealing(keyring).reseal(older, { ...older, sources });
    await database.plan.update({ where: { id }, data: { sources, seal } });
    expect(await backUp(id)).toMatchObject({ snapshotId: expect.any(String) });
    const data = { sources: older.sources ?? [], seal: older.seal };
    await database.plan.update({ where: { id }, data });
    await stopsAliceAlone(planRow(older.grantId));
    const by = 'command:op@here';
    const confirmed = await Array.fromAsync(confirmReplayed(fixture.resources, { userIds: [alices.user.id], by }));
    expect(confirmed).toEqual([{ userId: alices.user.id, older: [planRow(older.grantId)] }]);
    expect(await backUp(id)).toMatchObject({ snapshotId: expect.any(String) });
    expect(await database.audit.count({ where: { act: 'rows-confirmed', userId: alices.user.id } })).toBe(1);
  });

  test('of a plan does from the moment on at which its person left something out of it', async () => {
    const { database, keyring } = fixture.resources;
    const { id, ...before } = await database.plan.findFirstOrThrow({ where: { userId: alices.user.id } });
    const [files] = readSources(before.sources);
    const sources = [
      { kind: 'webdav', ...files },
      { kind: 'imap', name: 'mail', url: 'imaps://alice@mail.example' },
    ];
    const seal = planSealing(keyring).reseal(before, { ...before, sources });
    await database.plan.update({ where: { id }, data: { sources, seal } });
    const choice = { userId: alices.user.id, names: ['files'], by: `user:${alices.user.id}` };
    expect(await chooseSources(fixture.resources, choice)).toBe('chosen');
    await database.plan.update({ where: { id }, data: { sources, seal } });
    await stopsAliceAlone(planRow(before.grantId));
    await expect(chooseSources(restarted(), { ...choice, names: ['mail'] })).rejects.toMatchObject({
      code: 'seal/replayed',
    });
  });

  test('of a plan does from the moment on at which its person agreed to less', async () => {
    const { database, keyring } = fixture.resources;
    const { id, ...before } = await database.plan.findFirstOrThrow({ where: { userId: alices.user.id } });
    const [files] = readSources(before.sources);
    const sources = [
      { kind: 'webdav', ...files },
      { kind: 'imap', name: 'mail', url: 'imaps://alice@mail.example' },
    ];
    const seal = planSealing(keyring).reseal(before, { ...before, sources });
    await database.plan.update({ where: { id }, data: { sources, seal } });
    const begun = await beginConsent(fixture.resources, { returnTo: '/', terms: { said: 'files alone' } });
    const callback = await fixture.custody.visit(begun.url, alice);
    await finishConsent(fixture.resources, { callback, transaction: begun.transaction });
    const { grantId, sources: agreed } = await database.plan.findUniqueOrThrow({ where: { id } });
    expect(agreed).not.toEqual(sources);
    await database.plan.update({ where: { id }, data: { sources, seal } });
    await stopsAliceAlone(planRow(grantId));
  });

  test('of an offline token does: no token is sent that another had replaced', async () => {
    const { database } = fixture.resources;
    const grantId = alices.grant.id;
    const older = await database.tokenGeneration.findFirstOrThrow({ where: { grantId }, orderBy: { number: 'asc' } });
    const newest = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
    expect(newest.generation).toBeGreaterThan(older.number);
    await database.grant.update({ where: { id: grantId }, data: { generation: older.number } });
    await stopsAliceAlone(tokenRow(grantId));
    await database.grant.update({ where: { id: grantId }, data: { generation: newest.generation } });
    fixture.custody.pass(20 * 60_000);
    expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('of a consent that was withdrawn does, where the provider has not ended the token yet; a consent that is given again is used', async () => {
    const { database } = fixture.resources;
    const grantId = alices.grant.id;
    const { id: _, userId: __, ...grant } = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
    const generations = await database.tokenGeneration.findMany({ where: { grantId } });
    await fixture.custody.provider.down();
    const by = `user:${alices.user.id}`;
    expect(await withdrawConsent(restarted(), { grantId, by })).toEqual({ withdrawn: true, tokens: 'outstanding' });
    await fixture.custody.provider.up();
    await database.grant.update({ where: { id: grantId }, data: grant });
    for (const { grantId: of, number, ...data } of generations)
      await database.tokenGeneration.update({ where: { grantId_number: { grantId: of, number } }, data });
    await database.plan.update({ where: { id: alices.plan.id }, data: { paused: false } });
    await stopsAliceAlone(tokenRow(grantId));
    const { plan } = await fixture.consent(alice);
    expect(await backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('of a repository that was moved does: nothing goes to its former store, where its files still lie; one that comes back to a store is used there again', async () => {
    const { database } = fixture.resources;
    const row = () =>
      database.repository.findUniqueOrThrow({ where: { userId: alices.user.id }, include: { user: true } });
    const older = await row();
    const resources = { ...fixture.resources, config: { store: { kind: 'folder' as const, folder: folders.ours } } };
    const place = { ...older, username: null, subject: '' };
    const to = (folder: string) =>
      moveRepository(resources, place, { to: { kind: 'folder', folder }, by: 'command:op@here' });
    expect(await to(folders.elsewhere)).not.toBeNull();
    const newest = await row();
    const data = ({ store, sealedPassword, formerStore }: typeof newest) => ({ store, sealedPassword, formerStore });
    await database.repository.update({ where: { id: older.id }, data: data(older) });
    await stopsAliceAlone('repositories');
    await database.repository.update({ where: { id: older.id }, data: data(newest) });
    expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
    for (const folder of [folders.ours, folders.elsewhere]) {
      await deleteFormerCopy(resources, place, { by: 'command:op@here' });
      expect(await to(folder)).not.toBeNull();
      expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
    }
  });
});

describe('an honest row is not taken for an older one', () => {
  test('where a crash came between the row and its mark: the next use makes up for it', async () => {
    marksFail = 'at writing';
    const older = await renamed();
    const { mark } = await readMark(fixture.resources, alices.user.id);
    expect(mark.rows[peopleRow]).toBe(1);
    marksFail = 'never';
    expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
    await putBack(older);
    await stopsAliceAlone(peopleRow);
  });

  test('where the store does not answer for marks: the night goes on', async () => {
    await renamed();
    marksFail = 'always';
    expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('where two workers write marks at once: what one of them lost, its next use puts there', async () => {
    const userId = alices.user.id;
    const [one, two] = [restarted(), restarted()];
    const number = (await readMark(one, userId)).mark.rows[tokenRow(alices.grant.id)] ?? 0;
    const token = { rows: { [tokenRow(alices.grant.id)]: number + 1 } };
    await Promise.all([raiseMark(one, userId, { rows: { [peopleRow]: 2 } }), raiseMark(two, userId, token)]);
    for (const rows of [{ [peopleRow]: 2 }, token.rows]) await requireNewest(restarted(), userId, { rows });
    await raiseMark(restarted(), userId, { rows: { [peopleRow]: 2 } });
    await raiseMark(restarted(), userId, token);
    expect((await readMark(one, userId)).mark.rows).toMatchObject({ [peopleRow]: 2, ...token.rows });
  });

  test('where one worker writes a mark while another has just read the one before: what both say stays, and nobody lists twice', async () => {
    const userId = alices.user.id;
    const number = (await readMark(restarted(), userId)).mark.rows[tokenRow(alices.grant.id)] ?? 0;
    const token = { [tokenRow(alices.grant.id)]: number + 1 };
    whenMarkIsRead = () => raiseMark(restarted(), userId, { rows: token });
    markLists = 0;
    await raiseMark(restarted(), userId, { rows: { [peopleRow]: 2 } });
    expect(markLists).toBe(2);
    expect((await readMark(restarted(), userId)).mark.rows).toMatchObject({ [peopleRow]: 2, ...token });
  });

  test('where a worker is broken off before the mark before it goes, or two write one at once: what comes next is put there at once', async () => {
    const userId = alices.user.id;
    const folder = join(folders.ours, `${markPlaces}${userId}`);
    const aside = join(folders.elsewhere, 'marks');
    const row = tokenRow(alices.grant.id);
    const number = (await readMark(restarted(), userId)).mark.rows[row] ?? 0;
    const raise = (by: number) => raiseMark(restarted(), userId, { rows: { [row]: number + by } });
    const toldOf = async () => (await readMark(restarted(), userId)).mark.rows[row];
    await cp(folder, aside, { recursive: true });
    await raise(1);
    await cp(aside, folder, { recursive: true });
    await raise(2);
    expect(await toldOf()).toBe(number + 2);
    const [one, two] = [join(folders.elsewhere, 'one'), join(folders.elsewhere, 'two')];
    await cp(folder, one, { recursive: true });
    await raise(3);
    await rename(folder, two);
    await rename(one, folder);
    await raise(4);
    await cp(two, folder, { recursive: true });
    expect((await readMark(restarted(), userId)).files).toHaveLength(2);
    await raise(5);
    expect(await toldOf()).toBe(number + 5);
    expect((await readMark(restarted(), userId)).files).toHaveLength(1);
  });

  test('where the store lets no mark go: one that says newer tokens only is written once a week', async () => {
    const userId = alices.user.id;
    const row = tokenRow(alices.grant.id);
    const { mark } = await readMark(restarted(), userId);
    marksFail = 'at removing';
    for (const by of [1, 2, 3]) await raiseMark(restarted(), userId, { rows: { [row]: (mark.rows[row] ?? 0) + by } });
    expect((await readMark(restarted(), userId)).files).toHaveLength(2);
    fixture.custody.pass(8 * 86_400_000);
    await raiseMark(restarted(), userId, { rows: { [row]: (mark.rows[row] ?? 0) + 4 } });
    const after = await readMark(restarted(), userId);
    expect(after.files).toHaveLength(3);
    expect(after.mark.rows[row]).toBe((mark.rows[row] ?? 0) + 4);
  });

  test('where somebody signs in again and is who they were: the row stays as it is', async () => {
    const { database, keyring } = fixture.resources;
    const before = await userRow();
    const { issuer, subject, username, claims } = before;
    const said = {
      issuer,
      subject,
      username: username ?? undefined,
      claims: { ...(claims as object) },
      at: new Date(),
    };
    const after = await saveUser(database, said, personSealing(keyring));
    expect(after.seal).toEqual(before.seal);
  });
});

test('a database that was put back from a backup stops everybody whose rows were newer, and one command accepts it', async () => {
  const { database } = fixture.resources;
  const saved = await database.grant.findMany();
  const older = await renamed();
  expect(await backUp(bobs.plan.id)).toMatchObject({ state: 'succeeded' });
  await putBack(older);
  for (const { id, generation } of saved) await database.grant.update({ where: { id }, data: { generation } });
  for (const { plan } of [alices, bobs])
    expect(await backUp(plan.id)).toMatchObject({ state: 'failed', errorCode: 'seal/replayed' });
  expect((await confirmAll()).map(({ userId }) => userId).toSorted()).toEqual(
    [alices.user.id, bobs.user.id].toSorted(),
  );
  expect(await confirmAll()).toEqual([]);
  fixture.custody.pass(20 * 60_000);
  for (const { plan } of [alices, bobs])
    expect(await backUp(plan.id)).not.toMatchObject({ errorCode: 'seal/replayed' });
});

test('a row that says that a person is being erased takes their mark no sooner than all else of them is gone', async () => {
  const { database } = fixture.resources;
  const older = await renamed();
  const at = fixture.resources.clock.now();
  await database.personErasure.create({ data: { id: randomUUID(), userId: alices.user.id, begunAt: at, removed: {} } });
  expect(await finishErasedPeople(restarted())).toBe(0);
  await database.personErasure.deleteMany();
  await putBack(older);
  await stopsAliceAlone(peopleRow);
});

test('without its mark an older row is not noticed, and a new mark is made of it', async () => {
  const older = await renamed();
  await putBack(older);
  await rm(join(folders.ours, `${markPlaces}${alices.user.id}`), { recursive: true });
  expect(await backUp(alices.plan.id)).toMatchObject({ state: 'succeeded' });
  const { mark } = await readMark(fixture.resources, alices.user.id);
  expect(mark).toMatchObject({ rows: { [peopleRow]: 1 } });
  expect(mark.number).toBeGreaterThan(noMark.number);
});

import { randomUUID } from 'node:crypto';
import { chmod, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import { findStateExport } from '../../../src/database/state/state-exports.ts';
import { checkStateExports } from '../../../src/doctor/checks/state-exports.ts';
import { dayMs } from '../../../src/durations.ts';
import { findRepositories } from '../../../src/flows/adoption/find-repositories.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { erasePerson, finishErasedPeople } from '../../../src/flows/erasure/erase-person.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { exportIntoStore, exportWhereDue } from '../../../src/flows/state/export-into-store.ts';
import { importFromStore, listStoredExports } from '../../../src/flows/state/stored-exports.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import type { Resources } from '../../../src/resources.ts';
import { retrying } from '../../../src/store/backend/retrying.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openTestRest } from '../../support/fixtures/rest-store.ts';
import { openTestBucket } from '../../support/fixtures/s3-store.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { type LostServer, openLostServer } from '../../support/harness/lost-server.ts';
import { keyLine } from '../../support/harness/settings.ts';
import { openHttpRelay } from '../../support/servers/http-relay.ts';
import { startMemoryRest } from '../../support/servers/memory-rest.ts';
import { startMemoryS3 } from '../../support/servers/memory-s3.ts';

const by = 'command:test';
let server: LostServer;
beforeEach(async () => {
  server = await openLostServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const withKept = (resources: Resources, stateExports: number): Resources => ({
  ...resources,
  config: { ...resources.config, stateExports },
});
const names = async (resources: Resources) => (await listStoredExports(resources)).map(({ name }) => name);
const days = async (resources: Resources) => (await names(resources)).map((name) => name.slice(0, 10));
const bringBack = (resources: Resources, name = 'latest') => importFromStore(resources, { name, by });

test('each night makes one export, the last few stay, and keyring and store alone bring everything back', async () => {
  const { before } = server;
  const three = withKept(before.resources, 3);
  await exportWhereDue(three);
  expect(await names(three)).toEqual([]);
  const { grant, plan, user } = await before.consent(alice);
  await before.backUp(plan.id);
  const made: string[] = [];
  for (let night = 0; night < 5; night += 1) {
    await exportWhereDue(three);
    await exportWhereDue(three);
    made.unshift(before.resources.clock.now().toISOString().slice(0, 10));
    before.custody.pass(dayMs);
  }
  expect(await days(three)).toEqual(made.slice(0, 3));
  expect(await findStateExport(before.resources.database)).toMatchObject({ kept: 3, overdue: 0, errorCode: null });
  await exportWhereDue(withKept(before.resources, 0));
  expect(await days(three)).toEqual(made.slice(0, 3));
  expect((await findRepositories(before.resources, null)).map(({ isKnown }) => isKnown)).toEqual([true]);

  const resources = await server.rebuild();
  const { rows, withTokens } = await bringBack(resources);
  expect([rows.users, rows.runs, withTokens]).toEqual([1, 1, false]);
  expect(await resources.database.tokenGeneration.count({ where: { sealed: { not: null } } })).toBe(0);
  const again = {
    ...resources,
    keyring: await openKeyring(resources.database, parseKeyring(resources.config.keyring), new Date()),
  };
  const begun = await beginConsent(again, { returnTo: '/', terms: { said: 'every night' } });
  const callback = await before.custody.visit(begun.url, alice);
  expect(
    await finishConsent(again, { callback, transaction: JSON.parse(JSON.stringify(begun.transaction)) }),
  ).toMatchObject({
    user: { id: user.id },
    grant: { id: grant.id },
  });
  const runId = await requestRun(again, { planId: plan.id, trigger: 'person' });
  expect(await before.workOn(runId, again)).toMatchObject({ state: 'succeeded', counts: { entriesRead: 0 } });
});

test('those of a lost installation stay where another begins in its store without importing one', async () => {
  const { before } = server;
  await before.consent(alice);
  const lost = (await exportIntoStore(before.resources, { by })).createdAt;
  before.custody.pass(dayMs);
  const one = withKept(await server.rebuild(), 1);
  const createdAt = one.clock.now();
  await one.database.user.create({
    data: { id: randomUUID(), issuer: 'https://id.example', subject: 'bob', createdAt },
  });
  for (let night = 0; night < 3; night += 1) {
    before.custody.pass(dayMs);
    await exportIntoStore(one, { by });
  }
  expect(await names(one)).toHaveLength(2);
  expect((await bringBack(await server.rebuild(), lost.slice(0, 16))).rows.users).toBe(1);
});

test('an older one is chosen by its name, and whatever is wrong is said with the cure', async () => {
  const { before } = server;
  const { resources } = before;
  await expect(bringBack(await server.rebuild())).rejects.toMatchObject({
    code: 'request/not-found',
    message: expect.stringMatching(/STORE_URL.*nightkeep adopt/),
  });
  await before.consent(alice);
  const older = (await exportIntoStore(resources, { by })).createdAt;
  before.custody.pass(dayMs);
  await before.consent(bob);
  await exportIntoStore(resources, { by });
  const rebuilt = await server.rebuild();
  for (const name of ['2', '1999', 'newest']) await expect(bringBack(rebuilt, name)).rejects.toThrow(/import --list/);
  const folder = join(before.storeFolder, 'nightkeep-state', 'states');
  const [, newest = ''] = (await readdir(folder)).toSorted();
  const bytes = await readFile(join(folder, newest));
  await chmod(join(folder, newest), 0o600);
  await writeFile(join(folder, newest), bytes.subarray(0, -40));
  await expect(bringBack(rebuilt)).rejects.toThrow(/cut off.*nightkeep import --list/);
  await writeFile(join(folder, newest), Buffer.from(bytes).fill(1, bytes.length - 9));
  await expect(bringBack(rebuilt)).rejects.toThrow(/altered.*nightkeep import --list/);
  expect(await rebuilt.database.user.count()).toBe(0);
  expect((await bringBack(rebuilt, older.slice(0, 16))).rows.users).toBe(1);
  await expect(bringBack(rebuilt, older)).rejects.toThrow(/in use/);
  const foreign = await server.rebuild(keyLine('other'));
  expect((await listStoredExports(foreign)).map(({ problem }) => problem)).toEqual(
    Array(2).fill(expect.stringContaining('"one"')),
  );
  await expect(bringBack(foreign)).rejects.toMatchObject({ code: 'keyring/invalid' });
});

test('as soon as somebody was erased, or another key seals, there is a new one, and none that holds them', async () => {
  const { before } = server;
  const { resources } = before;
  const { user } = await before.consent(alice);
  await before.consent(bob);
  await exportWhereDue(resources);
  before.custody.pass(60_000);
  await exportWhereDue(resources);
  const [old] = await names(resources);
  await erasePerson(resources, { userId: user.id });
  await eraseRepositories(resources);
  await finishErasedPeople(resources);
  before.custody.pass(60_000);
  await exportWhereDue(resources);
  const left = await names(resources);
  expect(left).toHaveLength(1);
  expect(left).not.toContain(old);
  const lines = `${keyLine('two')}\n${resources.config.keyring}`;
  const keyring = await openKeyring(resources.database, parseKeyring(lines), resources.clock.now());
  before.custody.pass(60_000);
  await exportWhereDue({ ...resources, keyring });
  await exportWhereDue({ ...resources, keyring });
  expect(await names({ ...resources, keyring })).toHaveLength(2);
  const rebuilt = await server.rebuild(lines);
  expect((await bringBack(rebuilt)).rows.users).toBe(1);
});

test('each night is in one where plans have other hours than the settings: it is made once the last of their windows is over', async () => {
  const { before } = server;
  const { database, clock, config } = before.resources;
  expect(config.window).toMatchObject({ start: '01:00', end: '05:00' });
  const { plan } = await before.consent(alice);
  await before.consent(bob);
  const own = { zone: 'UTC', windowStart: '06:00', windowEnd: '10:00' };
  await database.plan.updateMany({ data: own });
  await database.plan.update({ where: { id: plan.id }, data: { windowStart: '02:00', windowEnd: '03:00' } });
  const at = (time: string) => {
    const today = Date.parse(`${clock.now().toISOString().slice(0, 10)}T${time}Z`);
    const ms = today - clock.now().getTime();
    before.custody.pass(ms > 0 ? ms : ms + dayMs);
  };
  const madeBy = async (time: string) => {
    at(time);
    await exportWhereDue(before.resources);
    return (await names(before.resources)).length;
  };
  expect(await madeBy('11:00')).toBe(1);
  expect([await madeBy('04:00'), await madeBy('05:30'), await madeBy('09:59')]).toEqual([1, 1, 1]);
  expect([await madeBy('10:01'), await madeBy('23:00')]).toEqual([2, 2]);
});

test('where the store is away or empty, none is made: that is on record, said, and tried again an hour later', async () => {
  const { before } = server;
  const { resources } = before;
  const { plan } = await before.consent(alice);
  await before.backUp(plan.id);
  await rename(before.storeFolder, `${before.storeFolder}-elsewhere`);
  const tried = () =>
    exportWhereDue(resources).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  expect(await tried()).toMatch(/Mount the disk/);
  expect(await tried()).toBe('nothing');
  const { database, clock } = resources;
  const told = async () =>
    checkStateExports({ kept: 7, record: await findStateExport(database), since: new Date(0), now: clock.now() });
  expect(await told()).toMatchObject({ state: 'warn', finding: expect.stringContaining('store/unavailable') });
  await rename(`${before.storeFolder}-elsewhere`, before.storeFolder);
  expect(await tried()).toBe('nothing');
  before.custody.pass(3_600_000);
  await exportWhereDue(resources);
  expect(await names(resources)).toHaveLength(1);
  expect(await told()).toMatchObject({ state: 'ok' });
});

test('two processes make one, and one that was killed is made again once its hour is over', async () => {
  const { resources } = server.before;
  await server.before.consent(alice);
  await Promise.all([exportWhereDue(resources), exportWhereDue(server.before.other('two'))]);
  expect(await names(resources)).toHaveLength(1);
  server.before.custody.pass(dayMs);
  const leaseUntil = new Date(resources.clock.now().getTime() + 3_600_000);
  await resources.database.stateExport.updateMany({ data: { leaseUntil } });
  await exportWhereDue(resources);
  await expect(exportIntoStore(resources, { by })).rejects.toThrow(/Another process/);
  server.before.custody.pass(3_600_000);
  await exportWhereDue(resources);
  expect(await names(resources)).toHaveLength(2);
});

test('what one that was killed had half written goes with the next, whoever was erased since', async () => {
  const { resources, storeFolder } = server.before;
  await server.before.consent(alice);
  await exportWhereDue(resources);
  const states = join(storeFolder, 'nightkeep-state', 'states');
  const [whole = ''] = await readdir(states);
  const half = `${whole.slice(0, -1)}1-tmp-0123456789ab`;
  await writeFile(join(states, half), 'half a file');
  await writeFile(join(states, 'of somebody.txt'), 'stays');
  await exportIntoStore(resources, { by });
  const left = await readdir(states);
  expect(left).toHaveLength(3);
  expect(left).not.toContain(half);
});

test('a key that may not delete makes them all the same, and says how many should have gone', async () => {
  await using bucket = await startMemoryS3();
  await using relay = await openHttpRelay(bucket.origin);
  await using store = openTestBucket(relay.origin);
  await using fixture = await openConsentFixture({
    store: (location) => retrying(store.open(`people/${location}`), { clock: systemClock() }),
    places: () => Array.fromAsync(store.places('people')),
  });
  relay.decide(({ method }) => (method === 'DELETE' ? { refuse: 403, code: 'AccessDenied' } : 'pass'));
  const resources = withKept(fixture.resources, 2);
  await fixture.consent(alice);
  for (let night = 0; night < 4; night += 1) {
    await exportWhereDue(resources);
    fixture.custody.pass(dayMs);
  }
  const record = await findStateExport(resources.database);
  expect(record).toMatchObject({ kept: 4, overdue: 2, errorCode: null });
  expect(checkStateExports({ kept: 2, record, since: null, now: resources.clock.now() })).toMatchObject({
    state: 'warn',
    finding: expect.stringContaining('2 older exports should have been removed'),
  });
  relay.decide(() => 'pass');
  expect(await exportIntoStore(resources, { by })).toMatchObject({ kept: 2, overdue: 0 });
  expect([...bucket.files.keys()].filter((key) => key.includes('/states/'))).toHaveLength(2);
});

test('a REST server that lets nobody delete takes exports all the same', async () => {
  await using server = await startMemoryRest({ isAppendOnly: true });
  await using store = openTestRest(server.origin);
  await using fixture = await openConsentFixture({
    store: (location) => retrying(store.open(`people/${location}`), { clock: systemClock() }),
    places: () => Array.fromAsync(store.places('people')),
  });
  const resources = withKept(fixture.resources, 1);
  await fixture.consent(alice);
  for (let night = 0; night < 2; night += 1) {
    await exportWhereDue(resources);
    fixture.custody.pass(dayMs);
  }
  expect(await findStateExport(resources.database)).toMatchObject({ kept: 2, overdue: 1, errorCode: null });
  expect(await names(resources)).toHaveLength(2);
  expect([...server.files.keys()].filter((key) => key.startsWith('people/nightkeep-state-states/data/'))).toHaveLength(
    2,
  );
});

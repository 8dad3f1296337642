import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let alice: SignedIn;
let repository: Repository;
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
});
afterAll(() => pages[Symbol.asyncDispose]());

const show = async () => (await alice.send('/retention')).text();
/** What the settings page says of it. */
const shortly = async () => /id="kept".*?<\/section>/s.exec(await alice.text('/settings'))?.[0] ?? '';
const plans = () => pages.resources.database.plan;

test('tells somebody who consented to it what stays', async () => {
  expect(await show()).toContain('Of your snapshots these stay: the newest of each of the last 7 days that have any;');
  expect(await plans().findFirst()).toMatchObject({
    retention: { daily: 7, weekly: 4, monthly: 12 },
    retentionAgreedAt: pages.resources.clock.now(),
  });
});

test('lets all stay of whoever has not agreed, shows what would go, and goes by it once they have agreed', async () => {
  await plans().updateMany({ data: { retentionAgreedAt: null } });
  repository = await addRepository(pages, alice);
  const { tree, id: other } = await writeSnapshot(repository, { 'a.txt': Buffer.from('a') });
  await repository.forgetSnapshot(other);
  for (const hour of ['01', '02', '03'])
    await repository.saveSnapshot({
      time: `2026-05-03T${hour}:00:00Z`,
      tree,
      paths: ['/files'],
      hostname: 'nightkeep',
    });
  const before = await show();
  expect(before).toContain('All of your snapshots stay, since you have not agreed to let any go.');
  expect(before).toContain('If you agreed, 2 would stay and 1 go.');
  expect(before.match(/would go</g)).toHaveLength(1);
  expect(await shortly()).toContain('If you agreed, 2 would stay and 1 go.');
  expect((await shortly()).match(/>3 May 2026, 02:00 UTC<.*would go</g)).toHaveLength(1);
  await alice.post('/retention', { rule: 'last=1' });
  expect(await plans().findFirst()).toMatchObject({ retentionAgreedAt: null });
  expect((await alice.post('/retention', { rule: 'daily=7,weekly=4,monthly=12' })).status).toBe(303);
  const after = await show();
  expect(after).toContain('You agreed to this on 4 May 2026');
  expect(after).toContain('2 stay, 1 goes after the next backup.');
  expect(await shortly()).toContain('2 stay, 1 goes after the next backup.');
  expect(after).toContain('newest of its day; newest of its week; newest of its month; the newest');
  expect(await pages.resources.database.audit.findFirst({ where: { act: 'retention-changed' } })).toMatchObject({
    by: `user:${await alice.userId()}`,
    about: 'daily=7,weekly=4,monthly=12',
  });
});

test('by a rule of a span or of hours, says for which end of the next backup it is reckoned: a later one lets others go', async () => {
  const [plan] = await plans().findMany();
  const { retention: former } = plan ?? expect.unreachable();
  const at = texts.formats.time(plan?.nextDueAt ?? expect.unreachable(), 'UTC');
  const reckoned = texts.retention.reckoned(at);
  expect(await show()).not.toContain(reckoned);
  for (const rule of [{ within: { years: 0, months: 0, days: 1, hours: 0 } }, { hourly: 3 }]) {
    await plans().updateMany({ data: { retention: rule } });
    expect(await show()).toContain(reckoned);
  }
  await plans().updateMany({ data: { retention: former ?? {} } });
});

test('is nothing to agree to any more once all of them are to be erased', async () => {
  await plans().updateMany({ data: { retentionAgreedAt: null } });
  await pages.resources.database.repository.updateMany({ data: { eraseAt: new Date('2026-06-01') } });
  expect(await show()).not.toContain('action="/retention"');
  expect((await alice.post('/retention', { rule: 'daily=7,weekly=4,monthly=12' })).status).toBe(303);
  expect(await plans().findFirst()).toMatchObject({ retentionAgreedAt: null });
  await pages.resources.database.repository.updateMany({ data: { eraseAt: null } });
  await plans().updateMany({ data: { retentionAgreedAt: pages.clock.now() } });
});

test('names the newest few that go on the settings page, and how many more', async () => {
  const [first] = await Array.fromAsync(repository.listSnapshots());
  const { snapshot } = first ?? expect.unreachable();
  for (let minute = 10; minute < 30; minute++)
    await repository.saveSnapshot({ ...snapshot, time: `2026-05-03T02:${minute}:00Z` });
  pages.resources.histories.drop(await alice.userId());
  const said = await shortly();
  expect(said).toContain('2 stay, 21 go after the next backup.');
  expect(said.match(/3 May 2026, 02:\d\d UTC/g)).toEqual(
    [29, 28, 27, 26, 25].map((minute) => `3 May 2026, 02:${minute} UTC`),
  );
  expect(said).toContain('16 older ones are not listed here.');
});

test('counts with the next backup, after which another one is the newest of its day', async () => {
  const { retention } = await plans().findFirstOrThrow();
  await plans().updateMany({ data: { retention: { daily: 1 } } });
  expect(await shortly()).toContain('0 stay, 23 go after the next backup.');
  expect(await show()).not.toContain('newest of its day');
  // Nothing goes after a backup there, but when somebody removes it.
  const { repository: repositories } = pages.resources.database;
  await repositories.updateMany({ data: { retentionHold: 'store/may-not-delete' } });
  expect(await shortly()).toContain('1 stays, 22 go when the operator removes them.');
  await repositories.updateMany({ data: { retentionHold: null } });
  await plans().updateMany({ data: { retention: { daily: 2 } } });
  expect(await shortly()).toContain('1 stays, 22 go after the next backup.');
  await plans().updateMany({ data: { retention: { ...Object(retention) } } });
});

test('says that only the operator lets them go where Nightkeep may not delete, and claims nothing of what a failure left', async () => {
  const { database } = pages.resources;
  await database.repository.updateMany({ data: { retentionHold: 'store/may-not-delete' } });
  for (const said of [await show(), await shortly()]) {
    expect(said).toContain('Nightkeep itself may not delete anything where your snapshots are kept.');
    expect(said).toContain('2 stay, 21 go when the operator removes them.');
    expect(said).toContain('goes when the operator removes it');
    expect(said).not.toContain('after the next backup');
  }
  await database.repository.updateMany({ data: { retentionHold: 'store/unavailable' } });
  for (const said of [await show(), await shortly()]) {
    expect(said).toContain('Last time this could not be completed');
    expect(said).not.toContain('Nothing has gone');
  }
  await database.repository.updateMany({ data: { retentionHold: null } });
});

test('the settings are there without it while the repository cannot be opened', async () => {
  const { database } = pages.resources;
  const { sealedPassword } = await database.repository.findFirstOrThrow();
  await database.repository.updateMany({ data: { sealedPassword: Buffer.from('another') } });
  expect(await shortly()).toContain('Of your snapshots these stay');
  expect(await shortly()).not.toContain('after the next backup.');
  await database.repository.updateMany({ data: { sealedPassword } });
  expect(await shortly()).toContain('go after the next backup.');
});

test('says that all stay after a great loss that nobody has looked at', async () => {
  const plan = await plans().findFirstOrThrow();
  const at = pages.resources.clock.now();
  const times = { queuedAt: at, dueAt: at, startedAt: at, finishedAt: at };
  await pages.resources.database.run.create({
    data: {
      id: plan.id,
      planId: plan.id,
      night: '2026-05-04',
      trigger: 'schedule',
      state: 'succeeded',
      snapshotId: 'x',
      alarm: 'loss',
      ...times,
    },
  });
  const told = await show();
  expect(told).toContain('All of your snapshots stay for now: in one backup much was gone or changed');
  expect(told).not.toContain('>goes after the next backup<');
  expect(await shortly()).toContain('All of your snapshots stay for now: in one backup much was gone or changed');
  expect(await shortly()).not.toContain('>goes after the next backup<');
});

test('promises nothing of snapshots that are all erased, since the consent was withdrawn', async () => {
  const { database, clock } = pages.resources;
  const eraseAt = new Date(clock.now().getTime() + 30 * 86_400_000);
  await database.repository.updateMany({ data: { eraseAt } });
  for (const told of [await show(), await shortly()]) {
    expect(told).toContain('and then they are erased. If you agree again before');
    expect(told).not.toMatch(/these stay|stays|next backup|stay for now/);
  }
  await database.repository.updateMany({ data: { eraseAt: clock.now() } });
  for (const told of [await show(), await shortly()]) {
    expect(told).toContain('All of your snapshots are being erased.');
    expect(told).not.toMatch(/these stay|stays|next backup|stay for now/);
  }
  await database.repository.updateMany({ data: { eraseAt: null } });
});

test('says what goes after the next backup by when that comes, also after a pause', async () => {
  const bob = await pages.consented();
  const userId = await bob.userId();
  const own = await addRepository(pages, bob);
  const { tree, id: other } = await writeSnapshot(own, { 'a.txt': Buffer.from('a') });
  await own.forgetSnapshot(other);
  for (const date of ['2026-04-27', '2026-05-04'])
    await own.saveSnapshot({ time: `${date}T02:00:00Z`, tree, paths: ['/files'], hostname: 'nightkeep' });
  await plans().updateMany({ where: { userId }, data: { retention: { weekly: 2 } } });
  const going = async () => {
    const page = await (await bob.send('/retention')).text();
    return [...page.matchAll(/<tr role="row"><td.*?<\/tr>/gs)].flatMap(([row]) =>
      row.includes('goes after the next backup') || />goes</.test(row) ? (/\d+ \w+ 2026/.exec(row) ?? []) : [],
    );
  };
  expect(await going()).toEqual(['4 May 2026']);
  const pausedUntil = new Date('2026-05-12T00:00:00Z');
  await plans().updateMany({ where: { userId }, data: { paused: true, pausedUntil } });
  expect(await going()).toEqual(['27 Apr 2026']);
});

import { cp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { findVerification } from '../../../src/database/repositories/verifications.ts';
import { verification } from '../../../src/doctor/checks/verification.ts';
import { openPeopleCount } from '../../../src/domain/people-tally.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { viewStatus } from '../../../src/flows/nights/view-status.ts';
import { lookAgain } from '../../../src/flows/verification/look-again.ts';
import { verifyDue } from '../../../src/flows/verification/verify-due.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { untilNoon } from '../../support/fixtures/noon.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { file, folder, type HostileNode } from '../../support/servers/hostile-webdav.ts';

const { signal } = new AbortController();
let fixture: ConsentFixture;
let planId: string;
let userId: string;
beforeEach(async () => {
  fixture = await openConsentFixture();
  fixture.custody.pass(untilNoon(fixture.resources.clock.now()));
  await (await signInAs(fixture, alice)).consent();
  const { database, clock } = fixture.resources;
  const plan = await database.plan.findFirstOrThrow();
  [planId, userId] = [plan.id, plan.userId];
  await database.plan.updateMany({ data: { nextDueAt: new Date(clock.now().getTime() + 300 * dayMs) } });
  await database.run.deleteMany();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** The day after. */
async function night(nodes?: Record<string, HostileNode>) {
  fixture.custody.pass(dayMs);
  if (nodes !== undefined) fixture.files.root.children = folder(nodes).children ?? new Map();
  return fixture.backUp(planId);
}

/** As a worker does it every ten minutes. */
async function verify() {
  fixture.custody.pass(10 * minuteMs);
  await verifyDue(fixture.resources, { signal });
  return findVerification(fixture.resources.database, userId);
}

const looked = () => {
  const { clock, database } = fixture.resources;
  return verification.run({ clock, records: async () => database } as Parameters<typeof verification.run>[0]);
};

const judged = async () => {
  const { verdict, reason } = await findProtection(fixture.resources, userId);
  return `${verdict} ${reason}`;
};
const home = async () => (await signInAs(fixture, alice)).text('/');
const nodes = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}.txt`, file(`the ${n}th of ${count}`)]));

/** What somebody deletes of the repository on the store; answers how it is brought back. */
async function remove(...parts: string[]): Promise<() => Promise<void>> {
  const { location } = await openPersonRepository(fixture.resources, userId);
  const copy = `${location}-copy`;
  await cp(location, copy, { recursive: true });
  for (const part of parts)
    if (part === '*')
      for (const name of await readdir(location)) await rm(join(location, name), { recursive: true, force: true });
    else await rm(join(location, part), { recursive: true, force: true });
  return async () => {
    await rm(location, { recursive: true, force: true });
    await rename(copy, location);
  };
}

describe.each([
  ['all of it', '.'],
  ['what is in it', '*'],
  ['its config', 'config'],
  ['its keys', 'keys'],
] as const)('where somebody deleted %s', (_, part) => {
  const gone = 'not repository_gone';

  test.each([
    ['the next night', () => night()],
    [
      'the next verification',
      () => {
        fixture.custody.pass(dayMs);
        return verify();
      },
    ],
  ])('%s says so at once to the person and to operators', async (_, comes) => {
    await fixture.backUp(planId);
    await verify();
    expect(await judged()).toBe('protected complete');
    await remove(part);
    await comes();
    expect(await judged()).toBe(gone);
    const page = await home();
    expect(page).toContain(texts.home.not);
    expect(page).toContain(texts.protection.nights.repository_gone.happened);
    expect(await (await signInAs(fixture, alice)).text('/verification')).toContain(
      texts.protection.nights.repository_gone.act,
    );
    const status = await viewStatus({ ...fixture.resources, peopleCount: openPeopleCount() });
    expect(status).toMatchObject({ verification: { damaged: 0, gone: 1 }, people: { protected: 0, not: 1 } });
  });

  test('once it is back, that is said within minutes: on home, in status, by the doctor and in the log', async () => {
    await fixture.backUp(planId);
    await verify();
    const back = await remove(part);
    await night();
    expect(await judged()).toBe(gone);
    fixture.custody.pass(10 * minuteMs);
    expect(await lookAgain(fixture.resources, { signal })).toBe(0);
    await verify();
    expect(await judged()).toBe(gone);
    expect(await looked()).toMatchObject([{ state: 'wrong' }]);
    await back();
    fixture.custody.pass(5 * minuteMs);
    expect(await lookAgain(fixture.resources, { signal })).toBe(1);
    expect(await judged()).not.toContain('repository_gone');
    expect(await home()).not.toContain(texts.protection.nights.repository_gone.happened);
    const status = await viewStatus({ ...fixture.resources, peopleCount: openPeopleCount() });
    expect(status).toMatchObject({ verification: { damaged: 0, gone: 0 }, people: { not: 0 } });
    expect(await looked()).toMatchObject([{ state: 'ok' }]);
    const { database, clock } = fixture.resources;
    const [last] = await database.event.findMany({ where: { subjectKind: 'user' }, orderBy: { at: 'desc' }, take: 1 });
    expect(last).toMatchObject({ from: 'repository gone', to: 'repository whole' });
    const row = await findVerification(database, userId);
    expect(row).toMatchObject({ damageState: null, foundAt: null, errorCode: null });
    expect(row?.nextAt.getTime()).toBeLessThanOrEqual(clock.now().getTime());
    expect(await lookAgain(fixture.resources, { signal })).toBe(0);
    expect(await verify()).toMatchObject({ damageState: null, clearedAt: null });
  });

  test('a night that finds it again makes it good, and a verification as well, and nobody is told of damage', async () => {
    await fixture.backUp(planId);
    await verify();
    const back = await remove(part);
    await night();
    await back();
    fixture.custody.pass(hourMs);
    expect(await fixture.backUp(planId)).toMatchObject({ state: 'succeeded' });
    expect(await judged()).toBe('protected complete');
    expect(await verify()).toMatchObject({ damageState: null, clearedAt: null, errorCode: null });
    const again = await remove(part);
    fixture.custody.pass(dayMs);
    expect(await verify()).toMatchObject({ damageState: 'gone' });
    await again();
    fixture.custody.pass(hourMs);
    expect(await verify()).toMatchObject({ damageState: null, clearedAt: null });
  });
});

describe.each([[['data']], [['index']], [['data', 'index']], [['data', 'index', 'snapshots']], [['snapshots']]])(
  'where somebody deleted %s',
  (parts) => {
    test.each([
      ['nothing', nodes(3)],
      ['something', nodes(4)],
      ['everything', { other: folder(nodes(2)) }],
    ])('the next night is whole where %s has changed, and a verification is due at once', async (_, then) => {
      await night(nodes(3));
      await verify();
      await remove(...parts);
      const run = await night(then);
      expect(run).toMatchObject({ state: 'succeeded' });
      const { repository } = await openPersonRepository(fixture.resources, userId);
      const { findings } = await checkRepository(repository, { readData: 'all' });
      const named = findings.flatMap(({ files = [] }) => files).map(({ snapshot }) => snapshot);
      expect(named).not.toContain(run.snapshotId);
      const row = await findVerification(fixture.resources.database, userId);
      expect(row?.nextAt.getTime()).toBeLessThanOrEqual(fixture.resources.clock.now().getTime());
      await verify();
      // What the index named is in the packs; what was in the packs and is at the source no more is in none.
      const isLost = parts.includes('data') && then !== undefined && Object.keys(then).length !== 3;
      const removed = parts.includes('snapshots');
      const allGone = then !== undefined && !Object.keys(then).some((name) => name in nodes(3));
      const word = removed ? 'snapshots_removed' : isLost ? 'damaged' : allGone && 'great_loss';
      expect(await judged()).toBe(word === false ? 'protected complete' : `partly ${word}`);
    });
  },
);

describe('what was lost before the whole repository was gone', () => {
  async function lostAndGone() {
    await fixture.backUp(planId);
    const { database, clock } = fixture.resources;
    await verify();
    const lostAt = clock.now();
    const damage = { marks: ['data 1'], files: [{ path: 'a.txt', snapshots: [] }], snapshots: [], recoveryKey: false };
    const data = { damageState: 'healing', damage, foundAt: lostAt };
    await database.verification.updateMany({ where: { userId }, data });
    fixture.custody.pass(hourMs);
    const back = await remove('.');
    await night();
    expect(await judged()).toBe('not repository_gone');
    const { goneAt } = (await findVerification(database, userId)) ?? expect.unreachable();
    return { back, damage, lostAt, goneAt: goneAt ?? expect.unreachable() };
  }
  const row = () => findVerification(fixture.resources.database, userId);
  const { zone } = alice;
  const at = (moment: Date) => texts.formats.time(moment, zone);

  test('is said with both moments', async () => {
    const { lostAt, goneAt } = await lostAndGone();
    expect(await row()).toMatchObject({ damageState: 'gone', foundAt: lostAt, goneAt });
    const page = await (await signInAs(fixture, alice)).text('/verification');
    const t = texts.verification;
    for (const words of [t.foundAt(at(goneAt)), t.damagedBefore(at(lostAt))]) expect(page).toContain(words);
  });

  test('is still said once it is back, as known since it was found', async () => {
    const { back, damage, lostAt, goneAt } = await lostAndGone();
    await back();
    fixture.custody.pass(hourMs);
    expect(await lookAgain(fixture.resources, { signal })).toBe(1);
    expect(await row()).toMatchObject({ damageState: 'healing', damage, foundAt: lostAt, goneAt });
    expect((await row())?.backAt?.getTime()).toBeGreaterThan(goneAt.getTime());
  });

  test('is said to be healed where the verification that finds the repository again finds it whole', async () => {
    const { back, goneAt } = await lostAndGone();
    await back();
    fixture.custody.pass(hourMs);
    await fixture.backUp(planId);
    const verified = await verify();
    expect(verified).toMatchObject({ damageState: null, goneAt, backAt: expect.any(Date) });
    expect(verified?.clearedAt).toEqual(verified?.backAt);
  });
});

import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveRetention } from '../../../src/database/repositories/retention.ts';
import {
  acceptLosses,
  claimVerification,
  findVerification,
  hastenVerification,
} from '../../../src/database/repositories/verifications.ts';
import { parseRule } from '../../../src/domain/retention/rule.ts';
import { cursorAfter } from '../../../src/domain/verification.ts';
import { dayMs } from '../../../src/durations.ts';
import { AppError } from '../../../src/errors.ts';
import { reissueRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { forgetSnapshots } from '../../../src/flows/retention/forget-snapshots.ts';
import { followReading } from '../../../src/flows/verification/follow-reading.ts';
import { verifyDue } from '../../../src/flows/verification/verify-due.ts';
import { type ByteRange, pathOf } from '../../../src/store/backend/backend.ts';
import { type KeyId, type PackId, parseId, type SnapshotId } from '../../../src/store/format/ids.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import type { MemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { cheapScrypt, type Folder, writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, now, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let alice: SignedIn;
let userId: string;
let repository: Repository;
let files: MemoryBackend['files'];
const { signal } = new AbortController();

beforeEach(async () => {
  pages = await openPages();
  alice = await pages.consented();
  userId = await alice.userId();
  repository = await addRepository(pages, alice);
  files = (repository.backend as MemoryBackend).files;
  await pages.resources.database.run.deleteMany();
  await pages.resources.database.plan.updateMany({ data: { nextDueAt: new Date(now + 400 * dayMs) } });
});
afterEach(() => pages[Symbol.asyncDispose]());

const resources = (at: number) => ({
  ...pages.resources,
  clock: manualClock(new Date(at).toISOString(), { sleepAtOnce: true }),
});
const verify = (day: number) => verifyDue(resources(now + day * dayMs), { signal, random: () => 0.4 });
const known = () => findVerification(pages.resources.database, userId);

/** A complete night so many days from now: its snapshot, or none that is new where there is no folder. */
async function night(day: number, folder?: Folder) {
  const at = new Date(now + day * dayMs);
  const written = folder && (await writeSnapshot(repository, folder, at.toISOString(), 'nightkeep'));
  const plan = await pages.resources.database.plan.findFirstOrThrow({ where: { userId } });
  const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: at };
  const about = { id: randomUUID(), planId: plan.id, trigger: 'schedule', slot: randomUUID() };
  await pages.resources.database.run.create({
    data: {
      ...{ ...about, ...times, state: 'succeeded', night: at.toISOString().slice(0, 10) },
      snapshotId: written?.id ?? 'ab'.repeat(32),
    },
  });
  return { ids: written?.packs.map(({ id }) => id) ?? [], snapshotId: written?.id ?? '' };
}

const fileOf = (name: string) => {
  const found = [...files].find(([path]) => path.endsWith(name));
  if (found === undefined) throw new Error('no such file');
  return { path: found[0], file: found[1] };
};
function flip(name: string, at = 20): void {
  const { bytes } = fileOf(name).file;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}
/** Whether that is all of the pack. */
const isWhole = (pack: string, range?: ByteRange) =>
  range === undefined || (range.offset === 0 && range.length === fileOf(pack).file.bytes.length);
const folder = (): Folder => ({ 'a.txt': randomBytes(3_000), sub: { 'b.txt': randomBytes(2_000) } });

/** What damages a pack, and what of it shows without its content being read. */
const damages: [string, (id: PackId) => void][] = [
  ['deleted', (id) => void files.delete(fileOf(id).path)],
  ['with a bit flipped', (id) => flip(id)],
  [
    'cut short',
    (id) => {
      const { path, file } = fileOf(id);
      files.set(path, { ...file, bytes: file.bytes.subarray(0, 50) });
    },
  ],
  [
    'replaced by another',
    (id) => {
      const { path, file } = fileOf(id);
      files.set(path, { ...file, bytes: randomBytes(file.bytes.length) });
    },
  ],
];

describe('a verification', () => {
  test('waits for a snapshot, is done once a day, and says when all was last found whole', async () => {
    await verify(0);
    expect(await known()).toBeNull();
    await night(0, folder());
    await verify(0);
    const first = new Date(now + 200);
    expect(await known()).toMatchObject({
      checkedAt: first,
      verifiedAt: first,
      readAt: first,
      filesRead: 2,
      damage: null,
    });
    await verify(0.9);
    expect(await known()).toMatchObject({ verifiedAt: first });
    await verify(1);
    expect((await known())?.verifiedAt).toEqual(new Date(now + dayMs + 200));
  });

  test('waits for no night of a consent that has ended', async () => {
    const { grant, plan } = pages.resources.database;
    await night(0, folder());
    await plan.updateMany({ data: { nextDueAt: new Date(now + dayMs) } });
    await verify(2);
    expect(await known()).toMatchObject({ checkedAt: null });
    for (const [day, state] of (['needs_consent', 'withdrawn'] as const).entries()) {
      await grant.updateMany({ data: { state } });
      await verify(2 + day);
      expect(await known()).toMatchObject({ checkedAt: new Date(now + (2 + day) * dayMs + 200) });
    }
  });

  test('is due from the first snapshot on, whichever version puts it on record, and not before', async () => {
    const { database } = pages.resources;
    await night(0);
    await database.run.updateMany({ data: { snapshotId: null } });
    await database.verification.deleteMany();
    await database.run.updateMany({ data: { errorCode: 'source/unavailable' } });
    expect(await known()).toBeNull();
    await database.run.updateMany({ data: { snapshotId: 'ab' } });
    expect(await known()).toMatchObject({ since: new Date(now), nextAt: new Date(now), checkedAt: null });
  });

  test('reads every pack within the days of the setting', async () => {
    const { ids } = await night(0, folder());
    for (let more = 0; more < 6; more++) ids.push(...(await night(0, folder())).ids);
    const { backend } = repository;
    const read = new Set<string>();
    const watched = {
      ...backend,
      load: ((type, name, ...how) => {
        if (type === 'data' && isWhole(name, how[0])) read.add(name);
        return backend.load(type, name, ...how);
      }) as typeof backend.load,
    };
    for (let day = 0; day < 30; day++)
      await verifyDue({ ...resources(now + day * dayMs), store: () => watched }, { signal });
    expect([...read].sort()).toEqual(ids.sort());
  });

  test('is put off where a run is due soon, is under way, or begins, and where somebody else uses the repository', async () => {
    await night(0, folder());
    const { plan, run } = pages.resources.database;
    await plan.updateMany({ data: { nextDueAt: new Date(now + 60_000) } });
    await verify(0);
    expect(await known()).toMatchObject({ checkedAt: null, nextAt: new Date(now) });
    await plan.updateMany({ data: { nextDueAt: new Date(now + 400 * dayMs) } });
    await run.updateMany({ data: { state: 'running' } });
    await verify(0);
    expect(await known()).toMatchObject({ checkedAt: null, nextAt: new Date(now) });
    await run.updateMany({ data: { state: 'succeeded' } });
    const { clock, lockOwner } = resources(now);
    const owner = { ...lockOwner, hostname: 'laptop', held: new Set<never>() };
    {
      await using _lock = await lockRepository(repository, { clock, ...owner, exclusive: true });
      await verify(0);
    }
    expect(await known()).toMatchObject({ checkedAt: null, errorCode: null, nextAt: new Date(now + 3_600_000) });
    await verify(0.1);
    expect(await known()).toMatchObject({ checkedAt: expect.any(Date) });
  });

  test('that a run of the person interrupts keeps what it has read and found', async () => {
    const { ids } = await night(0, folder());
    await night(0, folder());
    const { database } = pages.resources;
    const own = resources(now);
    const at = own.clock.now();
    const claimed = await claimVerification(database, { userId, at, leaseUntil: new Date(now + 900_000) });
    if (claimed === null || ids[0] === undefined || ids[1] === undefined) throw new Error('Nothing to read.');
    {
      await using reading = followReading(own, claimed);
      reading.begin(ids);
      await reading.passed(ids[0], [{ kind: 'pack-damaged', severity: 'error', message: '' }]);
      await own.clock.advance(10_000);
      expect(reading.signal.aborted).toBe(false);
      expect(await known()).toMatchObject({ cursor: cursorAfter(ids[0]), nextAt: new Date(now + 910_000) });
      await database.run.updateMany({ data: { state: 'running' } });
      await own.clock.advance(10_000);
      expect(reading.signal.reason).toMatchObject({ code: 'repository/locked' });
      await reading.passed(ids[1], []);
    }
    expect(await known()).toMatchObject({ cursor: cursorAfter(ids[1]), damagedPacks: [ids[0]], checkedAt: null });
  });

  test('continues where the one before ended, reads first what was damaged then, and keeps nothing damaged', async () => {
    const ids = (await night(0, folder())).ids;
    for (let more = 0; more < 4; more++) ids.push(...(await night(0, folder())).ids);
    ids.sort();
    const [damaged, last] = [ids[2] ?? '', ids[5] ?? ''];
    // In its header, where no file shows it.
    flip(damaged, fileOf(damaged).file.bytes.length - 30);
    const { backend } = repository;
    const reads = new Set<string>();
    const store = () => ({
      ...backend,
      load: (async (type, name, ...how) => {
        if (type === 'data' && isWhole(name, how[0])) reads.add(name);
        return backend.load(type, name, ...how);
      }) as typeof backend.load,
    });
    const at = new Date(now);
    const before = { since: at, nextAt: at, readAt: at, cursor: cursorAfter(last), damagedPacks: [damaged] };
    await pages.resources.database.verification.update({ where: { userId }, data: before });
    const config = { ...pages.resources.config, verifyDays: 1 };
    await verifyDue({ ...resources(now), config, store }, { signal });
    const rest = [...ids.slice(6), ...ids.slice(0, 6)].filter((id) => id !== damaged);
    expect([...reads].slice(0, ids.length)).toEqual([damaged, ...rest]);
    expect(await known()).toMatchObject({ checkedAt: expect.any(Date), damageState: null, damagedPacks: [] });
    expect(files.has(pathOf('data', damaged))).toBe(false);
  });

  test('that ends with its worker is done by another later, and by one at a time', async () => {
    await night(0, folder());
    const stopping = new AbortController();
    const backend = { ...repository.backend };
    const store = () => ({
      ...backend,
      list: ((type) => {
        if (type === 'snapshot') stopping.abort(new AppError('run/stopped', 'The service shuts down.'));
        return backend.list(type);
      }) as typeof backend.list,
    });
    await verifyDue({ ...resources(now), store }, { signal: stopping.signal });
    expect(await known()).toMatchObject({ checkedAt: null, errorCode: null });
    // One that was killed says nothing: its time is up after a quarter of an hour.
    await pages.resources.database.verification.updateMany({ data: { nextAt: new Date(now + 900_000) } });
    await verify(0.005);
    expect(await known()).toMatchObject({ checkedAt: null });
    let lists = 0;
    const counted = () => ({
      ...backend,
      list: ((type) => {
        if (type === 'snapshot') lists++;
        return backend.list(type);
      }) as typeof backend.list,
    });
    const verifyAt = (day: number) => verifyDue({ ...resources(now + day * dayMs), store: counted }, { signal });
    await Promise.all([verifyAt(0.02), verifyAt(0.02)]);
    expect(await known()).toMatchObject({ checkedAt: expect.any(Date) });
    const ofTwo = lists;
    await verifyAt(1.5);
    expect(ofTwo).toBe(lists - ofTwo);
    expect(ofTwo).toBeGreaterThan(0);
  });

  test('that fails is tried again an hour later, and says why', async () => {
    await night(0, folder());
    const store = () => {
      throw new AppError('store/unavailable', 'Away.');
    };
    await verifyDue({ ...resources(now), store }, { signal });
    expect(await known()).toMatchObject({ errorCode: 'store/unavailable', nextAt: new Date(now + 3_600_000) });
    await verify(0.05);
    expect(await known()).toMatchObject({ errorCode: null, verifiedAt: expect.any(Date) });
  });
});

describe('damage', () => {
  describe.each(['data', 'tree'] as const)('of a pack of %s', (type) => {
    test.each(damages)(
      'that was %s is found within the days, named by file and snapshot, and known to be healed',
      async (_, damage) => {
        const same = folder();
        const { ids, snapshotId } = await night(0, same);
        const id = ids[type === 'data' ? 0 : 1];
        if (id === undefined) throw new Error('no pack');
        damage(id);
        const config = { ...pages.resources.config, verifyDays: 2 };
        for (let day = 0; day < 2; day++) await verifyDue({ ...resources(now + day * dayMs), config }, { signal });
        const found = await known();
        // What was intact of the pack is in another one, and it has gone.
        expect(found).toMatchObject({ damageState: 'healing', verifiedAt: null, damagedPacks: [], clearedAt: null });
        const names = found?.damage?.files.map(({ path }) => path) ?? [];
        const all = type === 'data' ? ['/a.txt', '/sub/b.txt'] : ['/', '/sub/'];
        expect(names.every((name) => all.includes(name))).toBe(true);
        expect(names.length).toBeGreaterThan(0);
        expect(found?.damage?.files[0]?.snapshots).toEqual([snapshotId]);
        await night(1.5, same);
        await verify(2);
        const whole = { damageState: null, damage: null, damagedPacks: [], foundAt: null };
        const at = (await known())?.checkedAt;
        expect(at?.getTime()).toBeGreaterThanOrEqual(now + 2 * dayMs);
        expect(await known()).toMatchObject({ ...whole, clearedAt: at, verifiedAt: at });
        const opened = await openRepository(repository.backend, 'a password');
        expect(await checkRepository(opened, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 2 });
      },
    );
  });

  test.each([
    ['the store lets nothing go', 'store/may-not-delete'],
    ['somebody else uses it', 'repository/locked'],
  ] as const)('that cannot be mended since %s is stored again beside it by the next night', async (_, code) => {
    const { ids } = await night(0, folder());
    flip(ids[0] ?? '');
    const { backend } = repository;
    let locks = 0;
    const store = () => ({
      ...backend,
      // The first lock is that of looking, the second that of mending.
      save: (async (type, name, bytes) => {
        if (type === 'lock' && ++locks > 1) throw new AppError(code, 'Not now.');
        return backend.save(type, name, bytes);
      }) as typeof backend.save,
    });
    const config = { ...pages.resources.config, verifyDays: 1 };
    await verifyDue({ ...resources(now), config, store }, { signal });
    expect(await known()).toMatchObject({ damageState: 'healing', damagedPacks: [ids[0]] });
    const { repository: ofNight } = await ensurePersonRepository(resources(now), userId);
    await ofNight.loadIndex();
    expect([...ofNight.index.packs()].map(({ id }) => id)).toEqual([ids[1]]);
  });

  test('that shows in the sample alone is found the same day, wherever the reading is', async () => {
    const { ids } = await night(0, folder());
    flip(ids[0] ?? '');
    const config = { ...pages.resources.config, verifyDays: 365 };
    await verifyDue({ ...resources(now), config }, { signal });
    expect(await known()).toMatchObject({ damageState: 'healing', filesRead: 1, damagedPacks: [] });
    expect(files.has(pathOf('data', ids[0] ?? ''))).toBe(false);
  });

  test('is known in the end, and mended, whatever step of looking and mending was the last of a worker that was killed', async () => {
    const config = { ...pages.resources.config, verifyDays: 1 };
    const { backend } = repository;
    let day = 0;
    for (const last of [4, 9, 15, 22, 31, 45]) {
      const same = folder();
      const { ids } = await night(day, same);
      flip(ids[0] ?? '');
      let steps = 0;
      const step = () => {
        if (++steps > last) throw new AppError('store/unavailable', 'Killed.');
      };
      const store = () => ({
        ...backend,
        load: (async (...about) => {
          step();
          return backend.load(...about);
        }) as typeof backend.load,
        save: (async (...about) => {
          step();
          return backend.save(...about);
        }) as typeof backend.save,
        remove: (async (...about) => {
          step();
          return backend.remove(...about);
        }) as typeof backend.remove,
      });
      await verifyDue({ ...resources(now + day * dayMs), config, store }, { signal });
      expect(steps).toBeGreaterThan(last);
      await verifyDue({ ...resources(now + (day + 1) * dayMs), config }, { signal });
      expect(await known(), `killed after step ${last}`).toMatchObject({ damageState: 'healing', damagedPacks: [] });
      await night(day + 1.5, same);
      await verifyDue({ ...resources(now + (day + 2) * dayMs), config }, { signal });
      expect(await known(), `killed after step ${last}`).toMatchObject({ damageState: null, errorCode: null });
      const opened = await openRepository(backend, 'a password');
      expect((await checkRepository(opened, { readData: 'all' })).findings, `killed after step ${last}`).toEqual([]);
      day += 3;
    }
  }, 120_000);

  test('is one bad read where the next one is good', async () => {
    const { ids } = await night(0, folder());
    const { backend } = repository;
    const bad = new Set<string>();
    const store = () => ({
      ...backend,
      load: (async (type, name, range) => {
        const bytes = await backend.load(type, name, range);
        if ((type !== 'data' && type !== 'key') || bad.has(name)) return bytes;
        if (type === 'data' && !isWhole(name, range)) return bytes;
        // The key is loaded once to open the repository.
        bad.add(name);
        if (type === 'data') bytes[20] = (bytes[20] ?? 0) ^ 1;
        return bytes;
      }) as typeof backend.load,
    });
    const config = { ...pages.resources.config, verifyDays: 1 };
    await verifyDue({ ...resources(now), config, store }, { signal });
    expect(bad.size).toBe(ids.length + 1);
    expect(await known()).toMatchObject({ damage: null, verifiedAt: expect.any(Date) });
  });

  test('that a complete night did not heal is lost, until somebody has looked; what comes after is damage again', async () => {
    const { ids } = await night(0, folder());
    files.delete(fileOf(ids[0] ?? '').path);
    await verify(0.1);
    const found = await known();
    expect(found).toMatchObject({ damageState: 'healing' });
    await night(1, folder());
    await hastenVerification(pages.resources.database, { userId, at: new Date(now + 1.01 * dayMs) });
    await verify(1.02);
    expect(await known()).toMatchObject({ damageState: 'lost', foundAt: found?.foundAt, verifiedAt: null });
    const looked = {
      userId,
      foundAt: found?.foundAt ?? new Date(0),
      at: new Date(now + 1.1 * dayMs),
      by: `user:${userId}`,
    };
    expect(await acceptLosses(pages.resources.database, { ...looked, foundAt: new Date(0) })).toBe(false);
    expect(await acceptLosses(pages.resources.database, looked)).toBe(true);
    expect(await acceptLosses(pages.resources.database, looked)).toBe(false);
    await verify(2.1);
    expect(await known()).toMatchObject({ damageState: 'accepted', verifiedAt: new Date(now + 2.1 * dayMs + 200) });
    const next = await night(3, folder());
    files.delete(fileOf(next.ids[0] ?? '').path);
    await verify(3.5);
    expect(await known()).toMatchObject({ damageState: 'healing', foundAt: new Date(now + 3.5 * dayMs + 400) });
  });

  test('that lies in a store which lets nothing go is none any more once it was stored again, and is said to lie there', async () => {
    const same = folder();
    const { ids } = await night(0, same);
    flip(ids[0] ?? '');
    const { backend } = repository;
    const mayNot = async () => {
      throw new AppError('store/may-not-delete', 'The key may not delete.');
    };
    const needs = {
      config: { ...pages.resources.config, verifyDays: 1 },
      store: () => ({ ...backend, remove: mayNot }),
    };
    await verifyDue({ ...resources(now), ...needs }, { signal });
    expect(await known()).toMatchObject({ damageState: 'healing', damagedPacks: [ids[0]], verifiedAt: null });
    const other = await openRepository(backend, 'a password', { without: new Set(ids) });
    await other.loadIndex();
    repository = other;
    await night(1, same);
    await verifyDue({ ...resources(now + dayMs), ...needs }, { signal });
    const at = (await known())?.checkedAt;
    expect(await known()).toMatchObject({
      damageState: 'superseded',
      damagedPacks: [ids[0]],
      verifiedAt: at,
      clearedAt: at,
    });
    expect(await alice.text('/')).not.toContain(texts.protection.nights.repository_damaged.happened);
    expect(await alice.text('/verification')).toContain(texts.verification.superseded);
    await verifyDue({ ...resources(now + 2 * dayMs), config: needs.config }, { signal });
    expect(await known()).toMatchObject({ damageState: null, damagedPacks: [], clearedAt: at });
  });

  test('is that somebody removed a snapshot, whatever retention did since; not that retention or a rewriting did', async () => {
    const nights = [];
    for (let day = 0; day < 5; day++) nights.push(await night(day, folder()));
    const [old = '', , rewritten = '', removed = ''] = nights.map(({ snapshotId }) => snapshotId);
    const { database } = pages.resources;
    const { id: planId } = await database.plan.findFirstOrThrow({ where: { userId } });
    const by = 'command:test';
    await saveRetention(database, {
      userId,
      planId,
      rule: parseRule('daily=3'),
      sealing: agreedRuleSealing(pages.resources.keyring),
      at: new Date(now),
      by,
    });
    const { original: _, ...snapshot } = await repository.loadSnapshot(parseId<SnapshotId>(rewritten));
    await repository.saveSnapshot({ ...snapshot, original: parseId<SnapshotId>(rewritten), tags: ['renamed'] });
    for (const id of [removed, rewritten]) files.delete(pathOf('snapshot', id));
    expect(await forgetSnapshots(resources(now + 4.5 * dayMs), { userId, by })).toMatchObject({ going: [old] });
    await verify(5);
    expect(await known()).toMatchObject({ damageState: 'removed', verifiedAt: null });
    expect((await known())?.damage).toMatchObject({ removed: [removed], snapshots: [], files: [] });
    expect(await alice.text('/')).toContain(texts.protection.nights.snapshots_removed.happened);
    const page = await alice.text('/verification');
    for (const words of [
      texts.verification.removed(1),
      texts.formats.time(new Date(now + 3 * dayMs), 'UTC'),
      texts.verification.looked,
    ])
      expect(page).toContain(words);
    const foundAt = (await known())?.foundAt ?? new Date(0);
    expect(await acceptLosses(database, { userId, foundAt, at: new Date(now + 5 * dayMs), by })).toBe(true);
    await verify(6);
    expect(await known()).toMatchObject({
      damageState: null,
      damage: null,
      clearedAt: null,
      verifiedAt: expect.any(Date),
    });
  });

  test.each([
    ['config', 'repository/damaged', () => flip('config'), ['config']],
    ['no config', 'repository/not-found', () => files.delete('config'), ['config']],
  ] as const)('that keeps it from being opened is named by its file: %s', async (_, errorCode, damage, errorFiles) => {
    await night(0, folder());
    damage();
    await verify(0);
    expect(await known()).toMatchObject({ errorCode, errorFiles, verifiedAt: null });
  });

  test('of the key file of Nightkeep is named, and forgotten once it is whole again', async () => {
    await night(0, folder());
    const [, file] = [...files].find(([path]) => path.endsWith(repository.keyId)) ?? [];
    const whole = Buffer.from(file?.bytes ?? '');
    file?.bytes.write('AAAA', whole.indexOf('"data":"') + 8);
    await verify(0);
    expect(await known()).toMatchObject({ errorCode: 'repository/damaged', errorFiles: [`keys/${repository.keyId}`] });
    file?.bytes.set(whole);
    await verify(0.1);
    expect(await known()).toMatchObject({ errorCode: null, errorFiles: [], verifiedAt: expect.any(Date) });
  });

  test('of a snapshot or index file is named', async () => {
    const { snapshotId } = await night(0, folder());
    await night(0, folder());
    flip(snapshotId);
    await verify(0);
    expect((await known())?.damage).toMatchObject({ snapshots: [snapshotId], files: [] });
    const index = [...files.values()].find(({ type }) => type === 'index');
    flip(index?.name ?? '');
    await verify(1);
    // The index was made anew.
    expect((await known())?.damage).toMatchObject({ snapshots: [snapshotId], files: [], marks: [expect.any(String)] });
    expect([...files.values()].some(({ name }) => name === index?.name)).toBe(false);
  });

  test.each<[string, (id: KeyId) => void]>([
    ['changed', (id) => flip(id, 5)],
    [
      'cut short',
      (id) => files.set(fileOf(id).path, { ...fileOf(id).file, bytes: fileOf(id).file.bytes.subarray(0, 40) }),
    ],
    ['missing', (id) => void files.delete(fileOf(id).path)],
  ])('of the recovery key, %s, is for the person to mend', async (_, damage) => {
    await night(0, folder());
    const { clock, database } = pages.resources;
    const key = await repository.addKey('recovery', { clock, scrypt: cheapScrypt });
    await database.repository.updateMany({ data: { recoveryKeyFile: key } });
    await verify(0);
    expect(await known()).toMatchObject({ damage: null });
    damage(key);
    await verify(1);
    expect(await known()).toMatchObject({ damageState: 'key', damage: { recoveryKey: true, files: [] } });
    const later = resources(now + dayMs + 3_600_000);
    await reissueRecoveryKey(later, userId);
    expect((await known())?.nextAt).toEqual(later.clock.now());
    await verifyDue(later, { signal });
    expect(await known()).toMatchObject({ damageState: null, verifiedAt: expect.any(Date) });
  });
});

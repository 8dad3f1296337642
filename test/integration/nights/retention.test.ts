import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { noCheckpoint, saveCheckpoint } from '../../../src/database/nights/checkpoints.ts';
import {
  findRetention,
  listHeldRetentions,
  saveAgreedRule,
  saveRetention,
} from '../../../src/database/repositories/retention.ts';
import { heldTooLongMs } from '../../../src/domain/retention/held.ts';
import { parseRule } from '../../../src/domain/retention/rule.ts';
import { dayMs } from '../../../src/durations.ts';
import { AppError } from '../../../src/errors.ts';
import { findRemoved } from '../../../src/flows/retention/find-removed.ts';
import { forgetSnapshots, previewRetention } from '../../../src/flows/retention/forget-snapshots.ts';
import { pruneDue } from '../../../src/flows/retention/prune-due.ts';
import { pruneRepository } from '../../../src/flows/retention/prune-repository.ts';
import { retain } from '../../../src/flows/retention/retain.ts';
import { sealBlob } from '../../../src/store/format/blob.ts';
import { sealLock } from '../../../src/store/format/lock-file.ts';
import { encodeTree } from '../../../src/store/format/tree.ts';
import { checkRepository } from '../../../src/store/repository/check.ts';
import { openRepository, type Repository } from '../../../src/store/repository/repository.ts';
import { agreedRuleSealing } from '../../../src/vault/row-seals.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { writePack, writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, now, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

let pages: Pages;
let alice: SignedIn;
let userId: string;
let repository: Repository;
const signal = new AbortController().signal;
const by = 'command:test';

beforeEach(async () => {
  pages = await openPages();
  alice = await pages.consented();
  userId = await alice.userId();
  repository = await addRepository(pages, alice);
});
afterEach(() => pages[Symbol.asyncDispose]());

const resources = (at = now) => ({
  ...pages.resources,
  clock: manualClock(new Date(at).toISOString(), { sleepAtOnce: true }),
});

/** A night so many days ago, whose run is on record. */
async function night(daysAgo: number, run: { state?: 'partial'; alarm?: 'loss' } = {}): Promise<string> {
  const at = new Date(now - daysAgo * dayMs);
  const { id: first, tree } = await writeSnapshot(repository, { note: Buffer.from(`${daysAgo} days ago`) });
  await repository.forgetSnapshot(first);
  const id = await repository.saveSnapshot({ time: at.toISOString(), tree, paths: ['/files'], hostname: 'nightkeep' });
  const plan = await pages.resources.database.plan.findFirstOrThrow({ where: { userId } });
  const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: at };
  const about = { id: randomUUID(), planId: plan.id, trigger: 'schedule', slot: randomUUID(), snapshotId: id };
  await pages.resources.database.run.create({
    data: { ...about, ...times, night: at.toISOString().slice(0, 10), state: 'succeeded', ...run },
  });
  return id;
}

const rules = () => agreedRuleSealing(pages.resources.keyring);

async function agreeTo(text: string | null): Promise<void> {
  const { id: planId } = await pages.resources.database.plan.findFirstOrThrow({ where: { userId } });
  const rule = text === null ? null : parseRule(text);
  await saveRetention(pages.resources.database, { userId, planId, rule, sealing: rules(), at: new Date(now), by });
}

const idsLeft = async () => (await Array.fromAsync(repository.listSnapshots(), ({ id }) => id)).sort();

test('forgets nothing that was not agreed to', async () => {
  const ids = [await night(2), await night(1)];
  await agreeTo(null);
  expect(await forgetSnapshots(resources(), { userId, by })).toMatchObject({ hold: 'not-agreed', going: [] });
  await retain(resources(), { userId, signal });
  await agreeTo('all');
  expect(await forgetSnapshots(resources(), { userId, by })).toMatchObject({ hold: 'keeps-all', going: [] });
  expect(await idsLeft()).toEqual(ids.sort());
});

test('a consent that is given again changes the rule, and not since when snapshots go by one', async () => {
  const { database } = pages.resources;
  const { id: planId } = await database.plan.findFirstOrThrow({ where: { userId } });
  await database.plan.updateMany({ data: { retentionAgreedAt: null } });
  await saveAgreedRule(database, { planId, rule: parseRule('daily=2'), sealing: rules(), at: new Date(now) });
  await saveAgreedRule(database, { planId, rule: parseRule('daily=3'), sealing: rules(), at: new Date(now + dayMs) });
  expect(await findRetention(database, userId)).toMatchObject({ rule: { daily: 3 }, agreedAt: new Date(now) });
});

test('forgets by the rule that was agreed to, says why the others stay, and puts it on record', async () => {
  const [old, yesterday, today] = [await night(3), await night(1), await night(0)];
  await agreeTo('daily=2');
  const foretold = await previewRetention(resources(), userId);
  expect(await idsLeft()).toHaveLength(3);
  expect(await forgetSnapshots(resources(), { userId, by })).toEqual(foretold);
  expect(foretold).toMatchObject({ hold: null, going: [old] });
  expect(foretold.snapshots).toMatchObject([
    { id: today, reasons: ['daily', 'newest', 'complete'] },
    { id: yesterday, reasons: ['daily'] },
    { id: old, reasons: [] },
  ]);
  expect(await idsLeft()).toEqual([yesterday, today].sort());
  const { database } = pages.resources;
  expect(await database.run.findMany({ where: { snapshotForgottenAt: { not: null } } })).toMatchObject([
    { snapshotId: old },
  ]);
  expect(await database.audit.findMany({ where: { act: 'snapshots-forgotten' } })).toMatchObject([
    { by, userId, about: '1' },
  ]);
});

test('never forgets the newest, the last complete one, a pinned one, or one of another program', async () => {
  const complete = await night(9);
  const gone = await night(5, { state: 'partial' });
  const newest = await night(1, { state: 'partial' });
  const { tree } = await writeSnapshot(repository, { other: Buffer.from('other') }).then(async (written) => {
    await repository.forgetSnapshot(written.id);
    return written;
  });
  const others = [
    { time: '2026-04-01T00:00:00Z', hostname: 'laptop' },
    { time: '2026-04-02T00:00:00Z', hostname: 'nightkeep', tags: ['pinned'] },
  ];
  const kept = [complete, newest];
  for (const other of others) kept.push(await repository.saveSnapshot({ ...other, tree, paths: ['/files'] }));
  await agreeTo('tag=none');
  expect(await forgetSnapshots(resources(), { userId, by })).toMatchObject({ going: [gone] });
  expect(await idsLeft()).toEqual(kept.sort());
});

test('keeps all after a great loss until somebody has looked, and says so', async () => {
  await night(9);
  await night(1, { alarm: 'loss' });
  await agreeTo('last=1');
  await retain(resources(), { userId, signal });
  expect(await idsLeft()).toHaveLength(2);
  const { database } = pages.resources;
  expect(await database.repository.findFirst()).toMatchObject({ retentionHold: 'alarm', retainedAt: null });
  await database.run.updateMany({ data: { alarmSeenAt: new Date(now) } });
  await retain(resources(), { userId, signal });
  expect(await idsLeft()).toHaveLength(1);
  expect(await database.repository.findFirst()).toMatchObject({ retentionHold: null, retainedAt: expect.any(Date) });
});

test('goes by the newest complete snapshot that is there, and not by one that went', async () => {
  const [complete, gone] = [await night(9), await night(5)];
  await night(1, { state: 'partial' });
  const { database } = pages.resources;
  await database.run.updateMany({ where: { snapshotId: gone }, data: { snapshotForgottenAt: new Date(now) } });
  expect(await findRetention(database, userId)).toMatchObject({ completeId: complete });
});

test('forgets while its lock is there, and what somebody else forgot just then is no obstacle', async () => {
  const ids = [await night(9), await night(8), await night(1)];
  await agreeTo('last=1');
  const { remove } = repository.backend;
  const locks: number[] = [];
  Object.assign(repository.backend, {
    remove: async (type: 'snapshot', name: string) => {
      await remove(type, name);
      if (type !== 'snapshot') return;
      locks.push((await Array.fromAsync(repository.backend.list('lock'))).length);
      for (const other of ids.slice(0, 2)) if (other !== name) await remove(type, other);
    },
  });
  expect((await forgetSnapshots(resources(), { userId, by })).going.toSorted()).toEqual(ids.slice(0, 2).toSorted());
  expect([locks, await idsLeft()]).toEqual([[1], ids.slice(2)]);
});

test('looks again under its lock, so that nothing goes by what was true before; where nothing would go, it takes none', async () => {
  const ids = [await night(3), await night(0)];
  await agreeTo('last=1');
  const known = (await findRetention(pages.resources.database, userId)) ?? undefined;
  await agreeTo(null);
  expect(await forgetSnapshots(resources(), { userId, by, ...(known && { known }) })).toMatchObject({
    hold: 'not-agreed',
    going: [],
  });
  expect(await idsLeft()).toEqual(ids.sort());
  await agreeTo('last=2');
  const saved = vi.spyOn(repository.backend, 'save');
  expect(await forgetSnapshots(resources(), { userId, by })).toMatchObject({ hold: null, going: [] });
  expect(saved).not.toHaveBeenCalled();
});

test('prunes nothing, and says nothing of it, once its worker stops', async () => {
  await night(9);
  const { database } = pages.resources;
  await database.run.updateMany({ data: { state: 'failed', startedAt: new Date(now) } });
  await database.plan.updateMany({ data: { nextDueAt: new Date(now + 90 * dayMs) } });
  const stopped = resources(now + 8 * dayMs);
  const warn = vi.fn();
  await pruneDue(
    { ...stopped, log: { ...stopped.log, with: () => ({ ...stopped.log, warn }) } },
    { signal: AbortSignal.abort() },
  );
  expect(warn).not.toHaveBeenCalled();
  await pruneDue(stopped, { signal });
  expect(await database.audit.count({ where: { act: 'data-pruned' } })).toBe(1);
});

test('prunes a week after where no run is due, and what is left is whole', async () => {
  for (const daysAgo of [9, 8, 1]) await night(daysAgo);
  await agreeTo('last=1');
  const packs = async () => (await Array.fromAsync(repository.backend.list('data'))).length;
  const before = await packs();
  await retain(resources(), { userId, signal });
  await pruneDue(resources(), { signal });
  expect(await packs()).toBe(before);
  const { plan, run } = pages.resources.database;
  await run.deleteMany({ where: { state: 'queued' } });
  await plan.updateMany({ data: { nextDueAt: new Date(now + 8 * dayMs + 60_000) } });
  await pruneDue(resources(now + 8 * dayMs), { signal });
  expect(await packs()).toBe(before);
  // Of a consent that has ended no run comes, however long it has been due.
  await pages.resources.database.grant.updateMany({ data: { state: 'needs_consent' } });
  await pruneDue(resources(now + 8 * dayMs), { signal });
  const after = await packs();
  expect(after).toBeLessThan(before);
  // A night that forgets nothing leaves nothing to prune, whatever went before.
  await retain(resources(now + 9 * dayMs), { userId, signal });
  await pruneDue(resources(now + 20 * dayMs), { signal });
  expect(await pages.resources.database.audit.count({ where: { act: 'data-pruned' } })).toBe(1);
  const opened = await openRepository(repository.backend, 'a password');
  expect(await checkRepository(opened, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 1 });
  const onRecord = await pages.resources.database.repository.findFirstOrThrow();
  expect(await pruneRepository(resources(), { userId, by, dryRun: true })).toMatchObject({
    bytesFreed: 0,
    bytesUnused: 0,
  });
  expect(await pages.resources.database.repository.findFirstOrThrow()).toEqual(onRecord);
  expect(await pages.resources.database.audit.count({ where: { act: 'data-pruned' } })).toBe(1);
});

test('prunes whoever is due beside any number of repositories that cannot be pruned', async () => {
  const others = 25;
  const { database } = pages.resources;
  for (let number = 0; number < others; number += 1) {
    const bob = await pages.consented();
    await addRepository(pages, bob);
    await database.repository.updateMany({
      where: { userId: await bob.userId() },
      data: { sealedPassword: Buffer.from('broken'), createdAt: new Date(now - (100 - number) * dayMs) },
    });
  }
  await database.run.updateMany({ data: { state: 'failed', startedAt: new Date(now) } });
  await database.plan.updateMany({ data: { nextDueAt: new Date(now + 90 * dayMs) } });
  const at = resources(now + 8 * dayMs);
  const warn = vi.fn();
  await pruneDue({ ...at, log: { ...at.log, with: () => ({ ...at.log, warn }) } }, { signal });
  expect(warn).toHaveBeenCalledTimes(others);
  expect(await database.audit.findMany({ where: { act: 'data-pruned' } })).toMatchObject([{ userId }]);
});

test('that another program’s lock keeps data from going is told after three days, until it goes', async () => {
  const { database } = pages.resources;
  const lock = { time: new Date(now).toISOString(), exclusive: false, hostname: 'laptop', username: 'alice', pid: 77 };
  const { id, bytes } = sealLock(repository.masterKey, lock);
  await repository.backend.save('lock', id, bytes);
  await database.run.updateMany({ data: { state: 'failed', startedAt: new Date(now) } });
  await database.plan.updateMany({ data: { nextDueAt: new Date(now + 90 * dayMs) } });
  const heldOn = async (day: number) => {
    await pruneDue(resources(now + day * dayMs), { signal });
    return listHeldRetentions(database, new Date(now + day * dayMs - heldTooLongMs));
  };
  expect([await heldOn(8), await heldOn(9), await heldOn(11)]).toEqual([[], [], []]);
  expect(await heldOn(12)).toMatchObject([{ userId, what: 'data', reason: 'repository/locked' }]);
  await expect(pruneRepository(resources(now + 12 * dayMs), { userId, by })).rejects.toThrow(
    /process 77 on laptop.*restic unlock/,
  );
  await repository.backend.remove('lock', id);
  expect(await heldOn(13)).toEqual([]);
});

test('leaves alone whose night has come near while others were pruned', async () => {
  const bob = await pages.consented();
  await addRepository(pages, bob);
  const { database } = pages.resources;
  const at = now + 8 * dayMs;
  await database.run.updateMany({ data: { state: 'failed', startedAt: new Date(now) } });
  await database.plan.updateMany({ data: { nextDueAt: new Date(at + 30 * 60_000) } });
  const slow = resources(at);
  const log = { ...slow.log, with: () => ({ ...slow.log, info: () => void slow.clock.advance(20 * 60_000) }) };
  await pruneDue({ ...slow, log }, { signal });
  expect(await database.audit.count({ where: { act: 'data-pruned' } })).toBe(1);
  await database.plan.updateMany({ data: { nextDueAt: new Date(at + 90 * 60_000) } });
  await pruneDue(slow, { signal });
  expect(await database.audit.count({ where: { act: 'data-pruned' } })).toBe(2);
});

test('prunes what interrupted and failed runs left though no snapshot went, but not what such a run will be continued with', async () => {
  await night(9);
  const { database } = pages.resources;
  await writePack(repository, [sealBlob(repository.masterKey, 'data', randomBytes(2_000))]);
  const packs = async () => (await Array.fromAsync(repository.backend.list('data'))).length;
  const before = await packs();
  await database.run.deleteMany({ where: { state: 'queued' } });
  await database.plan.updateMany({ data: { nextDueAt: new Date(now + 90 * dayMs) } });
  await pruneDue(resources(now + 8 * dayMs), { signal });
  expect(await packs()).toBe(before);
  await database.run.updateMany({ data: { fence: 2, startedAt: new Date(now + 8 * dayMs) } });
  const { id: runId } = await database.run.findFirstOrThrow();
  await saveCheckpoint(database, { userId, checkpoint: { runId, readAll: [], journals: [] } });
  await pruneDue(resources(now + 16 * dayMs), { signal });
  expect(await packs()).toBe(before);
  await database.repository.updateMany({ data: noCheckpoint });
  await pruneDue(resources(now + 16 * dayMs), { signal });
  expect(await packs()).toBe(before - 1);
  await database.run.updateMany({ data: { fence: 1, state: 'failed', startedAt: new Date(now + 17 * dayMs) } });
  await pruneDue(resources(now + 26 * dayMs), { signal });
  expect(await database.audit.count({ where: { act: 'data-pruned' } })).toBe(2);
  await pruneDue(resources(now + 40 * dayMs), { signal });
  expect(await database.audit.count({ where: { act: 'data-pruned' } })).toBe(2);
  await database.run.updateMany({ data: { state: 'cancelled', startedAt: new Date(now + 41 * dayMs) } });
  await pruneDue(resources(now + 50 * dayMs), { signal });
  expect(await database.audit.count({ where: { act: 'data-pruned' } })).toBe(3);
});

test('forgets nothing where a snapshot cannot be read, and puts on record why', async () => {
  const ids = [await night(9), await night(1)];
  await agreeTo('last=1');
  const load = repository.backend.load;
  Object.assign(repository.backend, {
    load: async (type: string, name: string) => {
      const bytes = await load(type as 'snapshot', name);
      if (type === 'snapshot' && name === ids[0]) bytes[30] = (bytes[30] ?? 0) ^ 1;
      return bytes;
    },
  });
  await retain(resources(), { userId, signal });
  expect(await Array.fromAsync(repository.backend.list('snapshot'))).toHaveLength(2);
  expect(await pages.resources.database.repository.findFirst()).toMatchObject({ retentionHold: 'repository/damaged' });
});

test('stops in the middle with the worker, which is no fault on record, and goes on after the next night', async () => {
  const ids = [await night(9), await night(8), await night(1)];
  await agreeTo('last=1');
  const stopping = new AbortController();
  const { remove } = repository.backend;
  Object.assign(repository.backend, {
    remove: async (type: 'snapshot', name: string) => {
      await remove(type, name);
      if (type === 'snapshot') stopping.abort(new AppError('run/stopped', 'Stopped.'));
    },
  });
  await retain(resources(), { userId, signal: stopping.signal });
  expect(await idsLeft()).toHaveLength(2);
  const onRecord = () => pages.resources.database.repository.findFirst();
  expect(await onRecord()).toMatchObject({ retentionHold: null, retainedAt: null });
  await retain(resources(), { userId, signal });
  expect(await idsLeft()).toEqual([ids[2]]);
  expect(await onRecord()).toMatchObject({ retentionHold: null, retainedAt: expect.any(Date) });
});

test('leaves nothing of what went, however little of a pack it is, and moves nothing that is damaged', async () => {
  const large = randomBytes(200_000);
  const old = await writeSnapshot(repository, { large, small: Buffer.from('to go') });
  const nodes = (await repository.loadTree(old.tree)).nodes.filter(({ name }) => name === 'large');
  const sealed = sealBlob(repository.masterKey, 'tree', encodeTree({ nodes }));
  await repository.saveIndex([await writePack(repository, [sealed])]);
  const time = new Date(now).toISOString();
  await repository.saveSnapshot({ time, tree: sealed.id, paths: ['/files'], hostname: 'nightkeep' });
  await repository.forgetSnapshot(old.id);
  const { load } = repository.backend;
  const damaged = async (type: 'data', name: string, range?: { offset: number; length: number }) => {
    const bytes = await load(type, name, range);
    if (type === 'data' && bytes.length > large.length) bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
    return bytes;
  };
  const packs = () => Array.fromAsync(repository.backend.list('data'));
  const before = await packs();
  Object.assign(repository.backend, { load: damaged });
  await expect(pruneRepository(resources(), { userId, by })).rejects.toMatchObject({ code: 'repository/damaged' });
  expect(await packs()).toEqual(before);
  Object.assign(repository.backend, { load });
  expect(await pruneRepository(resources(), { userId, by })).toMatchObject({ packsRepacked: 1, bytesUnused: 0 });
  const opened = await openRepository(repository.backend, 'a password');
  expect(await checkRepository(opened, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 1 });
});

test('nothing goes while the store does not list a snapshot that it has', async () => {
  const [old, newest] = [await night(3), await night(0)];
  await agreeTo('daily=1');
  const behind = (except: string) => ({
    ...resources(),
    store: (location: string) => {
      const backend = pages.resources.store(location, null);
      const list: typeof backend.list = async function* (type) {
        for await (const file of backend.list(type)) if (file.name !== except) yield file;
      };
      return { ...backend, list };
    },
  });
  const refused = { code: 'store/unavailable', message: expect.stringContaining('Nothing was removed') };
  await expect(forgetSnapshots(behind(newest), { userId, by })).rejects.toMatchObject(refused);
  for (const hidden of [newest, old])
    await expect(pruneRepository(behind(hidden), { userId, by })).rejects.toMatchObject(refused);
  expect(await findRemoved(resources(), { userId, repository, saved: [] })).toEqual([]);
  expect(await idsLeft()).toEqual([old, newest].sort());
});

test('no data goes that snapshots need which somebody else removed, until its person has looked', async () => {
  const ids = [await night(3), await night(0)];
  await agreeTo('daily=1');
  const data = async () => (await Array.fromAsync(repository.backend.list('data'))).length;
  const before = await data();
  const files = await Promise.all(ids.map((id) => repository.backend.load('snapshot', id)));
  for (const id of ids) await repository.forgetSnapshot(id as never);
  // The rule would have let the first one go.
  const refused = { code: 'repository/damaged', message: expect.stringContaining(`snapshots/${ids[1]} is gone`) };
  for (const dryRun of [true, false])
    await expect(pruneRepository(resources(), { userId, by, dryRun })).rejects.toMatchObject(refused);
  expect(await data()).toBe(before);
  await repository.backend.save('snapshot', ids[1] ?? '', files[1] ?? Buffer.of());
  expect((await pruneRepository(resources(), { userId, by })).packsRemoved).toBeGreaterThan(0);
  const opened = await openRepository(repository.backend, 'a password');
  expect(await checkRepository(opened, { readData: 'all' })).toMatchObject({ findings: [], snapshots: 1 });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { storeUrl } from '../../../src/domain/store-address.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { eraseRepositories } from '../../../src/flows/erasure/erase-repositories.ts';
import { reissueRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { deleteFormerCopy } from '../../../src/flows/store/move-repository.ts';
import type { Resources } from '../../../src/resources.ts';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { by, type MoveFixture, openMoveFixture } from '../../support/harness/moves.ts';

let fixture: MoveFixture;
beforeEach(async () => {
  fixture = await openMoveFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** A move that is killed in the middle of copying. */
async function breakOff(to?: Parameters<MoveFixture['move']>[1]): Promise<void> {
  await expect(fixture.move(fixture.mortal(7), to)).rejects.toMatchObject({ message: 'killed' });
}

describe('moving a repository', () => {
  test('copies it whole, switches to the copy, and keeps the old one until it is told to delete it', async () => {
    const { bucket, consents, expectSound, filesInFolder, move, place, resources, rows, server } = fixture;
    const before = await filesInFolder();
    expect(await move()).toMatchObject({ files: before, copied: before });
    expect(await place()).toMatchObject({ store: storeUrl(bucket), movingTo: null });
    expect((await expectSound(1)).location).toContain(`${server.origin}/backups/moved/`);
    expect(await consents.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
    await expectSound(2);
    expect(await filesInFolder()).toBe(before - 1);
    expect(await deleteFormerCopy(resources, await place(), { by })).toBe(true);
    expect(await filesInFolder()).toBe(0);
    expect(await place()).toMatchObject({ formerStore: null });
    expect(await deleteFormerCopy(resources, await place(), { by })).toBe(false);
    await expectSound(2);
    const acts = await resources.database.audit.findMany({ orderBy: { id: 'asc' } });
    expect(acts.map(({ act }) => act)).toEqual(expect.arrayContaining(['repository-moved', 'old-copy-deleted']));
  });

  test('is nothing where it is there already, and back again is a move like any other', async () => {
    const { expectSound, move, place, resources } = fixture;
    expect(await move(resources, resources.config.store)).toBeNull();
    await move();
    expect(await move()).toBeNull();
    await expect(move(resources, resources.config.store)).rejects.toMatchObject({
      code: 'request/invalid',
      message: expect.stringContaining('--delete-old'),
    });
    await deleteFormerCopy(resources, await place(), { by });
    await move(resources, resources.config.store);
    await deleteFormerCopy(resources, await place(), { by });
    expect([...fixture.server.files.keys()]).toEqual([]);
    await expectSound(1);
  });

  test('is refused where nothing of it is where it should be, as after STORE_URL was changed first', async () => {
    const { bucket, elsewhere, filesInFolder, move, place, resources } = fixture;
    const early = { ...resources, config: { ...resources.config, store: elsewhere } };
    const store: Resources['store'] = (location, at) => resources.store(location, at ?? storeUrl(elsewhere));
    const before = await filesInFolder();
    for (const to of [elsewhere, bucket])
      await expect(move({ ...early, store }, to)).rejects.toMatchObject({
        code: 'store/unavailable',
        message: expect.stringMatching(/holds nothing of it.*set it back.*Otherwise mount the disk/s),
      });
    expect(await filesInFolder()).toBe(before);
    expect(await place()).toMatchObject({ store: null, movingTo: null });
    await move();
    expect(await place()).toMatchObject({ store: storeUrl(bucket) });
  });

  test('is refused while anybody uses it', async () => {
    const { move, place, resources, rows } = fixture;
    const { repository } = await openPersonRepository(resources, rows.user.id);
    const other = openLockOwner('laptop');
    await using _lock = await lockRepository(repository, { clock: resources.clock, ...other });
    await expect(move()).rejects.toMatchObject({ code: 'repository/locked' });
    expect([...fixture.server.files.keys()]).toEqual([]);
    expect(await place()).toMatchObject({ store: null, movingTo: null });
  });

  test('keeps it where it is when the copy is damaged or it is itself', async () => {
    const { bucket, expectSound, move, place, resources, rows } = fixture;
    const { repository } = await openPersonRepository(resources, rows.user.id);
    const [pack] = await Array.fromAsync(repository.backend.list('data'));
    const spoiled: Resources = {
      ...resources,
      store: (location, at) => {
        const backend = resources.store(location, at);
        const load: Backend['load'] = async (type, name, range) => {
          const bytes = await backend.load(type, name, range);
          if (at === null && name === pack?.name) bytes[0] = (bytes[0] ?? 0) ^ 1;
          return bytes;
        };
        const save: Backend['save'] = async (type, name, bytes) => {
          if (at === null || type !== 'index') await backend.save(type, name, bytes);
        };
        return { ...backend, load, save };
      },
    };
    await expect(move(spoiled)).rejects.toMatchObject({ code: 'repository/damaged' });
    expect(await place()).toMatchObject({ store: null, movingTo: storeUrl(bucket) });
    await expectSound(1);
    await move();
    await expectSound(1);
  });

  test('leaves another repository alone that is in the way', async () => {
    const { bucket, move, place, resources, server } = fixture;
    server.files.set(`backups/moved/${(await place()).location}/config`, Buffer.from('of somebody else'));
    await expect(move()).rejects.toMatchObject({ code: 'store/exists' });
    expect((await place()).movingTo).toBeNull();
    const begun = { movingTo: storeUrl(bucket) };
    for (const data of [{}, begun]) {
      await resources.database.repository.updateMany({ data });
      expect(await move(resources, resources.config.store)).toBeNull();
      expect(server.files.size).toBe(1);
    }
  });

  test('to where nothing can be written was never begun, so that it may be moved elsewhere', async () => {
    const { elsewhere, expectSound, move, place, resources } = fixture;
    const folder = '/proc/nightkeep';
    await expect(move(resources, { kind: 'folder', folder })).rejects.toMatchObject({
      code: 'store/unavailable',
      message: expect.stringMatching(/cannot be made there\. Give it the address of a folder that can be made/),
    });
    expect((await place()).movingTo).toBeNull();
    await move(resources, elsewhere);
    await expectSound(1);
  });

  test('that was begun is ended before another, or given up', async () => {
    const { elsewhere, expectSound, move, resources } = fixture;
    await breakOff();
    await expect(move(resources, elsewhere)).rejects.toMatchObject({ code: 'request/invalid' });
    expect(await move(resources, resources.config.store)).toBeNull();
    expect([...fixture.server.files.keys()]).toEqual([]);
    await move(resources, elsewhere);
    await expectSound(1);
  });

  test('and what a withdrawal erases is everywhere where a copy may be', async () => {
    const { filesInFolder, move, place, resources, rows } = fixture;
    await move();
    await deleteFormerCopy(resources, await place(), { by });
    await breakOff(resources.config.store);
    expect(await filesInFolder()).toBeGreaterThan(0);
    await withdrawConsent(resources, { grantId: rows.grant.id, by: 'user:alice', eraseAt: new Date() });
    expect(await eraseRepositories(resources)).toBe(1);
    expect([...fixture.server.files.keys()]).toEqual([]);
    expect(await filesInFolder()).toBe(0);
  });

  test('copies nothing of what was erased since it was opened', async () => {
    const { filesInFolder, move, resources, rows } = fixture;
    await withdrawConsent(resources, { grantId: rows.grant.id, by: 'user:alice', eraseAt: new Date() });
    let isErased = false;
    const slow: Resources = {
      ...resources,
      store: (location, at) => {
        const backend = resources.store(location, at);
        const save: Backend['save'] = async (type, ...file) => {
          if (type === 'lock' && !isErased) {
            isErased = true;
            expect(await eraseRepositories(resources)).toBe(1);
          }
          await backend.save(type, ...file);
        };
        return { ...backend, save };
      },
    };
    await expect(move(slow)).rejects.toMatchObject({ code: 'repository/not-found' });
    expect([...fixture.server.files.keys()]).toEqual([]);
    expect(await filesInFolder()).toBe(0);
  });

  test('whose copying was begun after the erasing looked where copies are leaves none of them', async () => {
    const { filesInFolder, resources, rows } = fixture;
    await withdrawConsent(resources, { grantId: rows.grant.id, by: 'user:alice', eraseAt: new Date() });
    let isBrokenOff = false;
    const slow: Resources = {
      ...resources,
      store: (location, at) => {
        const backend = resources.store(location, at);
        const list: Backend['list'] = async function* (type) {
          if (!isBrokenOff) {
            isBrokenOff = true;
            await breakOff();
            expect([...fixture.server.files.keys()]).not.toEqual([]);
          }
          yield* backend.list(type);
        };
        return { ...backend, list };
      },
    };
    expect(await eraseRepositories(slow)).toBe(1);
    expect([...fixture.server.files.keys()]).toEqual([]);
    expect(await filesInFolder()).toBe(0);
  });

  test('never lets a night write to the old copy that had opened it before', async () => {
    const { consents, expectSound, filesInFolder, move, resources, rows } = fixture;
    let isMoved = false;
    const slow: Resources = {
      ...resources,
      store: (location, at) => {
        const backend = resources.store(location, at);
        const load: Backend['load'] = async (type, name, range) => {
          const bytes = await backend.load(type, name, range);
          if (at === null && type === 'key' && !isMoved) {
            isMoved = true;
            await move();
          }
          return bytes;
        };
        return { ...backend, load };
      },
    };
    const before = await filesInFolder();
    expect((await consents.backUp(rows.plan.id, slow)).state).not.toBe('succeeded');
    expect(await filesInFolder()).toBe(before - 1);
    await resources.database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
    expect(await consents.backUp(rows.plan.id)).toMatchObject({ state: 'succeeded' });
    await expectSound(2);
  });

  test('while the recovery key is made anew is done again', async () => {
    const { expectSound, move, resources, rows } = fixture;
    const meanwhile: Resources = {
      ...resources,
      store: (location, at) => {
        const backend = resources.store(location, at);
        const save: Backend['save'] = async (type, name, bytes) => {
          await backend.save(type, name, bytes);
          if (at !== null && type === 'config') await reissueRecoveryKey(resources, rows.user.id);
        };
        return { ...backend, save };
      },
    };
    await expect(move(meanwhile)).rejects.toMatchObject({ code: 'repository/locked' });
    await move();
    const backend = await expectSound(1);
    const { recoveryKeyFile } = await resources.database.repository.findFirstOrThrow();
    const keys = await Array.fromAsync(backend.list('key'), ({ name }) => name);
    expect(keys).toHaveLength(2);
    expect(keys).toContain(recoveryKeyFile);
  });
});

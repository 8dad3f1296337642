import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { findOtherKeys, tidyKeys } from '../../../src/flows/keys/foreign-keys.ts';
import { mendKeyFiles } from '../../../src/flows/keys/mend-key-files.ts';
import { reissueRecoveryKey, revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { letGoOf } from '../../../src/flows/snapshots/let-go.ts';
import type { Resources } from '../../../src/resources.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openConsentFixture } from '../../support/harness/consent.ts';
import { type ResticResult, resticProgram, tryRestic } from '../../support/servers/restic.ts';

/** Somebody who was backed up once, and does this with stock restic and the recovery key just before the n-th change of the store by a reissue. */
async function reissueBeside(act: 'key add' | 'key passwd' | 'key remove', n: number) {
  await using opened = new AsyncDisposableStack();
  const fixture = opened.use(await openConsentFixture());
  const { path: elsewhere } = opened.use(await temporaryFolder('restic'));
  const { resources } = fixture;
  const { plan, user } = await fixture.consent(alice);
  const userId = user.id;
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  const before = await revealRecoveryKey(resources, userId);
  const mine = 'a password of my own';
  const file = join(elsewhere, 'password');
  await writeFile(file, mine);
  const { repository } = await openPersonRepository(resources, userId);
  const at = { repository: repository.backend.location, cwd: elsewhere };
  const beside = async (): Promise<ResticResult> => {
    const asPerson = { ...at, password: before.recoveryKey };
    if (act !== 'key remove') return tryRestic(asPerson, ...act.split(' '), '--new-password-file', file);
    // The key that is in use cannot be removed: the other one is Nightkeep's own.
    return tryRestic(asPerson, 'key', 'remove', repository.keyId);
  };
  let steps = 0;
  let ran: ResticResult | undefined;
  const step = async () => {
    if (++steps === n) ran = await beside();
  };
  const store: Resources['store'] = (location, place) => {
    const backend = resources.store(location, place);
    const stepping = <In extends unknown[], Out>(work: (...input: In) => Promise<Out>) => {
      return async (...input: In) => {
        await step();
        return work(...input);
      };
    };
    return { ...backend, save: stepping(backend.save), remove: stepping(backend.remove) };
  };
  const reissue = (using: Resources = resources) => reissueRecoveryKey(using, userId);
  const first = await reissue({ ...resources, store }).then(
    () => 'done',
    (error: unknown) => error,
  );
  const opens = async (password: string) => (await tryRestic({ ...at, password }, 'snapshots')).code === 0;
  const fresh = () => {
    letGoOf(resources, userId);
    return openPersonRepository(resources, userId);
  };
  const closing = opened.move();
  return {
    ...{ ran, first, mine, before: before.recoveryKey, resources, userId, fixture, plan },
    ...{ opens, fresh, reissue },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

describe.skipIf(resticProgram === undefined)('stock restic beside a reissue of the recovery key', () => {
  test.each(['key add', 'key passwd'] as const)(
    '%s at each step leaves Nightkeep its key, and the person theirs, which is shown as foreign',
    async (act) => {
      for (let n = 1; ; n += 1) {
        await using one = await reissueBeside(act, n);
        const { resources, userId } = one;
        if (one.ran === undefined) {
          expect(n).toBeGreaterThan(2);
          break;
        }
        expect(one.first).toBe('done');
        const isIn = one.ran.code === 0;
        // Only once the old key is gone restic is refused: then nothing of it is there.
        expect(isIn || n > 1).toBe(true);
        expect(await one.opens(one.mine)).toBe(isIn);
        const { repository, recoveryKeyFile } = await one.fresh();
        const { foreign } = await findOtherKeys(resources, userId);
        expect(foreign).toHaveLength(isIn ? 1 : 0);
        for (const { createdAt } of foreign) expect(createdAt).toBeInstanceOf(Date);
        const { recoveryKey } = await revealRecoveryKey(resources, userId);
        expect([await one.opens(recoveryKey), await one.opens(one.before)]).toEqual([true, false]);
        await one.reissue();
        await tidyKeys(resources, userId);
        const after = await one.fresh();
        const ids = await Array.fromAsync(repository.listKeys(), ({ id }) => id);
        expect(ids.toSorted()).toEqual(
          [repository.keyId, after.recoveryKeyFile, ...foreign.map(({ id }) => id)].toSorted(),
        );
        expect(after.recoveryKeyFile).not.toBe(recoveryKeyFile);
        expect(await one.opens(one.mine)).toBe(isIn);
        expect(await one.fixture.backUp(one.plan.id)).toMatchObject({ state: 'succeeded' });
      }
    },
  );

  test("key remove of Nightkeep's own key at each step leaves the person the key that is shown, by which Nightkeep's is made anew", async () => {
    for (let n = 1; ; n += 1) {
      await using one = await reissueBeside('key remove', n);
      const { resources, userId } = one;
      if (one.ran === undefined) {
        expect(n).toBeGreaterThan(2);
        break;
      }
      expect(one.first).toBe('done');
      const isGone = one.ran.code === 0;
      expect(isGone || n > 1).toBe(true);
      const { recoveryKey } = await revealRecoveryKey(resources, userId);
      expect([await one.opens(recoveryKey), await one.opens(one.before)]).toEqual([true, false]);
      if (isGone) {
        await expect(one.fresh()).rejects.toMatchObject({ code: 'repository/wrong-password' });
        expect(await one.fixture.backUp(one.plan.id)).toMatchObject({
          state: 'failed',
          errorCode: 'repository/wrong-password',
        });
      }
      const mended = await mendKeyFiles(resources, { userId, by: 'command:op@here' });
      expect(mended).toEqual({ service: isGone ? 'anew' : 'whole', recovery: 'whole', removed: 0 });
      expect(await findOtherKeys(resources, userId)).toEqual({ foreign: [], replaced: 0 });
      expect(await one.fixture.backUp(one.plan.id)).toMatchObject({ state: 'succeeded' });
      expect(await one.opens(recoveryKey)).toBe(true);
    }
  });
});

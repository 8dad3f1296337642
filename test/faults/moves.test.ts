import { afterEach, beforeEach, expect, test } from 'vitest';
import { storeUrl } from '../../src/domain/store-address.ts';
import { AppError } from '../../src/errors.ts';
import { deleteFormerCopy } from '../../src/flows/store/move-repository.ts';
import { by, type MoveFixture, openMoveFixture } from '../support/harness/moves.ts';

let fixture: MoveFixture;
beforeEach(async () => {
  fixture = await openMoveFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

test.each([false, true])(
  'a move that is killed at any step (done: %s) leaves a repository that is whole, and is gone on with',
  async (done) => {
    const { bucket, expectSound, mortal, move, place, resources } = fixture;
    const deleteOld = async () => deleteFormerCopy(resources, await place(), { by });
    for (let steps = 1; ; steps++) {
      const ended = await move(mortal(steps, { done })).then(
        () => true,
        (error: unknown) => (error instanceof Error && error.message === 'killed' ? false : Promise.reject(error)),
      );
      await expectSound(1);
      const isMoved = (await place()).store === storeUrl(bucket);
      expect(isMoved).toBe(ended);
      expect(await move()).toEqual(ended ? null : expect.anything());
      await expectSound(1);
      if (ended) {
        expect(steps).toBeGreaterThan(8);
        return;
      }
      await deleteOld();
      await move(resources, resources.config.store);
      await deleteOld();
    }
  },
);

test.each([false, true])(
  'deleting the old copy, killed at any step (done: %s), leaves the repository whole, and is gone on with',
  async (done) => {
    const { expectSound, filesInFolder, mortal, move, place } = fixture;
    await move();
    for (let steps = 1; ; steps++) {
      const isOver = await deleteFormerCopy(mortal(steps, { done }), await place(), { by }).then(
        () => true,
        (error: unknown) => (error instanceof AppError ? Promise.reject(error) : false),
      );
      await expectSound(1);
      if (!isOver) continue;
      expect(await filesInFolder()).toBe(0);
      expect(await place()).toMatchObject({ formerStore: null });
      return;
    }
  },
);

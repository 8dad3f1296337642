import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTransaction, inTransactionOnce } from '../../../src/database/client.ts';
import { lockUser } from '../../../src/database/people/users.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';

let fixture: Awaited<ReturnType<typeof openDatabaseFixture>>;
beforeAll(async () => {
  fixture = await openDatabaseFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

async function twoPeople(): Promise<[string, string]> {
  const ids: [string, string] = [randomUUID(), randomUUID()];
  const at = new Date('2026-05-04T12:00:00Z');
  for (const id of ids)
    await fixture.database.user.create({
      data: { id, issuer: 'https://id.example', subject: id, createdAt: at, claims: {}, lastSignedInAt: at },
    });
  return ids;
}

/** Each locks its own row, and that of the other once both have begun. */
async function crossing(begin: typeof inTransaction) {
  const [one, other] = await twoPeople();
  const [oneHas, otherHas] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const lockBoth = (own: string, foreign: string, mine: () => void, theirs: Promise<void>) =>
    begin(fixture.database, async (transaction) => {
      await lockUser(transaction, own);
      mine();
      await theirs;
      await lockUser(transaction, foreign);
      await transaction.user.update({ where: { id: own }, data: { name: 'locked both' } });
      return own;
    });
  const results = await Promise.allSettled([
    lockBoth(one, other, oneHas.resolve, otherHas.promise),
    lockBoth(other, one, otherHas.resolve, oneHas.promise),
  ]);
  const saved = await fixture.database.user.count({ where: { id: { in: [one, other] }, name: 'locked both' } });
  return { fulfilled: results.filter(({ status }) => status === 'fulfilled').length, saved };
}

test('of two that wait for each other and touch something else too one is ended, and nothing of it is saved', async () => {
  expect(await crossing(inTransactionOnce)).toEqual({ fulfilled: 1, saved: 1 });
});

test('of two that wait for each other both are done', async () => {
  expect(await crossing(inTransaction)).toEqual({ fulfilled: 2, saved: 2 });
});

test('any other error ends it at once', async () => {
  let times = 0;
  const failing = inTransaction(fixture.database, async () => {
    times += 1;
    throw new Error('not a deadlock');
  });
  await expect(failing).rejects.toThrow('not a deadlock');
  expect(times).toBe(1);
});

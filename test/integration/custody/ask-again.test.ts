import { afterEach, beforeEach, expect, test } from 'vitest';
import { askAgain } from '../../../src/flows/custody/ask-again.ts';
import { exchangeNow } from '../../../src/flows/custody/obtain-access.ts';
import { type CustodyFixture, openCustodyFixture, outcomeOf } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

test('waits for another process that asks just then, and asks after it', async () => {
  const { grant } = await fixture.consent();
  const { resources } = fixture;
  const sent = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const elsewhere = fixture.other('elsewhere');
  const { issuer } = elsewhere;
  const sweep = exchangeNow(
    {
      ...elsewhere,
      issuer: {
        ...issuer,
        exchange: async (...given) => {
          sent.resolve();
          await released.promise;
          return issuer.exchange(...given);
        },
      },
    },
    grant.id,
  );
  await sent.promise;
  expect(await outcomeOf(exchangeNow(resources, grant.id))).toBe('grant/busy');
  const sleep = async () => {
    released.resolve();
    await sweep;
  };
  await askAgain({ ...resources, clock: { ...resources.clock, sleep } }, { grantId: grant.id, by: 'operator' });
  const exchanges = await resources.database.exchange.findMany({ orderBy: { fence: 'asc' } });
  expect(exchanges.map(({ holder, verdict }) => [holder, verdict])).toEqual([
    ['first', 'ok'],
    ['elsewhere', 'ok'],
    ['first', 'ok'],
  ]);
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/client.ts';
import { takeProviderTurn } from '../../../src/database/custody/provider-turns.ts';
import { exchangeNow } from '../../../src/flows/custody/obtain-access.ts';
import { type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const issuer = 'https://idp.example/';

test('turns at a provider come one after the other, however many processes take them, and each provider has its own', async () => {
  await using processes = new AsyncDisposableStack();
  const open = async () => processes.adopt(await openDatabase(fixture.databaseUrl, 2), (one) => one.$disconnect());
  const [one, other] = [await open(), await open()];
  const rate = { count: 1, spanMs: 60_000 };
  const began = performance.now();
  const waits = await Promise.all(
    Array.from({ length: 20 }, (_, index) => takeProviderTurn(index % 2 === 0 ? one : other, { issuer, rate })),
  );
  const tookMs = performance.now() - began;
  const sorted = waits.toSorted((a, b) => a - b);
  expect(sorted[0]).toBe(0);
  for (const [index, waitMs] of sorted.entries()) {
    expect(waitMs).toBeLessThanOrEqual(index * rate.spanMs);
    expect(waitMs).toBeGreaterThanOrEqual(index * rate.spanMs - tookMs - 2);
  }
  expect(await takeProviderTurn(one, { issuer: 'https://other.example/', rate })).toBe(0);
});

test('an exchange waits for its turn before it claims the lease, so that no lease runs out meanwhile', async () => {
  const { resources } = fixture;
  const { grant } = await fixture.consent();
  const waits: { ms: number; leased: boolean }[] = [];
  const sleep = async (ms: number, signal?: AbortSignal) => {
    // What is waited for no longer than that is no turn.
    if (signal !== undefined) return resources.clock.sleep(ms, signal);
    const { leaseUntil } = await resources.database.grant.findUniqueOrThrow({ where: { id: grant.id } });
    waits.push({ ms, leased: leaseUntil !== null });
  };
  const rate = { count: 1, spanMs: 3_600_000 };
  const config = { ...resources.config, provider: { ...resources.config.provider, rate } };
  const paced = { ...resources, config, clock: { ...resources.clock, sleep } };
  await exchangeNow(paced, grant.id);
  expect(waits).toEqual([]);
  await exchangeNow(paced, grant.id);
  expect(waits).toEqual([{ ms: expect.any(Number), leased: false }]);
  expect(waits[0]?.ms).toBeGreaterThan(3_000_000);
  expect(await resources.database.exchange.count({ where: { verdict: 'ok', purpose: 'keep-alive' } })).toBe(2);
});

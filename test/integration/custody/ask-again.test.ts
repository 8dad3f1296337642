import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { minuteMs } from '../../../src/durations.ts';
import { askAgain } from '../../../src/flows/custody/ask-again.ts';
import { exchangeNow } from '../../../src/flows/custody/obtain-access.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import type { BackUpRequest } from '../../../src/queues/jobs.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { rememberingQueues } from '../../support/fixtures/remembering-queues.ts';
import { access, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

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
  const asking = { ...resources, queues: rememberingQueues([]), clock: { ...resources.clock, sleep } };
  await askAgain(asking, { grantId: grant.id, by: 'operator' });
  const exchanges = await resources.database.exchange.findMany({ orderBy: { fence: 'asc' } });
  expect(exchanges.map(({ holder, verdict }) => [holder, verdict])).toEqual([
    ['first', 'ok'],
    ['elsewhere', 'ok'],
    ['first', 'ok'],
  ]);
});

test('is done once for two who press at once: the second is told that somebody asks, and may ask again after the answer', async () => {
  const { grant } = await fixture.consent();
  const { database } = fixture.resources;
  await database.grant.update({ where: { id: grant.id }, data: { state: 'suspect', refusals: 1 } });
  const [sent, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { issuer } = fixture.resources;
  const exchange: typeof issuer.exchange = async (...given) => {
    sent.resolve();
    await released.promise;
    return issuer.exchange(...given);
  };
  const resources = { ...fixture.resources, queues: rememberingQueues([]), issuer: { ...issuer, exchange } };
  const press = () => askAgain(resources, { grantId: grant.id, by: 'operator' });
  const before = await database.exchange.count();
  const first = press();
  await sent.promise;
  expect(await press()).toBe(false);
  released.resolve();
  expect(await first).toBe(true);
  const asked = { act: 'consent-asked-again' } as const;
  expect([await database.exchange.count(), await database.audit.count({ where: asked })]).toEqual([before + 1, 1]);
  await database.grant.update({ where: { id: grant.id }, data: { state: 'suspect', refusals: 1 } });
  expect(await press()).toBe(true);
  expect(await database.audit.count({ where: asked })).toBe(2);
});

describe('a run that waits', () => {
  /** One that waits for six hours yet, whose grant was refused or could not be asked. */
  async function waitingRun(trouble: (grantId: string) => Promise<void>) {
    const { grant, plan } = await fixture.consent();
    const requests: BackUpRequest[] = [];
    const resources = { ...fixture.resources, queues: rememberingQueues(requests) };
    const runId = await requestRun(resources, { planId: plan.id, trigger: 'consent' });
    const { database, clock } = resources;
    const triedUntil = new Date(clock.now().getTime() + 100 * minuteMs);
    await database.run.update({ where: { id: runId }, data: { triedUntil } });
    await trouble(grant.id);
    const dueAt = new Date(clock.now().getTime() + 360 * minuteMs);
    const waits = { dueAt, attempt: 3, errorCode: 'grant/not-usable', message: 'The consent has ended.' };
    await database.run.update({ where: { id: runId }, data: waits });
    requests.splice(0);
    const run = () => database.run.findUniqueOrThrow({ where: { id: runId } });
    return { grantId: grant.id, planId: plan.id, runId, triedUntil, requests, resources, run };
  }
  const grantOf = (id: string) => fixture.resources.database.grant.findUniqueOrThrow({ where: { id } });
  const lose = (times: number) => async (grantId: string) => {
    fixture.provider.faults.next({ kind: 'cut', when: 'before' }, times);
    for (let time = 0; time < times; time++) {
      expect(await access(fixture.resources, grantId)).toBe('provider/ambiguous');
      fixture.pass(61_000);
    }
  };
  const loseTwice = lose(2);
  const takeRole = async (grantId: string) => {
    fixture.provider.admin.setOfflineRole(alice.username, false);
    expect(await access(fixture.resources, grantId)).toBe('grant/not-usable');
    fixture.pass(2 * minuteMs);
  };

  test('is tried at once when the provider, asked again, accepts the consent', async () => {
    const { grantId, requests, resources, run } = await waitingRun(takeRole);
    await expect(askAgain(resources, { grantId, by: 'operator' })).rejects.toMatchObject({ code: 'grant/not-usable' });
    expect([requests, (await run()).attempt]).toEqual([[], 3]);
    fixture.provider.admin.setOfflineRole(alice.username, true);
    await askAgain(resources, { grantId, by: 'operator' });
    expect(await run()).toMatchObject({ state: 'queued', attempt: 0, errorCode: null, message: null });
    expect((await run()).dueAt.getTime()).toBeLessThanOrEqual(resources.clock.now().getTime());
    expect(requests).toMatchObject([{ attempt: 0, now: true }]);
  });

  test('is tried at once by somebody who presses, and the provider is asked, once a minute at most', async () => {
    const { grantId, planId, runId, requests, resources } = await waitingRun(loseTwice);
    expect(await access(resources, grantId)).toBe('grant/not-usable');
    const press = () => requestRun(resources, { planId, trigger: 'person' });
    expect(await press()).toBe(runId);
    expect(requests).toMatchObject([{ runId, now: true }]);
    fixture.provider.faults.next({ kind: 'cut', when: 'before' });
    expect(await access(resources, grantId)).toBe('provider/ambiguous');
    await press();
    expect((await grantOf(grantId)).nextExchangeAt?.getTime()).toBeGreaterThan(resources.clock.now().getTime());
    fixture.pass(61_000);
    await press();
    expect(await access(resources, grantId)).toBe('went well');
  });

  test('by a press uses no token up where only a permission is missing', async () => {
    const { grantId, planId, resources } = await waitingRun(takeRole);
    const { nextExchangeAt } = await grantOf(grantId);
    await requestRun(resources, { planId, trigger: 'person' });
    expect(await grantOf(grantId)).toMatchObject({ reason: 'permission_missing', nextExchangeAt });
  });

  test('for lost answers gets its last try, and no sooner than fifty minutes', async () => {
    const { grantId, triedUntil } = await waitingRun(loseTwice);
    const { nextExchangeAt } = await grantOf(grantId);
    expect((nextExchangeAt?.getTime() ?? 0) - fixture.resources.clock.now().getTime()).toBeGreaterThan(48 * minuteMs);
    fixture.pass(51 * minuteMs);
    await lose(1)(grantId);
    expect((await grantOf(grantId)).nextExchangeAt).toEqual(new Date(triedUntil.getTime() - minuteMs));
  });

  test('for lost answers, and then for a Retry-After beyond its time, gets its last try all the same', async () => {
    const { grantId, triedUntil } = await waitingRun(loseTwice);
    fixture.pass(51 * minuteMs);
    fixture.provider.faults.next({ kind: 'status', when: 'before', status: 503, retryAfter: '31536000' });
    expect(await access(fixture.resources, grantId)).toBe('provider/unavailable');
    expect(await grantOf(grantId)).toMatchObject({
      reason: 'lost_answers',
      nextExchangeAt: new Date(triedUntil.getTime() - minuteMs),
    });
  });
});

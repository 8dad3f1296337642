import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { AppError } from '../../../src/errors.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { exchangeNow, obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const access = (resources: Custody, grantId: string, minimumSeconds = 30) =>
  obtainAccess(resources, { grantId, minimumSeconds });
const grantOf = (id: string) => fixture.resources.database.grant.findUniqueOrThrow({ where: { id } });
const exchangesOf = (grantId: string) =>
  fixture.resources.database.exchange.findMany({ where: { grantId }, orderBy: { fence: 'asc' } });

test('twenty exchanges in a row rotate the token twenty times, and the grant lives', async () => {
  const { grant } = await fixture.consent();
  const seen = new Set<string>();
  for (let night = 0; night < 20; night += 1) {
    fixture.pass(dayMs);
    seen.add((await access(fixture.resources, grant.id)).token);
  }
  expect(seen.size).toBe(20);
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 21, fence: 20, leaseUntil: null });
  const rows = await fixture.resources.database.tokenGeneration.groupBy({ by: ['state'], _count: true });
  expect(Object.fromEntries(rows.map(({ state, _count }) => [state, _count]))).toEqual({ current: 1, superseded: 20 });
  expect((await exchangesOf(grant.id)).every(({ verdict }) => verdict === 'ok')).toBe(true);
});

test('of a long chain the last thirty generations are kept besides the current one', async () => {
  const { grant } = await fixture.consent();
  for (let night = 0; night < 35; night += 1) {
    fixture.pass(dayMs);
    await access(fixture.resources, grant.id);
  }
  const rows = await fixture.resources.database.tokenGeneration.findMany({ orderBy: { number: 'asc' } });
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 31 }, (_, index) => index + 6));
  expect(rows.at(-1)).toMatchObject({ state: 'current', number: 36 });
});

test('all who ask at once are served by one exchange, and again while the access token lives', async () => {
  const { grant } = await fixture.consent();
  const tokens = await Promise.all([1, 2, 3, 4].map(() => access(fixture.resources, grant.id)));
  expect(new Set([...tokens, await access(fixture.resources, grant.id)]).size).toBe(1);
  expect(await exchangesOf(grant.id)).toHaveLength(2);
  const next = await obtainAccess(fixture.resources, {
    grantId: grant.id,
    minimumSeconds: 30,
    refused: tokens[0]?.token,
  });
  expect(next.token).not.toBe(tokens[0]?.token);
});

test('processes that ask at once exchange one after the other, and strict rotation does not end the grant', async () => {
  const { grant } = await fixture.consent();
  const others = ['a', 'b', 'c'].map((holder) => fixture.other(holder));
  await Promise.all(others.map((other) => access(other, grant.id)));
  const rows = (await exchangesOf(grant.id)).slice(1);
  expect(rows.map(({ fence, generation }) => [fence, generation])).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 4 });
});

test('a provider that is down, and a wrong secret, change nothing of the grant', async () => {
  const { grant } = await fixture.consent();
  await fixture.provider.down();
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('provider/unavailable');
  expect(await outcomeOf(access(fixture.other('undiscovered'), grant.id))).toBe('provider/unavailable');
  await fixture.provider.up();
  fixture.provider.admin.setClientSecret('rp', 'another');
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('provider/refused-client');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1, refusals: 0, reason: null });
  const verdicts = (await exchangesOf(grant.id)).map(({ verdict, errorCode }) => [verdict, errorCode]);
  expect(verdicts).toEqual([
    ['ok', null],
    ['transient', 'ECONNREFUSED'],
    ['transient', 'ECONNREFUSED'],
    ['operator', 'unauthorized_client'],
  ]);
  fixture.provider.admin.setClientSecret('rp', 'a secret & more');
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('provider/circuit-open');
  fixture.pass(60_000);
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('went well');
});

test('a refused token is suspect first, needs consent after hours, and comes back when the role does', async () => {
  const { grant } = await fixture.consent();
  fixture.provider.admin.setOfflineRole('alice', false);
  const states: string[] = [];
  for (let refusals = 0; refusals < 5; refusals += 1) {
    expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('grant/not-usable');
    states.push((await grantOf(grant.id)).state);
    expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('grant/not-usable');
    fixture.pass(2 * hourMs);
  }
  expect(states).toEqual(['suspect', 'suspect', 'suspect', 'suspect', 'needs_consent']);
  expect(await exchangesOf(grant.id)).toHaveLength(6);
  fixture.provider.admin.setOfflineRole('alice', true);
  fixture.pass(dayMs);
  expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 1, failed: 0 });
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', refusals: 0, suspectSince: null });
  const events = await fixture.resources.database.event.findMany({
    where: { subjectKind: 'grant' },
    orderBy: { id: 'asc' },
  });
  expect(events.map(({ to }) => to)).toEqual(['active', 'suspect', 'needs_consent', 'active']);
});

test('a lease that was taken away keeps the late token as pending, and the one issued last is sent next', async () => {
  const { grant } = await fixture.consent();
  const slow = fixture.other('slow');
  const { exchange } = slow.issuer;
  const late: Custody = {
    ...slow,
    issuer: {
      ...slow.issuer,
      exchange: async (...sent) => {
        const answer = await exchange(...sent);
        await slow.database.grant.update({ where: { id: grant.id }, data: { fence: { increment: 1 } } });
        return answer;
      },
    },
  };
  expect(await outcomeOf(access(late, grant.id))).toBe('grant/fenced');
  expect(await fixture.resources.database.tokenGeneration.count({ where: { state: 'pending' } })).toBe(1);
  fixture.pass(61_000);
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 3 });
});

test('a token that this process saw replaced is not sent again, even while the store has no word of it', async () => {
  const { grant } = await fixture.consent();
  const away = () => {
    throw new AppError('store/unavailable', 'Away.');
  };
  const custody: Custody = { ...fixture.resources, store: away };
  await exchangeNow(custody, grant.id);
  await custody.database.grant.update({ where: { id: grant.id }, data: { generation: 1 } });
  const sent = vi.spyOn(custody.issuer, 'exchange');
  expect(await outcomeOf(exchangeNow(custody, grant.id))).toBe('seal/replayed');
  expect(sent).not.toHaveBeenCalled();
});

test('an answer that the client library refuses still gives its token into custody', async () => {
  const { grant } = await fixture.consent();
  const { exchange } = fixture.resources.issuer;
  const odd: Custody = {
    ...fixture.resources,
    issuer: {
      ...fixture.resources.issuer,
      exchange: async (...sent) => {
        const answer = await exchange(...sent);
        const validate = async () => 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED';
        const explain = async () => 'The clocks differ by 90 seconds.';
        return answer.kind === 'answered' ? { ...answer, validate, explain } : answer;
      },
    },
  };
  const logged = vi.spyOn(odd.log, 'error');
  const told = await access(odd, grant.id).catch((error: unknown) => error);
  expect(told).toMatchObject({
    code: 'provider/wrong-answer',
    message: expect.stringMatching(/differ by 90/),
  });
  expect(String(told)).not.toContain('lost');
  expect(logged).toHaveBeenCalledWith(
    'grant.answer-unsound',
    expect.objectContaining({ grantId: grant.id, detail: 'The clocks differ by 90 seconds.' }),
  );
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1 });
  fixture.pass(61_000);
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('went well');
});

test('a withdrawn grant is revoked at the provider, its tokens are shredded, and nobody gets access', async () => {
  const { grant } = await fixture.consent();
  await access(fixture.resources, grant.id);
  const [before] = fixture.provider.admin.consentsOf(alice.username);
  expect(before?.lastUsed).toBeDefined();
  const by = 'user:alice';
  expect(await withdrawConsent(fixture.resources, { grantId: grant.id, by })).toEqual({
    withdrawn: true,
    tokens: 'ended',
  });
  expect(await withdrawConsent(fixture.resources, { grantId: grant.id, by })).toMatchObject({ withdrawn: false });
  expect(fixture.provider.admin.consentsOf(alice.username).every(({ lastUsed }) => lastUsed === undefined)).toBe(true);
  expect(await fixture.resources.database.tokenGeneration.count({ where: { sealed: { not: null } } })).toBe(0);
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('grant/not-usable');
  await fixture.consent();
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', reason: null, endedAt: null });
  expect(await outcomeOf(access(fixture.resources, grant.id))).toBe('went well');
});

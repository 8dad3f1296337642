import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { openTokenCache } from '../../../src/domain/token-cache.ts';
import type { TokenAnswer } from '../../../src/domain/tokens.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { openToken } from '../../../src/flows/custody/offline-token.ts';
import { access, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const grantOf = (id: string) => fixture.resources.database.grant.findUniqueOrThrow({ where: { id } });

test('an answer for somebody else opens nothing, and condemns nobody', async () => {
  const { grant } = await fixture.consent();
  const { issuer } = fixture.resources;
  const exchange: typeof issuer.exchange = async (...sent) => {
    const answer = await issuer.exchange(...sent);
    return answer.kind === 'answered' ? { ...answer, tokens: { ...answer.tokens, subject: 'bob' } } : answer;
  };
  expect(await access({ ...fixture.resources, issuer: { ...issuer, exchange } }, grant.id)).toBe('grant/wrong-subject');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1 });
  const [last] = await fixture.resources.database.exchange.findMany({ orderBy: { fence: 'desc' }, take: 1 });
  expect(last).toMatchObject({ verdict: 'operator', errorCode: 'wrong-subject' });
});

const never = (): never => {
  throw new Error('Nothing is there.');
};

/** Nightkeep, to whom an answer says what is changed of it here. */
const told = (change: (tokens: TokenAnswer) => Partial<TokenAnswer>) => {
  const { issuer } = fixture.resources;
  const exchange: typeof issuer.exchange = async (...sent) => {
    const answer = await issuer.exchange(...sent);
    return answer.kind === 'answered' ? { ...answer, tokens: { ...answer.tokens, ...change(answer.tokens) } } : answer;
  };
  return { ...fixture.resources, tokenCache: openTokenCache(), issuer: { ...issuer, exchange } };
};

test('after an answer for somebody else, one that names nobody opens nothing either, and one for the person does', async () => {
  const { grant } = await fixture.consent();
  const ask = (change: Parameters<typeof told>[0]) => {
    fixture.pass(hourMs);
    return access(told(change), grant.id);
  };
  expect(await ask(() => ({ subject: undefined }))).toBe('went well');
  expect(await ask(() => ({ subject: 'bob' }))).toBe('grant/wrong-subject');
  expect(await ask(() => ({ subject: undefined }))).toBe('grant/wrong-subject');
  expect(await ask(() => ({ subject: undefined }))).toBe('grant/wrong-subject');
  expect(await ask(() => ({}))).toBe('went well');
  expect(await ask(() => ({ subject: undefined }))).toBe('went well');
});

test("a token that is in somebody else's custody is never sent for another person", async () => {
  const [{ grant }, ofBob] = [await fixture.consent(alice), await fixture.consent(bob)];
  const [first] = await fixture.resources.database.tokenGeneration.findMany({ where: { grantId: ofBob.grant.id } });
  const refreshToken = openToken(
    fixture.resources.keyring,
    { userId: ofBob.user.id, grantId: ofBob.grant.id },
    first ?? never(),
  );
  const { issuer } = fixture.resources;
  // The answer is a copy of one of bob's, and alice's token did not get to the provider.
  const exchange: typeof issuer.exchange = async () => ({
    kind: 'answered',
    status: 200,
    tokens: { accessToken: 'of bob', refreshToken, subject: bob.subject },
    validate: async () => undefined,
  });
  expect(await access({ ...fixture.resources, issuer: { ...issuer, exchange } }, grant.id)).toBe('grant/wrong-subject');
  expect(await fixture.resources.spool.list()).toEqual([]);
  fixture.pass(hourMs);
  expect(await access(fixture.resources, grant.id)).toBe('went well');
  expect(await access(fixture.resources, ofBob.grant.id)).toBe('went well');
});

test('a provider whose answers cannot be used is asked once an hour by keep-alive, and no token of them is lost', async () => {
  const { grant } = await fixture.consent();
  fixture.provider.faults.use(() => ({ kind: 'odd', part: 'id_token iss' }));
  fixture.pass(10 * dayMs);
  let exchanges = 0;
  for (let minutes = 0; minutes < 180; minutes += 1) {
    const { exchanged, failed } = await keepAlive(fixture.resources);
    expect(exchanged).toBe(0);
    exchanges += failed;
    fixture.pass(minuteMs);
  }
  expect(exchanges).toBeGreaterThan(2);
  expect(exchanges).toBeLessThan(6);
  fixture.provider.faults.clear();
  expect(await access(fixture.resources, grant.id)).toBe('went well');
});

test('an answer without a refresh token leaves the old one in use', async () => {
  const { grant } = await fixture.consent();
  fixture.provider.faults.next({ kind: 'odd', part: 'no refresh_token' });
  expect(await access(fixture.resources, grant.id)).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1 });
  fixture.pass(hourMs);
  expect(await access(fixture.resources, grant.id)).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 2 });
});

test.each([
  [{ kind: 'refused', status: 502, errorCode: 'http-502' }, 'answered with HTTP 502 and no tokens'],
  [{ kind: 'lost', status: 200, errorCode: 'unreadable' }, 'answered with HTTP 200 and no tokens'],
  [{ kind: 'lost', errorCode: 'timeout' }, 'was lost on the way'],
  [{ kind: 'refused', status: 404, errorCode: 'http-404' }, 'answers with HTTP 404 and nothing of OpenID'],
  [{ kind: 'refused', status: 401, errorCode: 'invalid_client' }, 'refuses Nightkeep itself'],
  [{ kind: 'refused', status: 425, errorCode: 'http-425' }, 'asks Nightkeep to try again later'],
] as const)('what came is called what it was: %j', async (answer, words) => {
  const { grant } = await fixture.consent();
  const { issuer } = fixture.resources;
  const odd = { ...fixture.resources, issuer: { ...issuer, exchange: async () => answer } };
  await expect(obtainAccess(odd, { grantId: grant.id, minimumSeconds: 30 })).rejects.toThrow(words);
});

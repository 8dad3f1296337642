import { afterEach, beforeEach, expect, test } from 'vitest';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
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

test('an answer without a refresh token leaves the old one in use', async () => {
  const { grant } = await fixture.consent();
  fixture.provider.faults.next({ kind: 'odd', part: 'no refresh_token' });
  expect(await access(fixture.resources, grant.id)).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1 });
  fixture.pass(3_600_000);
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

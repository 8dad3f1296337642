import { afterEach, beforeEach, expect, test } from 'vitest';
import { access, type CustodyHouse, openCustodyHouse } from './house.ts';

let house: CustodyHouse;
beforeEach(async () => {
  house = await openCustodyHouse();
});
afterEach(() => house[Symbol.asyncDispose]());

const grantOf = (id: string) => house.resources.database.grant.findUniqueOrThrow({ where: { id } });

test('an answer for somebody else opens nothing, and condemns nobody', async () => {
  const { grant } = await house.consent();
  const { issuer } = house.resources;
  const exchange: typeof issuer.exchange = async (...sent) => {
    const answer = await issuer.exchange(...sent);
    return answer.kind === 'answered' ? { ...answer, tokens: { ...answer.tokens, subject: 'bob' } } : answer;
  };
  expect(await access({ ...house.resources, issuer: { ...issuer, exchange } }, grant.id)).toBe('grant/wrong-subject');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1 });
  const [last] = await house.resources.database.exchange.findMany({ orderBy: { fence: 'desc' }, take: 1 });
  expect(last).toMatchObject({ verdict: 'operator', errorCode: 'wrong-subject' });
});

test('an answer without a refresh token leaves the old one in use', async () => {
  const { grant } = await house.consent();
  house.provider.faults.next({ kind: 'odd', part: 'no refresh_token' });
  expect(await access(house.resources, grant.id)).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 1 });
  house.pass(3_600_000);
  expect(await access(house.resources, grant.id)).toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', generation: 2 });
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { listWithdrawnTokens, saveRevoked } from '../../../src/database/consent/revocations.ts';
import type { FailedAnswer } from '../../../src/domain/verdict.ts';
import { dayMs } from '../../../src/durations.ts';
import { endConsentHere } from '../../../src/flows/consent/withdraw-consent.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { access, type Custody, type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const grantOf = (id: string) => fixture.resources.database.grant.findUniqueOrThrow({ where: { id } });

/** Nightkeep, where this happens while the provider answers. */
const meanwhile = (happens: () => Promise<unknown>, answer?: FailedAnswer): Custody => {
  const { issuer } = fixture.resources;
  const exchange: typeof issuer.exchange = async (...sent) => {
    const given = await issuer.exchange(...sent);
    await happens();
    return answer ?? given;
  };
  return { ...fixture.resources, issuer: { ...issuer, exchange } };
};

const refused: FailedAnswer = { kind: 'refused', status: 400, errorCode: 'invalid_grant' };

test('a refusal that comes after another worker took the lease over changes nothing, and leaves that lease', async () => {
  const { grant } = await fixture.consent();
  const held = { leaseHolder: 'another', leaseUntil: new Date(fixture.resources.clock.now().getTime() + dayMs) };
  const { database } = fixture.resources;
  const taken = () => database.grant.update({ where: { id: grant.id }, data: { ...held, fence: { increment: 1 } } });
  expect(await access(meanwhile(taken, refused), grant.id)).not.toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', reason: null, refusals: 0, ...held });
});

test('a refusal of the earlier token that comes after consent was given anew is no word of the new one', async () => {
  const { grant } = await fixture.consent();
  expect(
    await access(
      meanwhile(() => fixture.consent(), refused),
      grant.id,
    ),
  ).not.toBe('went well');
  expect(await grantOf(grant.id)).toMatchObject({ state: 'active', reason: null, refusals: 0 });
  expect(await access(fixture.resources, grant.id)).toBe('went well');
});

test('an access token that lives for less than is asked for is not given', async () => {
  const { grant } = await fixture.consent();
  const asked = (minimumSeconds: number) => obtainAccess(fixture.resources, { grantId: grant.id, minimumSeconds });
  const first = await asked(30);
  const left = (first.endsAt.getTime() - fixture.resources.clock.now().getTime()) / 1000;
  expect((await asked(left + 1)).token).not.toBe(first.token);
});

test('a sweep that is told to end exchanges nothing more', async () => {
  for (const person of [alice, bob]) await fixture.consent(person);
  fixture.pass(10 * dayMs);
  const ending = new AbortController();
  const resources = meanwhile(async () => ending.abort());
  expect(await keepAlive(resources, { signal: ending.signal })).toEqual({ exchanged: 1, failed: 0 });
  expect(await keepAlive(fixture.resources)).toEqual({ exchanged: 1, failed: 0 });
});

test('a token that two revoke at once is revoked once on record', async () => {
  const { grant } = await fixture.consent();
  await endConsentHere(fixture.resources, { grantId: grant.id, by: 'test' });
  const { clock, database } = fixture.resources;
  const at = clock.now();
  const [token] = await listWithdrawnTokens(database, { grantId: grant.id, at, limit: 10 });
  if (token === undefined) throw new Error('Nothing is left to revoke.');
  const revoke = () => saveRevoked(database, { token, end: 'revoked', reason: 'withdrawn', at });
  expect((await Promise.all([revoke(), revoke()])).toSorted()).toEqual([false, true]);
  expect(await database.event.count({ where: { subjectId: grant.id, to: 'revoked' } })).toBe(1);
});

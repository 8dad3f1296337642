import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice, bob, carol } from '../../../demo/people.ts';
import { nextNight } from '../../../src/domain/nights.ts';
import { beginConsent, beginSignIn, finishConsent, finishSignIn } from '../../../src/flows/consent/give-consent.ts';
import { outcomeOf } from '../../support/fixtures/outcomes.ts';
import { type CustodyFixture, openCustodyFixture } from '../../support/harness/custody.ts';

let fixture: CustodyFixture;
beforeEach(async () => {
  fixture = await openCustodyFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

test('signing in tells who the person is and which roles they have', async () => {
  const { url, transaction } = await beginSignIn(fixture.resources, { returnTo: '/nights' });
  const callback = await fixture.visit(url, carol);
  const { user, roles } = await finishSignIn(fixture.resources, { callback, transaction });
  expect(user).toMatchObject({ subject: carol.subject, issuer: fixture.provider.issuer, username: 'carol' });
  expect(user.claims).toMatchObject({ preferred_username: 'carol', email: carol.email });
  expect(roles).toEqual(['nightkeep-operator']);
});

test('consent leaves a person, a grant, a sealed token, the terms, an exchange, a plan and an event', async () => {
  const { user, grant, plan, renewed } = await fixture.consent();
  expect(user).toMatchObject({ subject: alice.subject });
  expect(grant).toMatchObject({ state: 'active', generation: 1, subject: alice.subject });
  expect(plan).toMatchObject({ zone: 'Europe/London', paused: false });
  const { night, dueAt } = nextNight(plan, plan.createdAt);
  expect(plan).toMatchObject({ nextNight: night, nextDueAt: dueAt });
  expect(renewed).toBe(false);
  const { database } = fixture.resources;
  const generation = await database.tokenGeneration.findFirstOrThrow();
  const [issued] = fixture.provider.log.issued();
  expect(Buffer.from(generation.sealed ?? []).includes(issued?.token ?? '-')).toBe(false);
  expect(await database.consent.findFirstOrThrow()).toMatchObject({
    terms: { said: 'every night' },
    grantId: grant.id,
  });
  expect(await database.exchange.findFirstOrThrow()).toMatchObject({ purpose: 'consent', verdict: 'ok' });
  expect(await database.event.count({ where: { subjectId: { in: [grant.id, plan.id] } } })).toBe(2);
});

test('consenting again renews the same grant with the next generation', async () => {
  const first = await fixture.consent();
  const second = await fixture.consent();
  expect(second).toMatchObject({
    renewed: true,
    grant: { id: first.grant.id, generation: 2 },
    plan: { id: first.plan.id },
  });
  expect(await fixture.resources.database.tokenGeneration.count({ where: { state: 'current' } })).toBe(1);
});

test('somebody without the role, and a client without the scope, are told that it is not offline', async () => {
  fixture.provider.admin.setOfflineRole('bob', false);
  expect(await outcomeOf(fixture.consent(bob))).toBe('consent/not-offline');
  fixture.provider.admin.setOfflineScope('rp', false);
  for (const pushedFaultsAs of ['rfc9126', 'keycloak'] as const) {
    fixture.provider.admin.setRealm({ pushedFaultsAs });
    expect(await outcomeOf(fixture.consent(alice))).toBe('consent/not-offline');
  }
  expect(await fixture.resources.database.user.count()).toBe(0);
});

test('a callback of another transaction, another person or another purpose leaves nothing behind', async () => {
  const begin = () => beginConsent(fixture.resources, { returnTo: '/', terms: {} });
  const [one, two] = [await begin(), await begin()];
  const callback = await fixture.visit(one.url);
  const finish = (transaction: typeof one.transaction, subject?: string) =>
    outcomeOf(finishConsent(fixture.resources, { callback, transaction, subject }));
  expect(await finish(two.transaction)).toBe('consent/invalid-callback');
  expect(await finish({ ...one.transaction, purpose: 'sign-in' })).toBe('consent/invalid-callback');
  expect(await outcomeOf(finishSignIn(fixture.resources, { callback, transaction: one.transaction }))).toBe(
    'consent/invalid-callback',
  );
  expect(await finish(one.transaction, bob.subject)).toBe('grant/wrong-subject');
  expect(fixture.provider.admin.offlineSessions({ username: 'alice' })).toEqual([]);
  expect(await finish(one.transaction)).toBe('consent/invalid-callback');
  expect(await fixture.resources.database.user.count()).toBe(0);
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import type { TokenAnswer } from '../../../src/domain/tokens.ts';
import { dayMs } from '../../../src/durations.ts';
import { AppError } from '../../../src/errors.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { revokeReplaced } from '../../../src/flows/consent/revoke-replaced.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';

let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const generations = async () => {
  const rows = await fixture.resources.database.tokenGeneration.findMany({ orderBy: { number: 'asc' } });
  return rows.map(({ state, sealed }) => (sealed === null ? `${state}, shredded` : state));
};
const exchange = (grantId: string) => {
  fixture.custody.pass(dayMs);
  return obtainAccess(fixture.resources, { grantId, minimumSeconds: 1 });
};
const replace = (grantId: string) => revokeReplaced(fixture.resources, { grantId });
const revocations = () => vi.spyOn(fixture.resources.issuer, 'revoke');

/** Consents twice: the provider's sessions differ, since each consent is in a browser of its own. */
async function consentTwice(): Promise<string> {
  const { grant } = await fixture.consent();
  await exchange(grant.id);
  await fixture.consent();
  return grant.id;
}

/** Makes the tokens of the two consents those of these sessions, and so whatever the new one is exchanged for. */
async function nameSessions(grantId: string, old: string | null, now: string | null): Promise<void> {
  const { database, issuer } = fixture.resources;
  await database.tokenGeneration.updateMany({ where: { state: 'replaced' }, data: { sid: old } });
  await database.tokenGeneration.updateMany({ where: { state: 'current' }, data: { sid: now } });
  await database.grant.update({ where: { id: grantId }, data: { sid: now } });
  const { exchange: exchangeThere } = issuer;
  const named = ({ sid: _, ...tokens }: TokenAnswer): TokenAnswer => (now === null ? tokens : { ...tokens, sid: now });
  vi.spyOn(issuer, 'exchange').mockImplementation(async (...sent) => {
    const answer = await exchangeThere(...sent);
    return answer.kind === 'answered' ? { ...answer, tokens: named(answer.tokens) } : answer;
  });
}

describe('renewing', () => {
  test('keeps grant, plan and history, and the old token until the new one has proved itself', async () => {
    const first = await fixture.consent();
    await fixture.backUp(first.plan.id);
    const again = await fixture.consent();
    expect(again).toMatchObject({ renewed: true, grant: { id: first.grant.id }, plan: { id: first.plan.id } });
    expect(await generations()).toEqual(['superseded', 'replaced', 'current']);
    const revoke = revocations();
    expect(await replace(first.grant.id)).toEqual({ revoked: 0, shredded: 0, left: 0 });
    expect(revoke).not.toHaveBeenCalled();
    expect(await generations()).toEqual(['superseded', 'replaced', 'current']);
    const consents = await fixture.resources.database.consent.findMany();
    expect(consents).toMatchObject([{ method: 'browser' }, { method: 'browser' }]);
    expect(await fixture.resources.database.run.count()).toBe(1);
  });

  test('ends the old session at the provider once the new one works, and only the old one', async () => {
    const grantId = await consentTwice();
    const revoke = revocations();
    await exchange(grantId);
    expect(revoke).toHaveBeenCalledTimes(1);
    await exchange(grantId);
    expect(revoke).toHaveBeenCalledTimes(1);
    expect((await generations()).filter((state) => state === 'dead, shredded')).toHaveLength(1);
    expect(fixture.custody.provider.admin.offlineSessions({ username: 'alice' })).toHaveLength(1);
    const told = { subjectId: grantId, to: 'revoked', reason: 'renewed', by: 'provider' };
    expect(await fixture.resources.database.event.count({ where: told })).toBe(1);
  });

  test.each([
    ['the same session', 'one', 'one'],
    ['an old session that is not known', null, 'two'],
    ['a new session that is not known', 'one', null],
    ['no session that is known', null, null],
  ])('with %s never asks the provider: the old token is only destroyed', async (_, old, now) => {
    const grantId = await consentTwice();
    await nameSessions(grantId, old, now);
    const revoke = revocations();
    await exchange(grantId);
    expect(revoke).not.toHaveBeenCalled();
    expect((await generations()).filter((state) => state === 'dead, shredded')).toHaveLength(1);
    const told = { subjectId: grantId, to: 'shredded', reason: 'renewed' };
    expect(await fixture.resources.database.event.count({ where: told })).toBe(1);
  });

  test('while the provider cannot end it keeps the old token, until its idle window has passed', async () => {
    const grantId = await consentTwice();
    revocations().mockRejectedValue(new AppError('provider/unavailable', 'Away.'));
    await exchange(grantId);
    expect(await replace(grantId)).toEqual({ revoked: 0, shredded: 0, left: 1 });
    fixture.custody.pass(30 * dayMs);
    expect(await replace(grantId)).toEqual({ revoked: 0, shredded: 1, left: 0 });
  });

  test('knows the session of a token that does not name it by the consent it came from', async () => {
    const { grant } = await fixture.consent();
    const { database } = fixture.resources;
    await database.grant.update({ where: { id: grant.id }, data: { sid: 'of the first consent' } });
    await database.tokenGeneration.updateMany({ data: { sid: null } });
    await fixture.consent();
    expect(await database.tokenGeneration.findFirst({ where: { state: 'replaced' } })).toMatchObject({
      sid: 'of the first consent',
    });
  });

  test('after a withdrawal that the provider has not heard of goes on by the same rule', async () => {
    const { grant } = await fixture.consent();
    await fixture.custody.provider.down();
    await withdrawConsent(fixture.resources, { grantId: grant.id, by: 'user:alice' });
    await fixture.custody.provider.up();
    await fixture.consent();
    expect(await generations()).toEqual(['replaced', 'current']);
    await exchange(grant.id);
    expect(await generations()).toEqual(['dead, shredded', 'superseded', 'current']);
    expect(fixture.custody.provider.admin.offlineSessions({ username: 'alice' })).toHaveLength(1);
  });

  test('and withdrawing then ends the old token too', async () => {
    const grantId = await consentTwice();
    const revoke = revocations();
    await withdrawConsent(fixture.resources, { grantId, by: 'user:alice' });
    expect(revoke).toHaveBeenCalledTimes(2);
    expect((await generations()).every((state) => state.endsWith('shredded'))).toBe(true);
  });

  test('leaves a plan paused that the person paused, and resumes one that a withdrawal stopped', async () => {
    const { plan, grant } = await fixture.consent();
    await fixture.resources.database.plan.update({ where: { id: plan.id }, data: { paused: true } });
    expect((await fixture.consent()).plan.paused).toBe(true);
    await withdrawConsent(fixture.resources, { grantId: grant.id, by: 'user:alice' });
    expect((await fixture.consent()).plan.paused).toBe(false);
  });

  test('beside an exchange under way takes no number twice', async () => {
    const { grant } = await fixture.consent();
    fixture.custody.pass(dayMs);
    const both = await Promise.allSettled([exchange(grant.id), fixture.consent(), exchange(grant.id)]);
    expect(both[1]).toMatchObject({ status: 'fulfilled' });
    fixture.custody.pass(dayMs);
    await exchange(grant.id);
    expect((await generations()).filter((state) => state === 'current')).toHaveLength(1);
  });
});

describe('the link that renews', () => {
  test('asks the provider for consent again, with the name of whose it is', async () => {
    const begin = vi.spyOn(fixture.resources.issuer, 'beginAuthorization');
    await beginConsent(fixture.resources, { returnTo: '/', terms: {}, loginHint: alice.username });
    expect(begin).toHaveBeenCalledWith(expect.objectContaining({ prompt: 'consent', loginHint: alice.username }));
  });

  test("refuses somebody else's consent, and leaves everything as it was", async () => {
    await fixture.consent();
    const { url, transaction } = await beginConsent(fixture.resources, { returnTo: '/', terms: {} });
    const callback = await fixture.custody.visit(url, bob);
    const answer = { callback, transaction, subject: alice.subject };
    await expect(finishConsent(fixture.resources, answer)).rejects.toMatchObject({ code: 'grant/wrong-subject' });
    expect(await generations()).toEqual(['current']);
    expect(await fixture.resources.database.user.count()).toBe(1);
  });
});

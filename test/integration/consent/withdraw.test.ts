import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { dayMs } from '../../../src/durations.ts';
import { AppError, isAppError } from '../../../src/errors.ts';
import { revokeWithdrawn } from '../../../src/flows/consent/revoke-tokens.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';

let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

const withdraw = (grantId: string) => withdrawConsent(fixture.resources, { grantId, by: 'user:alice' });
const sealedTokens = () => fixture.resources.database.tokenGeneration.count({ where: { sealed: { not: null } } });
const livesAtProvider = () =>
  fixture.custody.provider.admin.consentsOf(alice.username).some(({ lastUsed }) => lastUsed !== undefined);
const eventsOf = async (subjectId: string) =>
  (await fixture.resources.database.event.findMany({ where: { subjectId }, orderBy: { id: 'asc' } })).map(
    ({ to }) => to,
  );

describe('withdrawing', () => {
  test('ends the token here and at the provider, stops the plan and cancels its runs, each with an event', async () => {
    const { grant, plan } = await fixture.consent();
    const runId = await requestRun(fixture.resources, { planId: plan.id, trigger: 'person' });
    expect(await withdraw(grant.id)).toEqual({ withdrawn: true, tokens: 'ended' });
    expect(livesAtProvider()).toBe(false);
    expect(await sealedTokens()).toBe(0);
    const { database } = fixture.resources;
    expect(await database.grant.findUniqueOrThrow({ where: { id: grant.id } })).toMatchObject({
      state: 'withdrawn',
      reason: 'withdrawn',
      nextExchangeAt: null,
      endedAt: expect.any(Date),
    });
    expect(await database.plan.findUniqueOrThrow({ where: { id: plan.id } })).toMatchObject({ paused: true });
    expect(await database.run.findUniqueOrThrow({ where: { id: runId } })).toMatchObject({ state: 'cancelled' });
    expect(await eventsOf(grant.id)).toEqual(['active', 'withdrawn', 'revoked']);
    expect(await eventsOf(runId)).toEqual(['queued', 'cancelled']);
  });

  test('while the provider is away keeps the token sealed until the provider has heard of it', async () => {
    const { grant } = await fixture.consent();
    await fixture.custody.provider.down();
    expect(await withdraw(grant.id)).toEqual({ withdrawn: true, tokens: 'outstanding' });
    expect(await sealedTokens()).toBe(1);
    const access = obtainAccess(fixture.resources, { grantId: grant.id, minimumSeconds: 1 });
    await expect(access).rejects.toMatchObject({ code: 'grant/not-usable' });
    expect(await revokeWithdrawn(fixture.resources)).toEqual({ revoked: 0, shredded: 0, left: 1 });
    await fixture.custody.provider.up();
    expect(await revokeWithdrawn(fixture.resources)).toEqual({ revoked: 1, shredded: 0, left: 0 });
    expect(await sealedTokens()).toBe(0);
    expect(livesAtProvider()).toBe(false);
    expect(await revokeWithdrawn(fixture.resources)).toEqual({ revoked: 0, shredded: 0, left: 0 });
    expect(await eventsOf(grant.id)).toEqual(['active', 'withdrawn', 'revoked']);
  });

  test('ends at the provider also a token that came to a worker which had lost its lease', async () => {
    const { grant } = await fixture.consent();
    const { database, issuer } = fixture.resources;
    const slow = fixture.other('slow');
    vi.spyOn(slow.issuer, 'exchange').mockImplementation(async (...sent) => {
      const answer = await issuer.exchange(...sent);
      await database.grant.update({ where: { id: grant.id }, data: { fence: { increment: 1 } } });
      return answer;
    });
    const access = obtainAccess(slow, { grantId: grant.id, minimumSeconds: 1 });
    await expect(access).rejects.toMatchObject({ code: 'grant/fenced' });
    const revoke = vi.spyOn(issuer, 'revoke');
    expect(await withdraw(grant.id)).toEqual({ withdrawn: true, tokens: 'ended' });
    expect(revoke).toHaveBeenCalledTimes(2);
    expect(await sealedTokens()).toBe(0);
  });

  test.each(['up', 'away'])(
    'ends a token that comes just then at a provider that is %s, and loses it on no disk',
    async (how) => {
      const { grant } = await fixture.consent();
      const { issuer } = fixture.resources;
      const slow = fixture.other('slow');
      const came: unknown[] = [];
      vi.spyOn(slow.issuer, 'exchange').mockImplementation(async (...sent) => {
        const answer = await issuer.exchange(...sent);
        came.push(answer.kind === 'answered' && answer.tokens.refreshToken);
        await withdraw(grant.id);
        return answer;
      });
      const revoke = vi.spyOn(slow.issuer, 'revoke');
      if (how === 'away') revoke.mockRejectedValue(new AppError('provider/unavailable', 'Away.'));
      const access = obtainAccess(slow, { grantId: grant.id, minimumSeconds: 1 });
      await expect(access).rejects.toMatchObject({ code: 'grant/not-usable' });
      expect(revoke.mock.calls).toEqual([came]);
      expect(await slow.spool.list()).toHaveLength(how === 'away' ? 1 : 0);
      expect(await sealedTokens()).toBe(0);
    },
  );

  test('leaves no token on disk that came just then where the provider offers no revocation', async () => {
    const { grant } = await fixture.consent();
    const { issuer } = fixture.resources;
    const none = new AppError('provider/unavailable', 'None.', {
      detail: { error: 'OAUTH_MISSING_SERVER_METADATA' },
    });
    const slow = fixture.other('slow');
    for (const one of [issuer, slow.issuer]) vi.spyOn(one, 'revoke').mockRejectedValue(none);
    const exchange = vi.spyOn(slow.issuer, 'exchange').mockImplementation(async (...sent) => {
      const answer = await issuer.exchange(...sent);
      await withdraw(grant.id);
      return answer;
    });
    const access = () => obtainAccess(slow, { grantId: grant.id, minimumSeconds: 1 });
    await expect(access()).rejects.toMatchObject({ code: 'grant/not-usable' });
    expect(exchange).toHaveBeenCalledTimes(1);
    expect(await slow.spool.list()).toEqual([]);
  });

  test('destroys a token that the provider never heard of once its idle window has passed', async () => {
    const { grant } = await fixture.consent();
    await fixture.custody.provider.down();
    await withdraw(grant.id);
    fixture.custody.pass(30 * dayMs + 1_000);
    expect(await revokeWithdrawn(fixture.resources)).toEqual({ revoked: 0, shredded: 1, left: 0 });
    expect(await sealedTokens()).toBe(0);
    expect(await eventsOf(grant.id)).toEqual(['active', 'withdrawn', 'expired']);
  });

  test.each(['OAUTH_MISSING_SERVER_METADATA', 'unsupported_token_type'])(
    'at a provider without revocation destroys the token at once: %s',
    async (error) => {
      const { grant } = await fixture.consent();
      const none = new AppError('provider/unavailable', 'None.', { detail: { error } });
      vi.spyOn(fixture.resources.issuer, 'revoke').mockRejectedValue(none);
      expect(await withdraw(grant.id)).toEqual({ withdrawn: true, tokens: 'not ended there' });
      expect(await sealedTokens()).toBe(0);
      expect(await eventsOf(grant.id)).toEqual(['active', 'withdrawn', 'shredded']);
    },
  );

  test('that is refused for one token goes on with the others, and asks a provider that is away once', async () => {
    const grants = [await fixture.consent(), await fixture.consent(bob)];
    const revoke = vi.spyOn(fixture.resources.issuer, 'revoke');
    revoke.mockRejectedValue(new AppError('provider/refused', 'Not this one.'));
    for (const { grant } of grants) await withdraw(grant.id);
    revoke.mockClear();
    expect(await revokeWithdrawn(fixture.resources)).toEqual({ revoked: 0, shredded: 0, left: 2 });
    expect(revoke).toHaveBeenCalledTimes(2);
    revoke.mockRejectedValue(new AppError('provider/unavailable', 'Away.')).mockClear();
    expect(await revokeWithdrawn(fixture.resources)).toEqual({ revoked: 0, shredded: 0, left: 2 });
    expect(revoke).toHaveBeenCalledTimes(1);
  });

  test('aborts a backup of another process in the middle of a file, long before that renews its lease, and leaves it no access', async () => {
    const { grant, plan } = await fixture.consent();
    const reached = Promise.withResolvers<void>();
    fixture.files.mischief = ({ method }, response) => {
      if (method !== 'GET') return undefined;
      response.writeHead(200, { 'content-length': '1000000' }).write('the beginning');
      reached.resolve();
      return true;
    };
    const worker = fixture.other('worker');
    const working = fixture.backUp(plan.id, worker);
    await reached.promise;
    await withdraw(grant.id);
    const begun = performance.now();
    expect(await working).toMatchObject({ state: 'cancelled', leaseHolder: null, snapshotId: null });
    expect(performance.now() - begun).toBeLessThan(15_000);
    const access = obtainAccess(worker, { grantId: grant.id, minimumSeconds: 1 });
    expect(await access.catch((error: unknown) => isAppError(error, 'grant/not-usable'))).toBe(true);
  });

  test('twice, or by two at once, is once', async () => {
    const { grant } = await fixture.consent();
    const both = await Promise.all([withdraw(grant.id), withdraw(grant.id)]);
    expect(both.filter(({ withdrawn }) => withdrawn)).toHaveLength(1);
    expect(await withdraw(grant.id)).toEqual({ withdrawn: false });
    expect(await eventsOf(grant.id)).toEqual(['active', 'withdrawn', 'revoked']);
  });
});

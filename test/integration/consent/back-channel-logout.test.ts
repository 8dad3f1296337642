import { createHash, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { alice, bob, type Person } from '../../../demo/people.ts';
import { forgetLogouts } from '../../../src/database/people/logouts.ts';
import { AppError } from '../../../src/errors.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import type { LogoutToken } from '../../../src/oidc/logout-token.ts';
import { serve } from '../../../src/web/server.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';

let fixture: ConsentFixture;
/** What the next logout token says: how one is read is tried elsewhere. */
let said: Partial<LogoutToken>;
beforeEach(async () => {
  fixture = await openConsentFixture();
  const { issuer } = fixture.resources;
  vi.spyOn(issuer, 'readLogoutToken').mockImplementation(async (jti) => ({
    issuer: fixture.custody.provider.issuer,
    subject: undefined,
    sid: undefined,
    jti,
    expiresAt: new Date(fixture.resources.clock.now().getTime() + 120_000),
    revokesOfflineAccess: false,
    ...said,
  }));
});
afterEach(() => fixture[Symbol.asyncDispose]());

const send = (guest: Guest, token: string = randomUUID()) =>
  guest.send('/backchannel-logout', { method: 'POST', body: new URLSearchParams({ logout_token: token }) });
const isSignedIn = async (guest: Guest) => (await guest.send('/grant')).status === 200;
const grantOf = ({ subject }: Person) => fixture.resources.database.grant.findFirstOrThrow({ where: { subject } });
const sidOf = async (person: Person) => (await grantOf(person)).sid ?? 'none';

async function consented(person: Person): Promise<Guest> {
  const guest = await signInAs(fixture, person);
  await guest.consent();
  return guest;
}

test('a logout token that the provider sends is taken, ends the session, and with its word the consent', async () => {
  vi.mocked(fixture.resources.issuer.readLogoutToken).mockRestore();
  const guest = await consented(alice);
  await using opened = new AsyncDisposableStack();
  const web = opened.adopt(await serve(fixture.resources), (server) => server.close(0));
  fixture.register({ backchannelLogoutUri: new URL('backchannel-logout', web.url).href });
  const { admin } = fixture.custody.provider;
  const { clientId } = fixture.resources.issuer;
  expect(await admin.sendLogoutToken('alice', clientId)).toBe(200);
  expect(await isSignedIn(guest)).toBe(false);
  expect(await grantOf(alice)).toMatchObject({ state: 'active' });
  expect(admin.offlineSessions({ username: 'alice' })).toHaveLength(1);
  expect(await admin.sendLogoutToken('alice', clientId, { revokeOffline: true })).toBe(200);
  expect(await grantOf(alice)).toMatchObject({ state: 'withdrawn', reason: 'back_channel_logout' });
  await expect.poll(() => admin.offlineSessions({ username: 'alice' })).toEqual([]);
});

describe('a logout at the provider', () => {
  test('ends the web sessions of the person at once, and leaves the consent alone', async () => {
    const [ofAlice, ofBob] = [await consented(alice), await signInAs(fixture, bob)];
    said = { subject: alice.subject };
    const answer = await send(ofAlice);
    expect([answer.status, answer.headers.get('cache-control'), await answer.text()]).toEqual([200, 'no-store', '']);
    expect(await isSignedIn(ofAlice)).toBe(false);
    expect(await ofAlice.text('/')).toContain(texts.welcome.lead);
    expect(await isSignedIn(ofBob)).toBe(true);
    expect(await grantOf(alice)).toMatchObject({ state: 'active' });
    const events = await fixture.resources.database.event.findMany({ where: { subjectKind: 'session' } });
    expect(events).toMatchObject([
      { subjectId: `sub:${alice.subject}`, to: 'ended', reason: 'back_channel_logout', by: 'provider' },
    ]);
  });

  test.each([
    ['its hash', (sid: string) => createHash('sha256').update(sid).digest('base64url')],
    ['it came, as once', (sid: string) => sid],
  ])('ends a session of a long id, which is kept as %s', async (_, kept) => {
    const { database } = fixture.resources;
    const long = 'session '.repeat(200);
    const guest = await consented(alice);
    const ofAlice = { where: { user: { subject: alice.subject } }, data: { sid: kept(long) } };
    await Promise.all([database.webSession.updateMany(ofAlice), database.grant.updateMany(ofAlice)]);
    said = { sid: long, revokesOfflineAccess: true };
    await send(guest);
    expect(await isSignedIn(guest)).toBe(false);
    expect(await grantOf(alice)).toMatchObject({ state: 'withdrawn', reason: 'back_channel_logout' });
  });

  test('that comes twice at the same moment is taken once', async () => {
    const guest = await consented(alice);
    const { promise: both, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    const read = vi.mocked(fixture.resources.issuer.readLogoutToken).getMockImplementation();
    vi.mocked(fixture.resources.issuer.readLogoutToken).mockImplementation(async (token) => {
      asked += 1;
      if (asked === 2) resolve();
      await both;
      return read?.(token) ?? expect.unreachable();
    });
    said = { subject: alice.subject, revokesOfflineAccess: true };
    const answers = await Promise.all([send(guest, 'one'), send(guest, 'one')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    expect(await fixture.resources.database.event.count({ where: { subjectKind: 'session' } })).toBe(1);
  });

  test('lets the person sign in again', async () => {
    const before = await signInAs(fixture, alice);
    said = { subject: alice.subject };
    await send(before);
    fixture.custody.pass(1_000);
    expect(await isSignedIn(await signInAs(fixture, alice))).toBe(true);
    expect(await isSignedIn(before)).toBe(false);
  });

  test('of one session ends that one only', async () => {
    const finish = vi.spyOn(fixture.resources.issuer, 'finishAuthorization');
    const [here, there] = [await signInAs(fixture, alice), await signInAs(fixture, alice)];
    const authorized = await finish.mock.results[0]?.value;
    said = { sid: authorized?.tokens.sid, subject: alice.subject };
    expect(said.sid).toEqual(expect.any(String));
    expect((await send(there)).status).toBe(200);
    expect([await isSignedIn(here), await isSignedIn(there)]).toEqual([false, true]);
  });

  test('with revoke_offline_access ends the consent too: runs, tokens, and the token at the provider', async () => {
    const guest = await consented(alice);
    const { database } = fixture.resources;
    const plan = await database.plan.findFirstOrThrow();
    await requestRun(fixture.resources, { planId: plan.id, trigger: 'person' });
    const revoke = vi.spyOn(fixture.resources.issuer, 'revoke');
    said = { subject: alice.subject, revokesOfflineAccess: true };
    expect((await send(guest)).status).toBe(200);
    expect(await grantOf(alice)).toMatchObject({ state: 'withdrawn', reason: 'back_channel_logout' });
    expect(await database.run.count({ where: { state: { in: ['queued', 'running'] } } })).toBe(0);
    await expect.poll(() => database.tokenGeneration.count({ where: { sealed: { not: null } } })).toBe(0);
    expect(revoke).toHaveBeenCalledTimes(1);
    fixture.custody.pass(1_000);
    const again = await signInAs(fixture, alice);
    expect(await again.text('/grant')).toContain(texts.protection.consent.back_channel_logout.happened);
    expect(await again.text('/')).toContain(texts.grant.again);
    const grant = await grantOf(alice);
    const told = { subjectId: grant.id, to: 'withdrawn', reason: 'back_channel_logout', by: 'provider' };
    expect(await database.event.count({ where: told })).toBe(1);
  });

  test('with it, of one session, ends the consent that came of that session only', async () => {
    const [ofAlice] = [await consented(alice), await consented(bob)];
    const { database } = fixture.resources;
    await database.grant.updateMany({ where: { subject: alice.subject }, data: { sid: 'of alice' } });
    await database.tokenGeneration.updateMany({ data: { sid: null } });
    said = { sid: 'of somebody', revokesOfflineAccess: true };
    await send(ofAlice);
    expect(await grantOf(alice)).toMatchObject({ state: 'active' });
    said = { sid: await sidOf(alice), subject: bob.subject, revokesOfflineAccess: true };
    await send(ofAlice);
    expect(await grantOf(alice)).toMatchObject({ state: 'active' });
    said = { sid: await sidOf(alice), subject: alice.subject, revokesOfflineAccess: true };
    await send(ofAlice);
    expect([await grantOf(alice), await grantOf(bob)]).toMatchObject([{ state: 'withdrawn' }, { state: 'active' }]);
  });

  test('counts once: the same token again is refused, also after a new consent', async () => {
    const guest = await consented(alice);
    said = { subject: alice.subject, revokesOfflineAccess: true };
    const token = randomUUID();
    expect((await send(guest, token)).status).toBe(200);
    fixture.custody.pass(1_000);
    const again = await consented(alice);
    const answer = await send(again, token);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('before'),
    });
    expect(await grantOf(alice)).toMatchObject({ state: 'active' });
    expect(await isSignedIn(again)).toBe(true);
  });

  test('that could not be carried out may be sent again', async () => {
    const guest = await consented(alice);
    said = { subject: alice.subject };
    const broken = vi.spyOn(fixture.resources.database, '$transaction').mockRejectedValueOnce(new Error('away'));
    const token = randomUUID();
    const answer = await send(guest, token);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'temporarily_unavailable' }]);
    broken.mockRestore();
    expect((await send(guest, token)).status).toBe(200);
  });

  test('is forgotten once it can mean nothing any more', async () => {
    const guest = await signInAs(fixture, alice);
    said = { subject: alice.subject };
    await send(guest);
    const { database, clock } = fixture.resources;
    await forgetLogouts(database, { before: clock.now(), limit: 10 });
    expect(await database.logoutToken.count()).toBe(1);
    fixture.custody.pass(121_000);
    await forgetLogouts(database, { before: clock.now(), limit: 10 });
    expect(await database.logoutToken.count()).toBe(0);
  });

  test('is refused as JSON where the token does not hold, is missing, too large, or no form', async () => {
    const guest = await signInAs(fixture, alice);
    vi.mocked(fixture.resources.issuer.readLogoutToken).mockRejectedValue(
      new AppError('logout/invalid-token', 'It does not hold.'),
    );
    const post = (body: string, type = 'application/x-www-form-urlencoded') =>
      guest.send('/backchannel-logout', { method: 'POST', body, headers: { 'content-type': type } });
    const answers = [
      await post('logout_token=x'),
      await post('token=x'),
      await post('logout_token=x&logout_token=y'),
      await post(`logout_token=${'x'.repeat(20_000)}`),
      await post('{"logout_token":"x"}', 'application/json'),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(400);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
    }
    expect((await guest.send('/backchannel-logout')).status).toBe(405);
    expect(await isSignedIn(guest)).toBe(true);
  });
});

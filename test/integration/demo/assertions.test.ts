import { decodeJwt } from 'jose';
import { afterEach, expect, test } from 'vitest';
import type { ProviderOptions } from '../../../demo/provider/provider.ts';
import { openTestRealm, type TestRealm } from './realm.ts';

let realm: TestRealm;
afterEach(() => realm[Symbol.asyncDispose]());

const open = async (options: ProviderOptions['options'] = {}) => {
  realm = await openTestRealm(options);
  return { ...realm, log: realm.provider.log, faults: realm.provider.faults, admin: realm.provider.admin };
};
/** The one grant that there is. */
const grant = () => {
  const [only, ...others] = realm.provider.log.grants();
  if (!only || others.length > 0) throw new Error('There is not one grant.');
  return only;
};
const breakOff = (work: Promise<unknown>) => work.catch(() => undefined);
const lost = { kind: 'cut', when: 'after' } as const;

test('a correct client has no overlaps, replays or repeats, and holds its grant', async () => {
  const { login, refresh, log } = await open();
  const tokens = [await login()];
  for (let night = 0; night < 5; night += 1) tokens.push((await refresh(tokens.at(-1) ?? '')).token);
  expect([log.overlaps(), log.replays(), log.repeats()]).toEqual([[], [], []]);
  expect(log.issued().map(({ token }) => token)).toEqual(tokens);
  expect(log.delivered()).toEqual(tokens);
  expect(log.held()).toEqual(log.alive());
  expect(grant()).toMatchObject({ alive: true, held: true, token: tokens.at(-1), clientId: 'direct' });
});

test('requests are logged in order, with what they sent, what they got and which fault was injected', async () => {
  const { login, refresh, log, faults } = await open();
  const first = await login();
  const second = await refresh(first);
  faults.next({ kind: 'invalid_grant' });
  await refresh(second.token);
  await refresh('nonsense');
  realm.provider.admin.setRealm({ enabled: false });
  await refresh(second.token);
  const { sid, sub: subject } = decodeJwt(first);
  const [began, rotated, spurious, unknown, closed] = log.requests();
  expect(began).toMatchObject({ number: 1, grantType: 'password', issued: first, status: 200, whole: true });
  expect(rotated).toMatchObject({ grantType: 'refresh_token', presented: first, issued: second.token, sid, subject });
  expect(spurious).toMatchObject({
    presented: second.token,
    status: 400,
    error: 'invalid_grant',
    fault: 'invalid_grant',
  });
  expect(unknown).toMatchObject({ presented: 'nonsense', status: 400, error: 'invalid_grant' });
  expect(closed).toMatchObject({ presented: second.token, status: 403, error: 'access_denied' });
  expect([spurious?.issued, unknown?.sid]).toEqual([undefined, undefined]);
  expect([rotated?.begun, rotated?.committed, rotated?.ended]).toEqual([4, 5, 6]);
  expect(log.requests({ subject: subject ?? '' })).toEqual([rotated, spurious, closed]);
  expect(log.requests({ sid: 'another' })).toEqual([]);
  for (const name of ['access_token', 'id_token', 'refresh_token']) expect(log.secrets()).toContain(second.body[name]);
});

test('an old token after a newer one was used is a replay, and the grant is lost by the client', async () => {
  const { login, refresh, log } = await open();
  const first = await login();
  const second = (await refresh(first)).token;
  await refresh(second);
  expect(log.replays()).toEqual([]);
  await refresh(first);
  expect(log.replays().map(({ presented }) => presented)).toEqual([first]);
  expect(grant()).toMatchObject({ alive: false, endedBy: 'reuse', held: true });
  expect(log.alive()).toEqual([]);
});

test('a token sent twice is a repeat, and loses the grant that nothing else endangered', async () => {
  const { login, refresh, log } = await open();
  const first = await login();
  await refresh(first);
  expect(log.repeats()).toEqual([]);
  await refresh(first);
  expect(log.repeats().map(({ number }) => number)).toEqual([3]);
  expect(log.replays()).toEqual([]);
  expect(grant()).toMatchObject({ endedBy: 'reuse', held: true });
});

test('with rotation off an old token that is sent again is still a replay', async () => {
  const { login, refresh, log } = await open({ revokeRefreshToken: false });
  const first = await login();
  await refresh((await refresh(first)).token);
  await refresh(first);
  expect([log.replays().length, log.repeats().length, grant().alive]).toEqual([1, 1, true]);
});

test('an answer that is lost with strict rotation cannot be held by anybody, retried or not', async () => {
  const { login, refresh, log, faults } = await open();
  const first = await login();
  faults.next(lost);
  await breakOff(refresh(first));
  expect(grant()).toMatchObject({ alive: true, held: false });
  expect(log.delivered()).toEqual([first]);
  await refresh(first);
  expect(grant()).toMatchObject({ alive: false, endedBy: 'reuse', held: false });
});

test('with Refresh Token Max Reuse 1 a lost answer is made good by one retry, not by two', async () => {
  const { login, refresh, faults } = await open({ refreshTokenMaxReuse: 1 });
  const first = await login();
  faults.next(lost, 2);
  await breakOff(refresh(first));
  expect(grant()).toMatchObject({ alive: true, held: true });
  await breakOff(refresh(first));
  expect(grant()).toMatchObject({ alive: true, held: false });
  await refresh(first);
  expect(grant()).toMatchObject({ alive: false, held: false });

  await realm[Symbol.asyncDispose]();
  const again = await open({ refreshTokenMaxReuse: 1 });
  const other = await again.login();
  again.faults.next(lost);
  await breakOff(again.refresh(other));
  const { token } = await again.refresh(other);
  expect(grant()).toMatchObject({ alive: true, held: true, token });
});

test.each([
  { kind: 'truncated' },
  { kind: 'page', when: 'after', status: 200 },
  { kind: 'status', when: 'after', status: 502 },
] as const)('$kind: what was issued counts as not handed out', async (fault) => {
  const { login, refresh, log, faults } = await open();
  const first = await login();
  faults.next(fault);
  await breakOff(refresh(first));
  expect(log.issued()).toHaveLength(2);
  expect(log.delivered()).toEqual([first]);
  expect(grant().held).toBe(false);
});

test.each([
  { kind: 'cut', when: 'before' },
  { kind: 'status', when: 'before', status: 500 },
  { kind: 'page', when: 'before', status: 403 },
  { kind: 'invalid_grant' },
  { kind: 'odd', part: 'no refresh_token' },
] as const)(
  '$kind before anything was used up is no reason to lose the grant, nor to be blamed for a retry',
  async (fault) => {
    const { login, refresh, log, faults } = await open();
    const first = await login();
    faults.next(fault);
    await breakOff(refresh(first));
    expect(grant()).toMatchObject({ alive: true, held: true, token: first });
    expect((await refresh(first)).status).toBe(200);
    expect([log.repeats(), log.replays(), grant().held]).toEqual([[], [], true]);
  },
);

test.each(['expires_in', 'token_type', 'id_token iat', 'id_token iss'] as const)(
  'an odd %s does not excuse losing the token beside it',
  async (part) => {
    const { login, refresh, log, faults } = await open();
    faults.next({ kind: 'odd', part });
    const answer = await refresh(await login());
    expect(log.delivered()).toContain(answer.token);
    expect(grant()).toMatchObject({ held: true, token: answer.token });
  },
);

test('two requests of one grant in flight at once are an overlap, those of two grants are not', async () => {
  const { login, refresh, log, faults } = await open({ revokeRefreshToken: false });
  const [one, other] = [await login(), await login()];
  const sign = Promise.withResolvers<void>();
  faults.next({ kind: 'held', when: 'before', until: () => sign.promise }, 2);
  const slow = [refresh(one), refresh(other)];
  await expect.poll(() => log.requests().length).toBe(4);
  expect(log.overlaps()).toEqual([]);
  await refresh(one);
  sign.resolve();
  await Promise.all(slow);
  await refresh(one);
  expect(log.overlaps().map(([early, late]) => [early.presented, early.number < late.number, late.number])).toEqual([
    [one, true, 5],
  ]);
});

test('a second use while the first is still being answered loses the grant, by the client’s fault', async () => {
  const { login, refresh, log, faults } = await open();
  const token = await login();
  const sign = Promise.withResolvers<void>();
  faults.next({ kind: 'held', when: 'after', until: () => sign.promise });
  const slow = refresh(token);
  await expect.poll(() => log.requests()[1]?.committed).toBeDefined();
  expect((await refresh(token)).status).toBe(400);
  sign.resolve();
  expect((await slow).status).toBe(200);
  expect(log.overlaps().map(([early, late]) => [early.number, late.number])).toEqual([[2, 3]]);
  expect(grant()).toMatchObject({ endedBy: 'reuse', held: true });
});

test('a grant that a person or an administrator ended is not held', async () => {
  const { login, log, admin } = await open();
  const [one, other, third] = [await login(), await login(), await login()];
  await admin.endOfflineSession(String(decodeJwt(one).sid), 'direct');
  expect(log.held()).toHaveLength(2);
  await admin.removeConsent('alice', 'direct');
  expect([log.held(), log.alive()]).toEqual([[], []]);
  expect(log.grants().map(({ sid, endedBy }) => [sid, endedBy])).toEqual(
    [one, other, third].map((token) => [decodeJwt(token).sid, 'revoked']),
  );
});

test('a passing refusal leaves the grant held; an account that is deleted does not', async () => {
  const { login, refresh, admin } = await open();
  const token = await login();
  admin.setOfflineRole('alice', false);
  await refresh(token);
  expect(grant()).toMatchObject({ alive: true, held: true, token });
  admin.deleteUser('alice');
  expect(grant()).toMatchObject({ alive: false, endedBy: 'revoked', held: false });
});

test('a grant that idled out would be held by a correct client, one that reached its maximum would not', async () => {
  const { login, seconds, admin } = await open({ offlineIdleSeconds: 100 });
  await login();
  await seconds(100);
  expect(grant()).toMatchObject({ alive: false, endedBy: 'idle', held: true });
  admin.setRealm({ offlineIdleSeconds: 1000, offlineMaxLimited: true, offlineMaxSeconds: 90 });
  expect(grant()).toMatchObject({ alive: false, endedBy: 'max', held: false });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { everyFault, type Fault } from '../../../demo/provider/faults/faults.ts';
import { type ManualClock, manualClock } from '../../support/fixtures/manual-clock.ts';
import { type Answer, openTestRealm, readAnswer, type TestRealm } from './realm.ts';

let realm: TestRealm;
let token: string;
beforeEach(async () => {
  realm = await openTestRealm();
  token = await realm.login();
});
afterEach(() => realm[Symbol.asyncDispose]());

const met = (fault: Fault) => {
  realm.provider.faults.next(fault);
  return realm.refresh(token);
};
/** Whether the token that was sent is used up: asked without a fault, which settles it for good. */
const isUsedUp = async () => (await realm.refresh(token)).status !== 200;
const brokenOff = (work: Promise<Answer>) =>
  work.then(
    () => 'an answer',
    () => 'broken off',
  );

test('a connection cut before the exchange leaves the token usable, one cut after it loses the answer', async () => {
  expect(await brokenOff(met({ kind: 'cut', when: 'before' }))).toBe('broken off');
  expect(await isUsedUp()).toBe(false);
  token = await realm.login();
  expect(await brokenOff(met({ kind: 'cut', when: 'after' }))).toBe('broken off');
  expect(await isUsedUp()).toBe(true);
});

test('a truncated answer has status 200 and half a body, and the token is used up', async () => {
  realm.provider.faults.next({ kind: 'truncated' });
  const body = new URLSearchParams({
    client_id: realm.client.id,
    client_secret: realm.client.secret ?? '',
    grant_type: 'refresh_token',
    refresh_token: token,
  });
  const response = await fetch(`${realm.provider.issuer}/token`, { method: 'POST', body });
  expect(response.status).toBe(200);
  await expect(response.text()).rejects.toThrow();
  expect(await isUsedUp()).toBe(true);
});

test.each([
  { kind: 'status', when: 'before', status: 503, retryAfter: '7' },
  { kind: 'status', when: 'after', status: 500 },
] as const)('an error of the server: %o', async (fault) => {
  const answer = await met(fault);
  expect(answer).toMatchObject({ status: fault.status, token: '', body: { error: 'unknown_error' } });
  expect(await isUsedUp()).toBe(fault.when === 'after');
});

test.each([200, 403, 502] as const)('a proxy’s page with %i, before and after the token is used up', async (status) => {
  for (const when of ['before', 'after'] as const) {
    token = await realm.login();
    expect(await met({ kind: 'page', when, status })).toEqual({ status, body: {}, token: '', said: String(status) });
    expect(await isUsedUp()).toBe(when === 'after');
  }
});

test('429 and 503 carry Retry-After', async () => {
  for (const status of [429, 503] as const) {
    realm.provider.faults.next({ kind: 'status', when: 'before', status, retryAfter: 'Tue, 01 Jan 2030 00:01:00 GMT' });
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token });
    const response = await fetch(`${realm.provider.issuer}/token`, { method: 'POST', body });
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, 'Tue, 01 Jan 2030 00:01:00 GMT']);
  }
});

test('a spurious invalid_grant uses nothing up', async () => {
  expect((await met({ kind: 'invalid_grant' })).said).toMatch(/^400 invalid_grant/);
  expect(await isUsedUp()).toBe(false);
});

test('a slow answer takes its time by the clock, before or after the token is used up', async () => {
  const clock = manualClock('2030-01-01T00:00:00Z');
  let sleepers = 0;
  const sleep: ManualClock['sleep'] = (ms) => {
    sleepers += 1;
    return clock.sleep(ms);
  };
  await realm[Symbol.asyncDispose]();
  realm = await openTestRealm({}, { clock: { ...clock, sleep } });
  for (const [index, when] of (['before', 'after'] as const).entries()) {
    token = await realm.login();
    const answer = met({ kind: 'slow', when, ms: 14_500 });
    await expect.poll(() => sleepers).toBe(index + 1);
    expect(realm.provider.log.requests().at(-1)?.committed === undefined).toBe(when === 'before');
    await realm.seconds(15);
    expect((await answer).status).toBe(200);
  }
});

test('a held answer waits until it is released; a client that gives up gets no whole answer', async () => {
  const sign = Promise.withResolvers<void>();
  realm.provider.faults.next({ kind: 'held', when: 'after', until: () => sign.promise });
  const hangUp = new AbortController();
  const body = new URLSearchParams({
    client_id: realm.client.id,
    client_secret: realm.client.secret ?? '',
    grant_type: 'refresh_token',
    refresh_token: token,
  });
  const asking = fetch(`${realm.provider.issuer}/token`, { method: 'POST', body, signal: hangUp.signal });
  await expect.poll(() => realm.provider.log.requests()[1]?.committed).toBeDefined();
  hangUp.abort();
  await expect(asking.then(readAnswer)).rejects.toThrow();
  await expect.poll(() => realm.provider.log.requests()[1]?.ended).toBeDefined();
  sign.resolve();
  expect(realm.provider.log.requests()[1]).toMatchObject({ whole: false, fault: 'held' });
  expect(await isUsedUp()).toBe(true);
});

test('invalid answers contain tokens that work', async () => {
  const odd = async (part: (Fault & { kind: 'odd' })['part']) => {
    const answer = await met({ kind: 'odd', part });
    token = answer.token || token;
    return answer.body;
  };
  const now = realm.clock.now().getTime() / 1000;
  expect((await odd('expires_in')).expires_in).toBe(-1);
  expect((await odd('token_type')).token_type).toBe('Odd');
  expect(decodeJwt(String((await odd('id_token iat')).id_token))).toMatchObject({ iat: now - 3600, exp: now - 3000 });
  expect(decodeJwt(String((await odd('id_token iss')).id_token)).iss).not.toBe(realm.provider.issuer);
  expect('refresh_token' in (await odd('no refresh_token'))).toBe(false);
  expect(await isUsedUp()).toBe(false);
});

test('after a rollover answers are signed by a key that was not published before; the old one still is', async () => {
  const ids = async () => {
    const { keys }: { keys: { kid: string }[] } = JSON.parse(
      await (await fetch(`${realm.provider.issuer}/jwks`)).text(),
    );
    return keys.map(({ kid }) => kid);
  };
  const before = await ids();
  const { body } = await met({ kind: 'rollover' });
  const { kid } = decodeProtectedHeader(String(body.id_token));
  expect(before).not.toContain(kid);
  expect(await ids()).toEqual([kid, ...before]);
});

test('queued faults are injected as often as asked, `use` chooses by request, and `clear` ends both', async () => {
  const { faults } = realm.provider;
  const statuses = async (count: number) => {
    const seen: number[] = [];
    for (let number = 0; number < count; number += 1) {
      const answer = await realm.refresh(token);
      token = answer.token || token;
      seen.push(answer.status);
    }
    return seen;
  };
  faults.next({ kind: 'status', when: 'before', status: 502 }, 2);
  faults.next({ kind: 'status', when: 'before', status: 504 });
  expect(await statuses(4)).toEqual([502, 502, 504, 200]);
  const { sid } = decodeJwt(token);
  faults.use((request) =>
    request.sid === sid && request.number % 2 === 0 ? { kind: 'status', when: 'before', status: 500 } : undefined,
  );
  expect((await statuses(4)).sort()).toEqual([200, 200, 500, 500]);
  faults.next({ kind: 'invalid_grant' });
  faults.clear();
  expect(await statuses(2)).toEqual([200, 200]);
  faults.use(({ grantType }) => (grantType === 'password' ? { kind: 'invalid_grant' } : undefined));
  expect(await realm.login()).toBe('');
});

test('the same seed gives the same faults, another seed others', async () => {
  const among = everyFault().filter(({ kind }) => kind === 'status' || kind === 'page' || kind === 'invalid_grant');
  const play = async (seed: number) => {
    await realm[Symbol.asyncDispose]();
    realm = await openTestRealm({ revokeRefreshToken: false });
    token = await realm.login();
    realm.provider.faults.seeded({ seed, share: 0.5, among });
    for (let number = 0; number < 40; number += 1) await realm.refresh(token);
    return realm.provider.log.requests().map(({ fault, status }) => `${fault} ${status}`);
  };
  const [one, same, other] = [await play(1), await play(1), await play(2)];
  expect(one).toEqual(same);
  expect(one).not.toEqual(other);
  const injected = one.filter((line) => !line.startsWith('undefined')).length;
  expect(injected).toBeGreaterThan(10);
  expect(injected).toBeLessThan(30);
});

test('every kind of fault is there, with slow ones on both sides of the time limit', () => {
  const all = everyFault(10_000);
  const kinds = new Set(all.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(
    ['cut', 'invalid_grant', 'odd', 'page', 'rollover', 'slow', 'status', 'truncated'].sort(),
  );
  expect(all.flatMap((fault) => (fault.kind === 'slow' ? [fault.ms] : []))).toEqual([9500, 10_500, 9500, 10_500]);
  expect(new Set(all.map((fault) => JSON.stringify(fault))).size).toBe(all.length);
});

test('a client that breaks off in the middle of a request is ignored, and the next one is answered', async () => {
  const said = vi.spyOn(console, 'error');
  const socket = connect(Number(new URL(realm.provider.issuer).port), '127.0.0.1');
  const head = ['POST /token HTTP/1.1', 'Host: provider', 'Content-Type: application/x-www-form-urlencoded'];
  socket.write([...head, 'Content-Length: 500', '', 'grant_type=refresh_token'].join('\r\n'), () => socket.destroy());
  await once(socket, 'close');
  expect((await realm.refresh(token)).status).toBe(200);
  expect(realm.provider.log.requests()).toHaveLength(2);
  expect(said).not.toHaveBeenCalled();
  said.mockRestore();
});

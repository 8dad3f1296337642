import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import type { ProviderOptions } from '../../../demo/provider/provider.ts';
import { openTestRealm, type TestRealm } from './realm.ts';

const day = 86_400;
let realm: TestRealm;
afterEach(() => realm[Symbol.asyncDispose]());

const open = async (options: ProviderOptions['options'] = {}) => {
  realm = await openTestRealm(options);
  return realm;
};
/** Uses a token and gives the one after it. */
const next = async (token: string) => {
  const answer = await realm.refresh(token);
  expect(answer.said).toBe('200');
  return answer.token;
};

const gone = '400 invalid_grant Offline user session not found';
const stale = '400 invalid_grant Stale token';
const reused = '400 invalid_grant Maximum allowed refresh token reuse exceeded';
const detached = "400 invalid_grant Session doesn't have required client";

test('an offline token is a JWT with Keycloak’s claims, without an expiry where no maximum is set', async () => {
  const { login, refresh, provider } = await open();
  const token = await login();
  const claims = decodeJwt(token);
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'HS512' });
  expect(claims).toMatchObject({ typ: 'Offline', iss: provider.issuer, aud: provider.issuer, sub: alice.subject });
  expect(claims).toMatchObject({ azp: 'direct', scope: 'openid offline_access', iat: Date.UTC(2030, 0, 1) / 1000 });
  expect([claims.jti, claims.sid, claims.reuse_id].every((claim) => typeof claim === 'string')).toBe(true);
  expect(claims.exp).toBeUndefined();
  const answer = await refresh(token);
  expect(answer.body).toMatchObject({ refresh_expires_in: 0, token_type: 'Bearer', session_state: claims.sid });
  expect(decodeJwt(answer.token)).toMatchObject({ sid: claims.sid, reuse_id: claims.reuse_id, scope: claims.scope });
  expect(decodeJwt(answer.token).jti).not.toBe(claims.jti);
});

test('Offline Session Idle ends a session that is not used, and use prolongs it', async () => {
  const { login, seconds, refresh } = await open();
  let token = await login();
  const left = await login();
  for (let week = 0; week < 10; week += 1) {
    await seconds(7 * day);
    token = await next(token);
  }
  expect((await refresh(left)).said).toBe(gone);
  await seconds(30 * day - 1);
  token = await next(token);
  await seconds(30 * day);
  expect((await refresh(token)).said).toBe(gone);
  expect((await refresh(token)).said).toBe(gone);
});

test('Offline Session Max ends a session however often it is used', async () => {
  const { login, seconds, refresh } = await open({ offlineMaxLimited: true, offlineMaxSeconds: 60 * day });
  let token = await login();
  const start = decodeJwt(token).iat ?? 0;
  expect(decodeJwt(token).exp).toBe(start + 30 * day);
  const said: unknown[] = [];
  for (const days of [20, 20, 15]) {
    await seconds(days * day);
    const answer = await refresh(token);
    said.push(answer.body.refresh_expires_in);
    token = answer.token;
  }
  expect(said).toEqual([30 * day, 20 * day, 5 * day]);
  expect(decodeJwt(token).exp).toBe(start + 60 * day);
  await seconds(5 * day + 1);
  expect((await refresh(token)).said).toBe('400 invalid_grant Token is not active');
});

test('a maximum that is set later ends sessions whose tokens have no expiry', async () => {
  const { login, seconds, refresh, provider } = await open();
  const token = await next(await login());
  await seconds(2 * day);
  provider.admin.setRealm({ offlineMaxLimited: true, offlineMaxSeconds: day });
  expect((await refresh(token)).said).toBe(gone);
});

test('a client with an idle and a maximum of its own is held to them, others of the realm are not', async () => {
  const { login, seconds, refresh, provider } = await open();
  provider.admin.setClient('direct', { offlineIdleSeconds: day });
  const token = await login();
  await seconds(day);
  expect((await refresh(token)).said).toBe('400 invalid_grant Client session not active');
  provider.admin.setRealm({ offlineMaxLimited: true });
  provider.admin.setClient('direct', { offlineIdleSeconds: 5 * day, offlineMaxSeconds: 7 * day });
  const limited = await login();
  await seconds(4 * day);
  const answer = await refresh(limited);
  expect(answer.body.refresh_expires_in).toBe(3 * day);
  await seconds(3 * day);
  expect((await refresh(answer.token)).said).toBe('400 invalid_grant Client session not active');
});

test('Revoke Refresh Token off: a token works any number of times, each time for a new one', async () => {
  const { login, refresh } = await open({ revokeRefreshToken: false });
  const token = await login();
  const answers = [await refresh(token), await refresh(token), await refresh(token)];
  expect(new Set(answers.map((answer) => answer.token)).size).toBe(3);
  expect(decodeJwt(token).reuse_id).toBeUndefined();
});

test('Revoke Refresh Token on: a used token is refused, and the newest ends with it', async () => {
  const { login, refresh } = await open();
  const first = await login();
  const second = await next(first);
  expect((await refresh(first)).said).toBe(reused);
  expect((await refresh(second)).said).toBe(detached);
});

test('an older token after a newer one was used is stale, and ends the newest too', async () => {
  const { login, refresh } = await open({ refreshTokenMaxReuse: 5 });
  const first = await login();
  const third = await next(await next(first));
  expect((await refresh(first)).said).toBe(stale);
  expect((await refresh(third)).said).toBe(detached);
});

test.each([1, 2])(
  'with a reuse of %i the token used last works that many times more, then everything ends',
  async (reuse) => {
    const { login, refresh } = await open({ refreshTokenMaxReuse: reuse });
    const first = await login();
    let newest = '';
    for (let use = 0; use <= reuse; use += 1) newest = await next(first);
    expect((await refresh(first)).said).toBe(reused);
    expect((await refresh(newest)).said).toBe(detached);
  },
);

test('of two answers to one token only the one issued last may be used', async () => {
  const { login, refresh } = await open({ refreshTokenMaxReuse: 1 });
  const first = await login();
  const [lost, kept] = [await next(first), await next(first)];
  const after = await next(kept);
  expect((await refresh(lost)).said).toBe(stale);
  expect((await refresh(after)).said).toBe(detached);

  const again = await login();
  const [early, late] = [await next(again), await next(again)];
  expect((await refresh(early)).said).toBe(stale);
  expect((await refresh(late)).said).toBe(detached);
});

test('of five uses at once one succeeds, and the session is ended afterwards', async () => {
  const { login, refresh } = await open();
  const token = await login();
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => refresh(token)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400]);
  const winner = answers.find(({ status }) => status === 200)?.token ?? '';
  expect((await refresh(winner)).said).toBe(detached);
});

test('logins are counted apart: a reuse in one session leaves another one alone', async () => {
  const { login, refresh } = await open();
  const [one, other] = [await login(), await login()];
  await next(one);
  await refresh(one);
  expect(decodeJwt(one).sid).not.toBe(decodeJwt(other).sid);
  await next(other);
});

test('switched on later, the count begins with the next use; switched off, it revives nothing', async () => {
  const { login, refresh, provider } = await open({ revokeRefreshToken: false });
  const token = await login();
  await next(token);
  provider.admin.setRealm({ revokeRefreshToken: true });
  const newest = await next(token);
  expect((await refresh(token)).said).toBe(reused);
  provider.admin.setRealm({ revokeRefreshToken: false });
  expect((await refresh(newest)).said).toBe(detached);
});

const troubles: [string, (realm: TestRealm) => unknown, string, (realm: TestRealm) => unknown][] = [
  [
    'the role is taken',
    ({ provider }) => provider.admin.setOfflineRole('alice', false),
    '400 invalid_grant Offline session invalid because offline access not granted anymore',
    ({ provider }) => provider.admin.setOfflineRole('alice', true),
  ],
  [
    'the client scope is taken',
    ({ provider }) => provider.admin.setOfflineScope('direct', false),
    '400 invalid_grant Offline session invalid because offline access not granted anymore',
    ({ provider }) => provider.admin.setOfflineScope('direct', true),
  ],
  [
    'the user is disabled',
    ({ provider }) => provider.admin.setUser('alice', { enabled: false }),
    '400 invalid_grant User disabled',
    ({ provider }) => provider.admin.setUser('alice', { enabled: true }),
  ],
  [
    'the client is disabled',
    ({ provider }) => provider.admin.setClient('direct', { enabled: false }),
    '401 invalid_client Invalid client or Invalid client credentials',
    ({ provider }) => provider.admin.setClient('direct', { enabled: true }),
  ],
  [
    'the secret is another one',
    ({ provider }) => provider.admin.setClientSecret('direct', 'rolled'),
    '401 unauthorized_client Invalid client or Invalid client credentials',
    ({ provider, client }) => provider.admin.setClientSecret('direct', client.secret ?? ''),
  ],
  [
    'the realm is disabled',
    ({ provider }) => provider.admin.setRealm({ enabled: false }),
    '403 access_denied Realm not enabled',
    ({ provider }) => provider.admin.setRealm({ enabled: true }),
  ],
  [
    'a not-before policy of the realm is in force',
    ({ provider }) => provider.admin.setRealm({ notBefore: provider.admin.now() }),
    stale,
    ({ provider }) => provider.admin.setRealm({ notBefore: 0 }),
  ],
  [
    'a not-before policy of the client is in force',
    ({ provider }) => provider.admin.setClient('direct', { notBefore: provider.admin.now() }),
    stale,
    ({ provider }) => provider.admin.setClient('direct', { notBefore: 0 }),
  ],
  [
    'an administrator signed the user out',
    ({ provider }) => provider.admin.signOut('alice'),
    stale,
    ({ provider }) => provider.admin.setUser('alice', { notBefore: 0 }),
  ],
  [
    'an administrator signed everybody out',
    ({ provider }) => provider.admin.signOutAll(),
    stale,
    ({ provider }) => provider.admin.setRealm({ notBefore: 0 }),
  ],
];

test.each(troubles)(
  'while %s a refusal does not use the token up, and mended it works',
  async (_name, make, said, mend) => {
    const { login, refresh, provider } = await open();
    const token = await next(await login());
    await make(realm);
    expect((await refresh(token)).said).toBe(said);
    expect((await refresh(token)).said).toBe(said);
    expect(provider.admin.offlineSessions({ username: 'alice' })).toHaveLength(1);
    await mend(realm);
    await next(await next(token));
  },
);

test('after a sign-out by an administrator a new login works at once', async () => {
  const { login, refresh, provider } = await open();
  const token = await login();
  await provider.admin.signOut('alice');
  await next(await login());
  expect((await refresh(token)).said).toBe(stale);
});

test('Keycloak 26.4 answers not_allowed for a role that was taken, and uses the token up; the scope it does not ask', async () => {
  const { login, refresh, provider } = await open({ behavesAs: '26.4' });
  const token = await login();
  provider.admin.setOfflineScope('direct', false);
  const newest = await next(token);
  provider.admin.setOfflineRole('alice', false);
  expect((await refresh(newest)).said).toBe('400 not_allowed Offline tokens not allowed for the user or client');
  provider.admin.setOfflineRole('alice', true);
  expect((await refresh(newest)).said).toBe(reused);
});

test.each<[string, (realm: TestRealm) => unknown, string]>([
  ['the consent is taken back', ({ provider }) => provider.admin.removeConsent('alice', 'direct'), gone],
  ['the account is deleted', ({ provider }) => provider.admin.deleteUser('alice'), gone],
  ['all keys are replaced', ({ provider }) => provider.admin.replaceKeys(), '400 invalid_grant Invalid refresh token'],
  [
    'the client is deleted',
    ({ provider }) => provider.admin.deleteClient('direct'),
    '401 invalid_client Invalid client or Invalid client credentials',
  ],
])('when %s the token is dead for good', async (_name, end, said) => {
  const { login, refresh } = await open();
  const token = await login();
  await end(realm);
  expect((await refresh(token)).said).toBe(said);
  expect((await refresh(token)).said).toBe(said);
});

test('an administrator ends one session of a user, and the other goes on', async () => {
  const { login, refresh, provider } = await open();
  const [one, other] = [await login(), await login()];
  const sid = String(decodeJwt(one).sid);
  expect(await provider.admin.endOfflineSession(sid, 'direct')).toBe(true);
  expect(await provider.admin.endOfflineSession(sid, 'direct')).toBe(false);
  expect((await refresh(one)).said).toBe(gone);
  await next(other);
  expect(provider.admin.offlineSessions({ clientId: 'direct' }).map((session) => session.sid)).toEqual([
    decodeJwt(other).sid,
  ]);
});

test('a token of another client, an access token, no token and a token twice are refused in words', async () => {
  const { login, ask, refresh, provider, client } = await open();
  const token = await login();
  provider.admin.register({ ...client, id: 'other' });
  const other = { client_id: 'other', grant_type: 'refresh_token', refresh_token: token };
  expect((await ask(other)).said).toBe(
    "400 invalid_grant Invalid refresh token. Token client and authorized client don't match",
  );
  const { body } = await refresh(token);
  expect((await refresh(String(body.access_token))).said).toBe('400 invalid_grant Invalid refresh token');
  expect((await ask({ grant_type: 'refresh_token' })).said).toBe('400 invalid_request No refresh token');
  const twice = new URLSearchParams({ client_id: 'direct', grant_type: 'refresh_token', refresh_token: token });
  twice.append('refresh_token', token);
  const response = await fetch(`${provider.issuer}/token`, { method: 'POST', body: twice });
  expect(await response.json()).toMatchObject({ error: 'invalid_request', error_description: 'duplicated parameter' });
});

test('a narrower scope changes nothing, an unknown one is refused before the token is looked at', async () => {
  const { login, ask } = await open();
  const token = await login();
  const refresh = { grant_type: 'refresh_token', refresh_token: token };
  expect((await ask({ ...refresh, scope: 'openid nonsense' })).said).toBe(
    '400 invalid_scope Invalid scopes: openid nonsense',
  );
  const { body } = await ask({ ...refresh, scope: 'openid' });
  expect(body.scope).toBe('openid offline_access');
  expect(decodeJwt(String(body.refresh_token))).toMatchObject({ typ: 'Offline', scope: 'openid offline_access' });
});

import { createPublicKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { cloudAudience } from '../../../demo/cloud/access.ts';
import { alice, bob, carol, type Person, people } from '../../../demo/people.ts';
import { type DemoProvider, startProvider } from '../../../demo/provider/provider.ts';
import { type RelyingParty, startRelyingParty } from '../../support/servers/relying-party.ts';

const offline = 'openid profile email offline_access';
let party: RelyingParty;
let provider: DemoProvider;
let config: oidc.Configuration;
let browser: Browser;

beforeAll(async () => {
  party = await startRelyingParty();
  provider = await startProvider({ clients: [party.client], people });
  config = await party.discover(provider.issuer);
});
afterAll(async () => {
  await provider.stop();
  await party[Symbol.asyncDispose]();
});

const freshBrowser = async () => {
  await browser?.[Symbol.asyncDispose]();
  browser = openBrowser();
};

async function consent(person: Person, scope = offline) {
  await freshBrowser();
  const attempt = await party.begin(config, scope, scope === offline ? { prompt: 'consent' } : {});
  const page = await signIn(browser, await browser.open(attempt.url), person);
  return { page, attempt };
}

async function offlineToken(person: Person): Promise<string> {
  const { page, attempt } = await consent(person);
  const tokens = await attempt.finish(page.url);
  return tokens.refresh_token ?? '';
}

/** Status and error code; openid-client tells of a 401 to HTTP Basic in another shape than of a 400. */
const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no refusal',
    (error: unknown) => {
      if (error instanceof oidc.ResponseBodyError) return { status: error.status, error: error.error };
      if (!(error instanceof oidc.WWWAuthenticateChallengeError)) throw error;
      return { status: error.status, error: error.cause[0]?.parameters.error };
    },
  );

test('a person signs in, reads in plain words what is asked, consents, and the code gets an offline token', async () => {
  await freshBrowser();
  const attempt = await party.begin(config, offline, { prompt: 'consent' });
  const login = await browser.open(attempt.url);
  expect(login.text).toContain('The Relying Party</b> asks who you are');
  const question = await browser.submit(login, { button: 'Sign in' }, { username: 'alice', password: 'alice' });
  expect(question.text).toContain('Access while you are away');
  const back = await browser.submit(question, { button: 'Yes, allow' });
  expect(new URL(back.url).searchParams.get('iss')).toBe(provider.issuer);

  const tokens = await attempt.finish(back.url);
  expect(tokens.scope?.split(' ').sort()).toEqual(offline.split(' ').sort());
  expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 300, refresh_expires_in: 0 });
  expect(tokens.claims()).toMatchObject({
    sub: alice.subject,
    preferred_username: 'alice',
    email: 'alice@demo.example',
    zoneinfo: 'Europe/London',
  });
  expect(typeof tokens.claims()?.sid).toBe('string');
  expect(provider.log.issued().map(({ token }) => token)).toContain(tokens.refresh_token);
});

test('the access token is a JWT that the published PEM verifies and that names the person', async () => {
  const { page, attempt } = await consent(bob);
  const { access_token } = await attempt.finish(page.url);
  const key = createPublicKey(provider.signingKey.publicPem);
  const { payload } = await jwtVerify(access_token, key, { issuer: provider.issuer, audience: cloudAudience });
  expect(payload).toMatchObject({ preferred_username: 'bob', sub: bob.subject, azp: 'rp' });
  expect(decodeProtectedHeader(access_token)).toMatchObject({ alg: 'RS256', kid: provider.signingKey.id });
  expect(await oidc.fetchUserInfo(config, access_token, bob.subject)).toMatchObject({ preferred_username: 'bob' });
});

test('an operator has the role in the ID token; a plain sign-in has no refresh token', async () => {
  const { page, attempt } = await consent(carol, 'openid profile');
  const tokens = await attempt.finish(page.url);
  expect(tokens.claims()?.roles).toEqual(['nightkeep-operator']);
  expect(tokens.refresh_token).toBeUndefined();
});

test('signed in once, the person is only asked for consent, not for the password again', async () => {
  const { page, attempt } = await consent(alice, 'openid');
  await attempt.finish(page.url);
  const second = await party.begin(config, offline, { prompt: 'consent' });
  const question = await browser.open(second.url);
  expect(question.text).toContain('Allow The Relying Party?');
  const back = await browser.submit(question, { button: 'allow' });
  expect((await second.finish(back.url)).refresh_token).toBeTruthy();
});

test('a wrong password asks again, and a declined consent goes back with access_denied', async () => {
  await freshBrowser();
  const attempt = await party.begin(config, offline, { prompt: 'consent' });
  const login = await browser.open(attempt.url);
  const again = await browser.submit(login, { button: 'Sign in' }, { username: 'alice', password: 'wrong' });
  expect(again.status).toBe(400);
  expect(again.text).toContain('Wrong user name or password');
  const question = await browser.submit(again, { button: 'Sign in' }, { username: 'alice', password: 'alice' });
  const back = await browser.submit(question, { button: 'No' });
  expect(new URL(back.url).searchParams.get('error')).toBe('access_denied');
});

test('each refresh rotates the offline token and prolongs the session; an old token ends the session', async () => {
  const first = await offlineToken(alice);
  const second = await oidc.refreshTokenGrant(config, first);
  expect(second).toMatchObject({ refresh_expires_in: 0 });
  expect(second.refresh_token).not.toBe(first);
  expect(second.scope).toContain('offline_access');
  const third = await oidc.refreshTokenGrant(config, second.refresh_token ?? '');
  expect(await refusal(oidc.refreshTokenGrant(config, first))).toEqual({ status: 400, error: 'invalid_grant' });
  expect(await refusal(oidc.refreshTokenGrant(config, third.refresh_token ?? ''))).toMatchObject({
    error: 'invalid_grant',
  });
});

test('of five refreshes at once one succeeds, and the session is ended afterwards', async () => {
  const token = await offlineToken(alice);
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => oidc.refreshTokenGrant(config, token)));
  const won = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.refresh_token ?? ''] : []));
  expect(won).toHaveLength(1);
  expect(await refusal(oidc.refreshTokenGrant(config, won[0] ?? ''))).toMatchObject({ error: 'invalid_grant' });
});

test('without the role a code gets not_allowed; a refresh is refused and works again when the role is back', async () => {
  const token = await offlineToken(bob);
  provider.admin.setOfflineRole('bob', false);
  const { page, attempt } = await consent(bob);
  expect(await refusal(attempt.finish(page.url))).toEqual({ status: 400, error: 'not_allowed' });
  expect(await refusal(oidc.refreshTokenGrant(config, token))).toEqual({ status: 400, error: 'invalid_grant' });
  provider.admin.setOfflineRole('bob', true);
  expect((await oidc.refreshTokenGrant(config, token)).refresh_token).toBeTruthy();
});

test('without the client scope a pushed request is invalid, as on Keycloak', async () => {
  provider.admin.setOfflineScope('rp', false);
  const refused = await refusal(party.begin(config, offline, { prompt: 'consent' }));
  provider.admin.setOfflineScope('rp', true);
  expect(refused).toEqual({ status: 400, error: 'invalid_request' });
  expect(await offlineToken(alice)).toBeTruthy();
});

test('a changed client secret is refused as the client, and spends no token', async () => {
  const token = await offlineToken(alice);
  provider.admin.setClientSecret('rp', 'another one');
  expect(await refusal(oidc.refreshTokenGrant(config, token))).toEqual({ status: 401, error: 'unauthorized_client' });
  provider.admin.setClientSecret('rp', party.client.secret ?? '');
  expect((await oidc.refreshTokenGrant(config, token)).refresh_token).toBeTruthy();
});

test('connections are refused while the provider is down; up again, the same token works', async () => {
  const token = await offlineToken(alice);
  await provider.down();
  await expect(oidc.refreshTokenGrant(config, token)).rejects.toThrow();
  await provider.up();
  expect((await oidc.refreshTokenGrant(config, token)).refresh_token).toBeTruthy();
});

test('a token that the client revoked is refused, and introspection says so', async () => {
  const token = await offlineToken(alice);
  expect(await oidc.tokenIntrospection(config, token)).toMatchObject({ active: true });
  await oidc.tokenRevocation(config, token);
  expect(await oidc.tokenIntrospection(config, token)).toMatchObject({ active: false });
  expect(await refusal(oidc.refreshTokenGrant(config, token))).toMatchObject({ error: 'invalid_grant' });
});

test('on the account page a person sees what they granted and takes it back', async () => {
  const token = await offlineToken(bob);
  const account = await browser.open(`${provider.issuer}/account`);
  expect(account.text).toContain('The Relying Party');
  expect(account.text).toContain('Access while you are away');
  await oidc.refreshTokenGrant(config, token);
  let page = account;
  while (page.forms.some(({ action }) => action === '/account/remove')) {
    page = await browser.submit(page, { action: '/account/remove' });
  }
  expect(page.text).toContain('None.');
  expect(provider.admin.consentsOf('bob')).toEqual([]);

  await freshBrowser();
  const login = await browser.open(`${provider.issuer}/account`);
  expect((await signIn(browser, login, bob)).text).toContain('Bob Marlow&#39;s account');
});

test('revoking all grants of a person ends their tokens and nobody else’s', async () => {
  const [hers, his] = [await offlineToken(alice), await offlineToken(bob)];
  expect(provider.admin.revokeConsents('alice')).toBeGreaterThan(0);
  expect(await refusal(oidc.refreshTokenGrant(config, hers))).toMatchObject({ error: 'invalid_grant' });
  expect((await oidc.refreshTokenGrant(config, his)).refresh_token).toBeTruthy();
});

test('signing out at the provider sends a logout token and leaves the offline token alone', async () => {
  const { page, attempt } = await consent(alice);
  const tokens = await attempt.finish(page.url);
  const url = oidc.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: party.client.postLogoutRedirectUris?.[0] ?? '',
  });
  const back = await browser.submit(await browser.open(url.href), { button: 'Sign out' });
  expect(back.url).toBe(party.client.postLogoutRedirectUris?.[0]);
  const logout = decodeJwt(party.logoutTokens.at(-1) ?? '');
  expect(logout).toMatchObject({ iss: provider.issuer, aud: 'rp', sid: tokens.claims()?.sid });
  expect((await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')).refresh_token).toBeTruthy();
});

test('a device gets an offline token after a person typed its code', async () => {
  const device = await oidc.initiateDeviceAuthorization(config, { scope: offline });
  await freshBrowser();
  let page = await browser.open(device.verification_uri);
  page = await browser.submit(page, { button: 'Go on' }, { user_code: device.user_code });
  page = await browser.submit(page, { button: 'Yes, it is' });
  page = await signIn(browser, page, alice);
  expect(page.text).toContain('You can go back to your device');
  const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 });
  expect(tokens.scope).toContain('offline_access');
  expect(tokens.refresh_token).toBeTruthy();
});

test('clients may sign their authentication, or post their secret', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const signing = { ...party.client, id: 'signing', authentication: 'private_key_jwt' as const };
  const { secret: _secret, ...unsecret } = signing;
  provider.admin.register({ ...unsecret, publicKeys: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] } });
  provider.admin.register({ ...party.client, id: 'posting', authentication: 'client_secret_post' });
  for (const [id, authentication] of [
    ['signing', oidc.PrivateKeyJwt(privateKey)],
    ['posting', oidc.ClientSecretPost(party.client.secret)],
  ] as const) {
    const other = await oidc.discovery(new URL(provider.issuer), id, party.client.secret, authentication, {
      execute: [oidc.allowInsecureRequests],
    });
    await freshBrowser();
    const attempt = await party.begin(other, offline, { prompt: 'consent' });
    const back = await signIn(browser, await browser.open(attempt.url), alice);
    const tokens = await attempt.finish(back.url);
    expect((await oidc.refreshTokenGrant(other, tokens.refresh_token ?? '')).refresh_token).toBeTruthy();
  }
});

test('an offline token that was not used for thirty days is refused, one used every week works', async () => {
  let days = 0;
  const start = new Date('2030-01-01T00:00:00Z').getTime();
  const clock = {
    now: () => new Date(start + days * 86_400_000),
    elapsed: () => 0,
    sleep: async () => {},
    every: () => ({ [Symbol.dispose]() {} }),
  };
  const aging = await startProvider({ clients: [party.client], people, clock });
  const there = await party.discover(aging.issuer);
  await freshBrowser();
  const attempt = await party.begin(there, offline, { prompt: 'consent' });
  const back = await signIn(browser, await browser.open(attempt.url), alice);
  let token = (await attempt.finish(back.url)).refresh_token ?? '';
  for (; days < 42; days += 7) token = (await oidc.refreshTokenGrant(there, token)).refresh_token ?? '';
  days += 31;
  expect(await refusal(oidc.refreshTokenGrant(there, token))).toEqual({ status: 400, error: 'invalid_grant' });
  await aging.stop();
});

test('with rotation off the same offline token works any number of times', async () => {
  const lenient = await startProvider({ clients: [party.client], people, options: { revokeRefreshToken: false } });
  const there = await party.discover(lenient.issuer);
  await freshBrowser();
  const attempt = await party.begin(there, offline, { prompt: 'consent' });
  const back = await signIn(browser, await browser.open(attempt.url), alice);
  const token = (await attempt.finish(back.url)).refresh_token ?? '';
  for (let use = 0; use < 3; use += 1) expect((await oidc.refreshTokenGrant(there, token)).refresh_token).toBeTruthy();
  await lenient.stop();
});

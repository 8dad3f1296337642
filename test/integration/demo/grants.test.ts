import { randomUUID } from 'node:crypto';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { afterEach, expect, test } from 'vitest';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { alice, people } from '../../../demo/people.ts';
import { type DemoProvider, startProvider } from '../../../demo/provider/provider.ts';
import { type DemoClient, deviceGrant } from '../../../demo/provider/realm/client.ts';
import { type RelyingParty, startRelyingParty } from '../../support/servers/relying-party.ts';
import { openTestRealm, readAnswer } from './realm.ts';

const offline = 'openid offline_access';
let opened: AsyncDisposableStack;
afterEach(() => opened.disposeAsync());

const openRealm = async (...options: Parameters<typeof openTestRealm>) => {
  opened = new AsyncDisposableStack();
  return opened.use(await openTestRealm(...options));
};

interface Meeting {
  party: RelyingParty;
  provider: DemoProvider;
  config: oidc.Configuration;
}

/** A client as described, and the provider that it asks. */
async function meet(client: Partial<DemoClient> = {}, authentication?: oidc.ClientAuth): Promise<Meeting> {
  opened = new AsyncDisposableStack();
  const party = opened.use(await startRelyingParty(client));
  const provider = opened.adopt(await startProvider({ clients: [party.client], people }), (one) => one.stop());
  return { party, provider, config: await party.discover(provider.issuer, authentication) };
}

/** Alice signs in, says yes where she is asked, and ends at an address. */
async function visit(url: string) {
  await using browser = openBrowser();
  return await signIn(browser, await browser.open(url), alice);
}

const post = async (url: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
  readAnswer(await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers }));

const now = () => Math.floor(Date.now() / 1000);

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'no refusal',
    (error: unknown) =>
      error instanceof oidc.ResponseBodyError ? `${error.status} ${error.error} ${error.error_description}` : error,
  );

test('a user name and a password get an offline token, if client and user may', async () => {
  const { ask, provider } = await openRealm();
  const form = { grant_type: 'password', username: 'alice', password: 'alice', scope: offline };
  const { body, token } = await ask(form);
  expect(body).toMatchObject({ refresh_expires_in: 0, token_type: 'Bearer', expires_in: 300, scope: offline });
  expect(decodeJwt(token)).toMatchObject({ typ: 'Offline', sub: alice.subject });
  expect(decodeJwt(String(body.id_token))).toMatchObject({
    sub: alice.subject,
    aud: 'direct',
    sid: body.session_state,
  });
  expect((await ask({ ...form, scope: 'openid' })).token).toBe('');

  const said = async (change: () => void, undo: () => void) => {
    change();
    const answer = await ask(form);
    undo();
    return answer.said;
  };
  const { admin } = provider;
  expect((await ask({ ...form, password: 'wrong' })).said).toBe('401 invalid_grant Invalid user credentials');
  const client = (changes: object) => () => admin.setClient('direct', changes);
  expect(await said(client({ directAccess: false }), client({ directAccess: true }))).toBe(
    '400 unauthorized_client Client not allowed for direct access grants',
  );
  expect(await said(client({ consentRequired: true }), client({ consentRequired: false }))).toBe(
    '400 invalid_client Client requires user consent',
  );
  expect(await said(client({ offlineScope: false }), client({ offlineScope: true }))).toBe(
    '400 invalid_scope Invalid scopes: openid offline_access',
  );
  const user = (changes: object) => () => admin.setUser('alice', changes);
  expect(await said(user({ offlineRole: false }), user({ offlineRole: true }))).toBe(
    '400 not_allowed Offline tokens not allowed for the user or client',
  );
  expect(await said(user({ enabled: false }), user({ enabled: true }))).toBe('400 invalid_grant Account disabled');
});

test('a client with a service account asks for itself, others may not', async () => {
  const { ask, provider, refresh } = await openRealm();
  const form = { grant_type: 'client_credentials', scope: offline };
  expect((await ask(form)).said).toBe('401 unauthorized_client Client not enabled to retrieve service account');
  provider.admin.setClient('direct', { serviceAccount: true });
  const { body, token } = await ask(form);
  expect(decodeJwt(token)).toMatchObject({ typ: 'Offline', azp: 'direct' });
  expect(decodeJwt(String(body.access_token)).preferred_username).toBe('service-account-direct');
  expect((await refresh(token)).status).toBe(200);
  provider.admin.setOfflineRole('service-account-direct', false);
  expect((await ask(form)).said).toMatch(/^400 not_allowed/);
});

test('an unknown grant type, an unknown client and no client are refused as Keycloak does', async () => {
  const { ask } = await openRealm();
  expect((await ask({ grant_type: 'wish' })).said).toMatch(/^400 unsupported_grant_type/);
  expect((await ask({ client_id: 'nobody', grant_type: 'password' })).said).toMatch(/^401 invalid_client/);
  expect((await ask({ client_id: '', grant_type: 'password' })).said).toBe(
    '400 invalid_client Missing client_id parameter',
  );
});

test('a code is accepted once, for its client, redirect URI and verifier; used again it ends the session', async () => {
  const { party, provider, config } = await meet();
  const begin = () => party.begin(config, offline, { prompt: 'consent' });
  const credentials = { authorization: `Basic ${btoa(`rp:${encodeURIComponent(party.client.secret ?? '')}`)}` };
  const exchange = (code: string, form: Record<string, string>) =>
    post(`${provider.issuer}/token`, { grant_type: 'authorization_code', code, ...form }, credentials);
  const codeOf = async (url: string) => new URL((await visit(url)).url).searchParams.get('code') ?? '';
  const redirect_uri = party.client.redirectUris[0] ?? '';

  expect((await exchange('nonsense', {})).said).toBe('400 invalid_grant Code not valid');
  const elsewhere = await exchange(await codeOf((await begin()).url), { redirect_uri: 'http://127.0.0.1/other' });
  expect(elsewhere.said).toBe('400 invalid_grant Incorrect redirect_uri');
  const unverified = await exchange(await codeOf((await begin()).url), { redirect_uri, code_verifier: 'guess' });
  expect(unverified.said).toMatch(/^400 invalid_grant PKCE verification failed/);

  const attempt = await begin();
  const callback = (await visit(attempt.url)).url;
  const tokens = await attempt.finish(callback);
  expect(await refusal(attempt.finish(callback))).toBe('400 invalid_grant Code not valid');
  expect(await refusal(oidc.refreshTokenGrant(config, tokens.refresh_token ?? ''))).toMatch(/^400 invalid_grant/);
});

test('two logins of one browser session share a sid, another browser has another', async () => {
  const { party, config, provider } = await meet();
  const sids: unknown[] = [];
  const login = async (browser: ReturnType<typeof openBrowser>) => {
    const attempt = await party.begin(config, offline, { prompt: 'consent' });
    const back = await signIn(browser, await browser.open(attempt.url), alice);
    const tokens = await attempt.finish(back.url);
    expect(tokens.claims()?.sid).toBe(decodeJwt(tokens.refresh_token ?? '').sid);
    sids.push(tokens.claims()?.sid);
  };
  await using one = openBrowser();
  await using other = openBrowser();
  await login(one);
  await login(one);
  await login(other);
  expect(sids[0]).toBe(sids[1]);
  expect(sids[2]).not.toBe(sids[0]);
  expect(provider.admin.offlineSessions({ username: 'alice' })).toHaveLength(2);
});

test('prompt=none succeeds for a person who is signed in and agreed, and answers login_required for others', async () => {
  const { party, config } = await meet({ consentRequired: true });
  await using browser = openBrowser();
  const ask = async () => {
    const attempt = await party.begin(config, 'openid', { prompt: 'none' });
    return new URL((await browser.open(attempt.url)).url).searchParams;
  };
  expect((await ask()).get('error')).toBe('login_required');
  const attempt = await party.begin(config, 'openid');
  await signIn(browser, await browser.open(attempt.url), alice);
  expect((await ask()).get('code')).toBeTruthy();
});

test('a consent that no longer covers a scope refuses the refresh, spends nothing, and is mended by consenting again', async () => {
  const { party, config, provider } = await meet();
  const login = async () => {
    const attempt = await party.begin(config, offline, { prompt: 'consent' });
    return (await attempt.finish((await visit(attempt.url)).url)).refresh_token ?? '';
  };
  const token = await login();
  provider.admin.narrowConsent('alice', 'rp', 'openid');
  const refused = '400 invalid_scope Client no longer has requested consent from user';
  expect(await refusal(oidc.refreshTokenGrant(config, token))).toBe(refused);
  expect(await refusal(oidc.refreshTokenGrant(config, token))).toBe(refused);
  await login();
  expect(await refusal(oidc.refreshTokenGrant(config, token))).toBe('no refusal');
});

test('a device waits, is denied, and its code expires by the clock', async () => {
  const { ask, provider, seconds, client } = await openRealm();
  provider.admin.setClient('direct', { consentRequired: true });
  const start = async () => {
    const { body } = await post(`${provider.issuer}/device/auth`, {
      client_id: client.id,
      client_secret: client.secret ?? '',
      scope: offline,
    });
    expect(body).toMatchObject({ interval: 5 });
    const poll = async () => (await ask({ grant_type: deviceGrant, device_code: String(body.device_code) })).said;
    return { userCode: String(body.user_code), poll };
  };
  const waiting = await start();
  expect(await waiting.poll()).toBe('400 authorization_pending The authorization request is still pending');
  await using browser = openBrowser();
  const asked = await browser.open(`${provider.issuer}/device`);
  const code = await browser.submit(asked, { button: 'Go on' }, { user_code: waiting.userCode });
  await browser.submit(code, { button: 'No' });
  expect(await waiting.poll()).toBe('400 access_denied The end user denied the authorization request');
  const forgotten = await start();
  await seconds(601);
  expect(await forgotten.poll()).toBe('400 expired_token Device code is expired');
  expect((await ask({ grant_type: deviceGrant, device_code: 'nonsense' })).said).toBe(
    '400 invalid_grant Device code not valid',
  );
});

test('asked through the browser, a scope that the client may not have comes back as invalid_scope', async () => {
  const { party, config, provider } = await meet();
  provider.admin.setOfflineScope('rp', false);
  const code_challenge = await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier());
  const redirect_uri = party.client.redirectUris[0] ?? '';
  const parameters = { redirect_uri, scope: offline, prompt: 'consent', code_challenge, code_challenge_method: 'S256' };
  await using browser = openBrowser();
  const back = await browser.open(oidc.buildAuthorizationUrl(config, parameters).href);
  expect(new URL(back.url).searchParams.get('error')).toBe('invalid_scope');
});

test('a client without consent required asks nobody, also when it prompts for consent', async () => {
  const { party, config } = await meet({ consentRequired: false });
  await using browser = openBrowser();
  const attempt = await party.begin(config, offline, { prompt: 'consent' });
  const login = await browser.open(attempt.url);
  const back = await browser.submit(login, { button: 'Sign in' }, { username: 'alice', password: 'alice' });
  expect((await attempt.finish(back.url)).refresh_token).toBeTruthy();
});

test('a disabled account is not let in, and its session in the browser ends', async () => {
  const { party, config, provider } = await meet();
  await using browser = openBrowser();
  await signIn(browser, await browser.open((await party.begin(config, 'openid')).url), alice);
  provider.admin.setUser('alice', { enabled: false });
  const login = await browser.open((await party.begin(config, 'openid')).url);
  const refused = await browser.submit(login, { button: 'Sign in' }, { username: 'alice', password: 'alice' });
  expect(refused.text).toContain('This account is disabled');
  provider.admin.setRealm({ enabled: false });
  const closed = await browser.open(`${provider.issuer}/account`);
  expect([closed.status, closed.text.includes('Realm not enabled')]).toEqual([403, true]);
});

test('a client whose requests must be pushed cannot ask through the browser', async () => {
  const { party, config } = await meet({ pushedRequestsRequired: true });
  await using browser = openBrowser();
  const parameters = {
    redirect_uri: party.client.redirectUris[0] ?? '',
    scope: 'openid',
    code_challenge_method: 'S256',
  };
  const code_challenge = await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier());
  const plain = oidc.buildAuthorizationUrl(config, { ...parameters, code_challenge });
  expect(new URL((await browser.open(plain.href)).url).searchParams.get('error')).toBe('invalid_request');
  const attempt = await party.begin(config, offline, { prompt: 'consent' });
  expect((await attempt.finish((await visit(attempt.url)).url)).refresh_token).toBeTruthy();
});

test('a faulty pushed request is refused as RFC 9126 says, or as Keycloak does', async () => {
  const { party, config, provider } = await meet();
  const push = () => refusal(party.begin(config, offline, { prompt: 'consent' }));
  const { admin } = provider;
  admin.setClientSecret('rp', 'rolled');
  admin.setRealm({ pushedFaultsAs: 'rfc9126' });
  expect(await push()).toBe('401 unauthorized_client Invalid client or Invalid client credentials');
  admin.setRealm({ pushedFaultsAs: 'keycloak' });
  expect(await push()).toBe('401 invalid_request Authentication failed.');
  admin.setClientSecret('rp', party.client.secret ?? '');
  admin.setOfflineScope('rp', false);
  expect(await push()).toMatch(/^400 invalid_request/);
  admin.setRealm({ pushedFaultsAs: 'rfc9126' });
  expect(await push()).toMatch(/^400 invalid_scope/);
  admin.setClient('rp', { enabled: false });
  expect(await push()).toMatch(/^401 invalid_client/);
});

test('a public client’s tokens are bound to its key, and only that key can use them', async () => {
  const { party, provider, config } = await meet({ authentication: 'none', dpopRequired: true }, oidc.None());
  const keys = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const stranger = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const login = async (DPoP?: oidc.DPoPHandle) => {
    const attempt = await party.begin(config, offline, { prompt: 'consent' });
    return attempt.finish((await visit(attempt.url)).url, DPoP && { DPoP });
  };
  expect(await refusal(login())).toBe('400 invalid_request DPoP proof is missing');
  const tokens = await login(keys);
  const cnf = decodeJwt(tokens.access_token).cnf;
  expect(tokens.token_type).toBe('dpop');
  expect(decodeJwt(tokens.refresh_token ?? '').cnf).toEqual(cnf);
  expect(await oidc.fetchUserInfo(config, tokens.access_token, alice.subject, { DPoP: keys })).toMatchObject({
    sub: alice.subject,
  });
  await expect(oidc.fetchUserInfo(config, tokens.access_token, alice.subject)).rejects.toThrow();

  const refresh = (DPoP?: oidc.DPoPHandle) =>
    oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, DPoP && { DPoP });
  provider.admin.setClient('rp', { dpopRequired: false });
  expect(await refusal(refresh())).toBe('400 invalid_grant DPoP proof is missing');
  expect(await refusal(refresh(stranger))).toMatch(/^400 invalid_grant DPoP proof and token binding/);
  const next = await refresh(keys);
  expect(decodeJwt(next.refresh_token ?? '').cnf).toEqual(cnf);
});

test('a confidential client’s offline token is not bound; a nonce is asked for where the realm wants one', async () => {
  const { party, provider, config } = await meet();
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const attempt = await party.begin(config, offline, { prompt: 'consent' });
  const tokens = await attempt.finish((await visit(attempt.url)).url, { DPoP });
  expect(decodeJwt(tokens.access_token).cnf).toBeDefined();
  expect(decodeJwt(tokens.refresh_token ?? '').cnf).toBeUndefined();
  provider.admin.setRealm({ dpopNonce: true });
  const requests = provider.log.requests().length;
  await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP });
  expect(
    provider.log
      .requests()
      .slice(requests)
      .map(({ error }) => error),
  ).toEqual(['use_dpop_nonce', undefined]);
});

test('a proof is accepted once, for its address and method, while it is fresh', async () => {
  const { ask, provider } = await openRealm();
  const form = { grant_type: 'password', username: 'alice', password: 'alice', scope: offline };
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const prove = (claims: { htm?: string; iat?: number }) =>
    new SignJWT({ jti: randomUUID(), htm: 'POST', htu: `${provider.issuer}/token`, iat: now(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey);
  const [proof, elsewhere, stale] = [await prove({}), await prove({ htm: 'GET' }), await prove({ iat: now() - 60 })];
  expect((await ask(form, { dpop: proof })).status).toBe(200);
  expect((await ask(form, { dpop: proof })).said).toBe('400 invalid_request DPoP proof has already been used');
  expect((await ask(form, { dpop: elsewhere })).said).toBe('400 invalid_request DPoP HTTP method or URL mismatch');
  expect((await ask(form, { dpop: stale })).said).toMatch(/^400 invalid_request DPoP verification failure/);
  expect((await ask(form, { dpop: 'nonsense' })).said).toMatch(/^400 invalid_request/);
});

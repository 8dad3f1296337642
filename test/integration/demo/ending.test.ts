import { createPublicKey } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Browser, openBrowser, type Page, signIn } from '../../../demo/browser/browser.ts';
import { administrator, alice, people } from '../../../demo/people.ts';
import { type DemoProvider, startProvider } from '../../../demo/provider/provider.ts';
import { type RelyingParty, startRelyingParty } from '../../support/servers/relying-party.ts';
import { readAnswer } from './realm.ts';

let party: RelyingParty;
let provider: DemoProvider;
let config: oidc.Configuration;
let browser: Browser;
let opened: AsyncDisposableStack;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  party = opened.use(await startRelyingParty());
  provider = opened.adopt(await startProvider({ clients: [party.client], people }), (one) => one.stop());
  config = await party.discover(provider.issuer);
  browser = opened.use(openBrowser());
});
afterEach(() => opened.disposeAsync());

/** Alice consents in the browser that stays open. */
async function consent() {
  const attempt = await party.begin(config, 'openid offline_access', { prompt: 'consent' });
  const back = await signIn(browser, await browser.open(attempt.url), alice);
  const tokens = await attempt.finish(back.url);
  return { token: tokens.refresh_token ?? '', idToken: tokens.id_token ?? '', sid: tokens.claims()?.sid };
}

const works = (token: string) =>
  oidc.refreshTokenGrant(config, token).then(
    () => true,
    () => false,
  );

const asClient = async (path: string, token: string, secret = party.client.secret ?? '') => {
  const authorization = `Basic ${btoa(`rp:${encodeURIComponent(secret)}`)}`;
  const body = new URLSearchParams({ token });
  return readAnswer(await fetch(`${provider.issuer}${path}`, { method: 'POST', body, headers: { authorization } }));
};

const admin = async (path = ''): Promise<Page> => {
  const page = await browser.open(`${provider.issuer}/admin${path}`);
  if (!page.text.includes('Sign in as administrator')) return page;
  await browser.submit(page, { action: '/admin/sign-in' }, administrator);
  return browser.open(`${provider.issuer}/admin${path}`);
};

test('revocation by the client ends the session and keeps the consent; a second one answers 200 with an error in it', async () => {
  const { token } = await consent();
  expect(await asClient('/token/revocation', token)).toMatchObject({ status: 200, body: {} });
  expect(provider.log.alive()).toEqual([]);
  expect(await asClient('/token/revocation', token)).toMatchObject({ status: 200, body: { error: 'invalid_token' } });
  expect((await asClient('/token/revocation', 'nonsense')).body).toMatchObject({ error: 'invalid_token' });
  expect((await asClient('/token/revocation', '')).said).toBe('400 invalid_request Token not provided');
  expect((await asClient('/token/revocation', token, 'wrong')).said).toMatch(/^401 unauthorized_client/);
  expect(provider.admin.consentsOf('alice')).toHaveLength(1);
  expect(party.logoutTokens).toEqual([]);
});

test('a token is revoked by its own client only, and active for it only', async () => {
  const { token } = await consent();
  expect(await asClient('/token/introspection', token)).toMatchObject({ body: { active: true, typ: 'Offline' } });
  provider.admin.register({ ...party.client, id: 'other' });
  const other = await oidc.discovery(new URL(provider.issuer), 'other', party.client.secret, undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  await expect(oidc.tokenRevocation(other, token)).rejects.toMatchObject({ error: 'unauthorized_client' });
  const basic = oidc.ClientSecretBasic(party.client.secret);
  const asOther = await oidc.discovery(new URL(provider.issuer), 'other', undefined, basic, {
    execute: [oidc.allowInsecureRequests],
  });
  await expect(oidc.tokenRevocation(asOther, token)).rejects.toMatchObject({ error: 'invalid_request' });
  expect(await oidc.tokenIntrospection(asOther, token)).toEqual({ active: false });
  provider.admin.setUser('alice', { enabled: false });
  expect((await asClient('/token/introspection', token)).body).toEqual({ active: false });
});

test('a logout token conforms to OpenID Connect, and says revoke_offline_access only where the client wants it', async () => {
  const { token, sid } = await consent();
  const { admin, issuer, signingKey } = provider;
  expect(await admin.signOut('alice')).toBe(1);
  const logout = party.logoutTokens[0] ?? '';
  expect(decodeProtectedHeader(logout)).toMatchObject({ typ: 'logout+jwt', alg: 'RS256', kid: signingKey.id });
  const key = createPublicKey(signingKey.publicPem);
  const { payload } = await jwtVerify(logout, key, { issuer, audience: 'rp', typ: 'logout+jwt' });
  expect(payload).toMatchObject({ sub: alice.subject, sid, typ: 'Logout' });
  expect(payload.events).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(120);
  expect([typeof payload.jti, payload.nonce]).toEqual(['string', undefined]);
  expect(await works(token)).toBe(false);
  expect(admin.offlineSessions()).toHaveLength(1);

  admin.setClient('rp', { backchannelLogoutRevokesOffline: true });
  expect(await admin.sendLogoutToken('alice', 'rp', { sid: String(sid) })).toBe(200);
  expect(decodeJwt(party.logoutTokens[1] ?? '').events).toMatchObject({ revoke_offline_access: true });
  expect(await admin.sendLogoutToken('alice', 'rp', { revokeOffline: false })).toBe(200);
  expect(decodeJwt(party.logoutTokens[2] ?? '')).toMatchObject({
    events: expect.not.objectContaining({ revoke_offline_access: true }),
  });
  expect(decodeJwt(party.logoutTokens[2] ?? '').sid).toBeUndefined();
  admin.setClient('rp', { backchannelLogoutUri: 'http://127.0.0.1:9/none' });
  expect(await admin.sendLogoutToken('alice', 'rp')).toBe(0);
});

test('signing out at the provider asks first, notifies the client, and redirects only to an address of the client', async () => {
  const { token, idToken, sid } = await consent();
  const end = new URL(`${provider.issuer}/session/end`);
  end.search = new URLSearchParams({
    id_token_hint: idToken,
    post_logout_redirect_uri: 'http://evil.example/',
  }).toString();
  expect((await browser.open(end.href)).status).toBe(400);
  const bye = party.client.postLogoutRedirectUris?.[0] ?? '';
  end.search = new URLSearchParams({ client_id: 'rp', post_logout_redirect_uri: bye, state: 'kept' }).toString();
  const question = await browser.open(end.href);
  expect(party.logoutTokens).toEqual([]);
  const back = await browser.submit(question, { button: 'Sign out' });
  expect(back.url).toBe(`${bye}?state=kept`);
  expect(decodeJwt(party.logoutTokens[0] ?? '')).toMatchObject({ sid, sub: alice.subject });
  expect(await works(token)).toBe(true);
  const login = await browser.open((await party.begin(config, 'openid')).url);
  expect(login.text).toContain('Sign in');
});

test('the administrator sees the consents of a user and takes one back', async () => {
  const { token } = await consent();
  const page = await admin('/users/alice');
  expect(page.text).toContain('openid offline_access');
  const after = await browser.submit(page, { action: '/admin/consent' });
  expect([after.url, after.text.match(/None\./g)?.length]).toEqual([`${provider.issuer}/admin/users/alice`, 3]);
  expect(await works(token)).toBe(false);
  expect(party.logoutTokens).toHaveLength(1);
  const question = await browser.open((await party.begin(config, 'openid')).url);
  expect(question.text).toContain('Allow The Relying Party?');
});

test('the administrator sees the offline sessions of a client and ends one', async () => {
  const { token, sid } = await consent();
  const page = await admin('/clients/rp');
  expect(page.text).toContain('<td>alice</td>');
  const after = await browser.submit(page, { action: '/admin/session' });
  expect(after.text).not.toContain('<td>alice</td>');
  expect(await works(token)).toBe(false);
  expect(decodeJwt(party.logoutTokens[0] ?? '').sid).toBe(sid);
});

test('every setting of the realm is on its page', async () => {
  const page = await admin();
  const settings = page.forms.find(({ action }) => action === '/admin/realm');
  expect(settings?.fields.find(({ name }) => name === 'offlineIdle')?.value).toBe('30d');
  const after = await browser.submit(
    page,
    { action: '/admin/realm' },
    {
      offlineIdle: '90s',
      offlineMaxLimited: 'on',
      offlineMax: '5m',
      refreshTokenMaxReuse: '1',
      behavesAs: '26.4',
      accessToken: 'nonsense',
      sso: '1h',
      dpopNonce: 'on',
    },
  );
  expect(provider.admin.settings()).toMatchObject({
    enabled: true,
    offlineIdleSeconds: 90,
    offlineMaxLimited: true,
    offlineMaxSeconds: 300,
    dpopNonce: true,
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 1,
    behavesAs: '26.4',
    accessTokenSeconds: 300,
    ssoSeconds: 3600,
  });
  const { token } = await consent();
  const stale = await browser.submit(after, { action: '/admin/realm/not-before', button: 'Set to now' });
  expect(stale.text).toContain('are stale');
  expect(await works(token)).toBe(false);
  await browser.submit(stale, { action: '/admin/realm/not-before', button: 'Clear' });
  expect(await works(token)).toBe(true);
  await browser.submit(stale, { action: '/admin/realm/roll-key' });
  expect(await works((await consent()).token)).toBe(true);
  await browser.submit(stale, { action: '/admin/realm/replace-keys' });
  expect(await works(token)).toBe(false);
  await browser.submit(stale, { action: '/admin/realm/sign-out-all' });
  expect(provider.admin.settings().notBefore).toBeGreaterThan(0);
});

test('every setting of a user and of a client is on their pages', async () => {
  const { token } = await consent();
  const user = await admin('/users/alice');
  await browser.submit(user, { action: '/admin/user' }, { enabled: '', offlineRole: 'on' });
  expect(await works(token)).toBe(false);
  await browser.submit(user, { action: '/admin/user' });
  expect(await works(token)).toBe(true);
  const signedOut = await browser.submit(user, { action: '/admin/user/sign-out' });
  expect(signedOut.text).toContain('are stale');
  await browser.submit(user, { action: '/admin/user/not-before', button: 'Clear' });

  const client = await admin('/clients/rp');
  const changed = { secret: 'rolled', offlineScope: '', directAccess: 'on', pushedRequestsRequired: 'on' };
  const after = await browser.submit(client, { action: '/admin/client' }, changed);
  const fields = after.forms.find(({ action }) => action === '/admin/client')?.fields ?? [];
  const ticked = fields.filter(({ type, sent }) => type === 'checkbox' && sent).map(({ name }) => name);
  expect(ticked).toEqual(['enabled', 'consentRequired', 'directAccess', 'pushedRequestsRequired']);
  expect(fields.find(({ name }) => name === 'secret')?.value).toBe('rolled');
  expect((await asClient('/token/introspection', token, 'rolled')).body).toEqual({ active: false });
  await browser.submit(client, { action: '/admin/client/not-before', button: 'Set to now' });
  await browser.submit(user, { action: '/admin/user/delete' });
  expect(provider.log.alive()).toEqual([]);
  expect((await admin('/users/alice')).url).toBe(`${provider.issuer}/admin`);
});

test('nobody else administers: not without a sign-in, not with a wrong password, not from another site', async () => {
  const { token } = await consent();
  const act = (headers: Record<string, string> = {}) => {
    const body = new URLSearchParams({ user: 'alice', client: 'rp' });
    return fetch(`${provider.issuer}/admin/consent`, { method: 'POST', body, headers });
  };
  expect(await (await act()).text()).toContain('Sign in as administrator');
  expect((await act({ origin: 'http://evil.example' })).status).toBe(403);
  const login = await browser.open(`${provider.issuer}/admin`);
  const wrong = await browser.submit(login, { action: '/admin/sign-in' }, { username: 'admin', password: 'alice' });
  expect([wrong.status, wrong.text.includes('Wrong user name')]).toEqual([400, true]);
  expect(await works(token)).toBe(true);
  const page = await admin();
  await browser.submit(page, { action: '/admin/sign-out' });
  expect((await browser.open(`${provider.issuer}/admin`)).text).toContain('Sign in as administrator');
});

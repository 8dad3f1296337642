import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { isAppError } from '../../../src/errors.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { askDiscovery } from '../../../src/oidc/inspect-provider.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { openProviderHosts } from '../../../src/oidc/provider-hosts.ts';
import { type ManualClock, manualClock } from '../../support/fixtures/manual-clock.ts';
import { type OpenIdIssuer, startOpenIdIssuer } from '../../support/servers/open-id-issuer.ts';

const [minute, day] = [60_000, 86_400_000];
const tokens = { access_token: 'a', refresh_token: 'r2', token_type: 'Bearer', expires_in: 300 };
let provider: OpenIdIssuer;
let clock: ManualClock;
let warned: string[];
beforeEach(async () => {
  provider = await startOpenIdIssuer();
  clock = manualClock(new Date().toISOString());
  warned = [];
});
afterEach(() => provider[Symbol.asyncDispose]());

function open() {
  const log: Log = { ...silentLog, warn: (event) => void warned.push(event) };
  const client = { clientId: 'me', authentication: 'client_secret_basic', secrets: ['s'] } as const;
  return openIssuer({
    provider: { issuer: new URL(provider.url), ...client },
    publicUrl: new URL('http://localhost'),
    clock,
    log,
  });
}

/** Only the endpoints named are there. */
const answering = (...there: string[]) => {
  provider.answer = ({ endpoint }) =>
    there.includes(endpoint) ? { status: 200, body: tokens } : { status: 404, body: { error: 'not_found' } };
};
const asked = () => provider.asked.map(({ endpoint }) => endpoint);
const moveTo = (endpoint: string) => {
  provider.metadata.token_endpoint = `${provider.url}/${endpoint}`;
  answering(endpoint);
};

describe('what the provider publishes', () => {
  test('is read once, and again after a day, whatever is asked meanwhile', async () => {
    const issuer = open();
    answering('token');
    await issuer.exchange('r1');
    provider.metadata.token_endpoint = `${provider.url}/new`;
    answering('token', 'new');
    await clock.advance(day - 1);
    await issuer.exchange('r1');
    await clock.advance(1);
    await issuer.exchange('r1');
    expect(asked()).toEqual(['token', 'token', 'new']);
  });

  test('is read again when an endpoint is not there, at most once a minute', async () => {
    const issuer = open();
    answering('token');
    await issuer.exchange('r1');
    moveTo('moved');
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'refused', status: 404 });
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'refused', status: 404 });
    await clock.advance(minute);
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    moveTo('again');
    await issuer.exchange('r1');
    await clock.advance(minute - 1);
    await issuer.exchange('r1');
    await clock.advance(1);
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    expect(asked()).toEqual(['token', 'token', 'token', 'moved', 'moved', 'moved', 'again']);
  });

  test('is read again too where another request than an exchange finds nothing', async () => {
    const issuer = open();
    provider.answer = () => ({ status: 200, body: {} });
    await issuer.revoke('one');
    provider.metadata.revocation_endpoint = `${provider.url}/end`;
    answering('end');
    await clock.advance(minute);
    await expect(issuer.revoke('two')).rejects.toThrow();
    await issuer.revoke('three');
    expect(asked()).toEqual(['revoke', 'revoke', 'end']);
  });

  test.each<[string, Record<string, unknown>]>([
    ['it names another issuer', { issuer: 'https://elsewhere.example' }],
    ['it is no document', { issuer: 7 }],
  ])('stays what it was where reading it again fails: %s', async (_, metadata) => {
    const issuer = open();
    answering('token');
    await issuer.exchange('r1');
    Object.assign(provider.metadata, metadata);
    await clock.advance(day);
    expect(await issuer.exchange('r2')).toMatchObject({ kind: 'answered' });
    expect(warned).toEqual(['oidc.discovery.failed']);
    await clock.advance(9 * minute);
    await issuer.exchange('r2');
    expect(warned).toHaveLength(1);
    await clock.advance(minute);
    await issuer.exchange('r2');
    expect(warned).toHaveLength(2);
  });

  test('stays what it was where the provider is away when it is read again', async () => {
    const issuer = open();
    answering('token');
    await issuer.exchange('r1');
    await provider[Symbol.asyncDispose]();
    await clock.advance(day);
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'unsent' });
    expect(warned).toEqual(['oidc.discovery.failed']);
    expect(await issuer.tokenEnding()).toEqual({ revocation: true, page: undefined });
  });

  test.each([null, ''])('has not what it says %j of', async (nothing) => {
    const members = ['introspection_endpoint', 'userinfo_endpoint', 'pushed_authorization_request_endpoint'];
    for (const name of ['revocation_endpoint', 'dpop_signing_alg_values_supported', ...members])
      provider.metadata[name] = nothing;
    const issuer = open();
    answering('token');
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
    expect(await issuer.tokenEnding()).toEqual({ revocation: false, page: undefined });
    expect(await issuer.introspect('r1')).toBeUndefined();
    const { url } = await issuer.beginAuthorization({ purpose: 'sign-in', scope: 'openid', returnTo: '/' });
    expect(url.searchParams.get('scope')).toBe('openid');
    const hosts = openProviderHosts(new URL(provider.url));
    const { metadata } = await askDiscovery({ clock, hosts }, new URL(provider.url));
    for (const name of ['revocation_endpoint', ...members]) expect(metadata).not.toHaveProperty(name);
    expect(metadata).toMatchObject({ issuer: provider.url, token_endpoint: `${provider.url}/token` });
  });

  test('is read afresh by whoever asks next where it could not be read at all', async () => {
    const issuer = open();
    provider.metadata.issuer = 'https://elsewhere.example';
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'unsent' });
    delete provider.metadata.issuer;
    answering('token');
    expect(await issuer.exchange('r1')).toMatchObject({ kind: 'answered' });
  });
});

describe('keys that do not fit', () => {
  const claims = () => ({
    iss: provider.url,
    aud: 'me',
    sub: 'alice',
    jti: crypto.randomUUID(),
    iat: Math.floor(clock.now().getTime() / 1000),
    exp: Math.floor(clock.now().getTime() / 1000) + 120,
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  });

  test('are looked for where the provider says now that they are', async () => {
    const issuer = open();
    expect(await issuer.readLogoutToken(await provider.sign(claims()))).toMatchObject({ subject: 'alice' });
    const moved = await startOpenIdIssuer();
    await using _ = moved;
    provider.metadata.jwks_uri = `${moved.url}/jwks`;
    await moved.rollKey();
    await clock.advance(minute);
    expect(await issuer.readLogoutToken(await moved.sign(claims()))).toMatchObject({ subject: 'alice' });
  });

  test('make nobody read it again more than once a minute, and are refused where they stay unknown', async () => {
    const issuer = open();
    await issuer.readLogoutToken(await provider.sign(claims()));
    await clock.advance(minute);
    let read = 0;
    await using counting = await listenOnLoopbackCounting(() => (read += 1));
    provider.metadata.jwks_uri = counting.jwks;
    const stranger = await startOpenIdIssuer();
    await using _ = stranger;
    await stranger.rollKey();
    for (let tries = 0; tries < 20; tries++) {
      const refused = issuer.readLogoutToken(await stranger.sign({ ...claims() }));
      expect(await refused.catch((error) => isAppError(error, 'logout/invalid-token'))).toBe(true);
    }
    expect(read).toBeLessThanOrEqual(2);
  });
});

async function listenOnLoopbackCounting(count: () => void) {
  const server = await listenOnLoopback(0);
  server.serve((_, response) => {
    count();
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[]}');
  });
  return { jwks: `${server.origin}/jwks`, [Symbol.asyncDispose]: server.down };
}

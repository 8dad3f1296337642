import { once } from 'node:events';
import { createServer } from 'node:net';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { findingLine } from '../../support/fixtures/finding-line.ts';
import { type DoctorFixtureOptions, openDoctorFixture, statesOf } from '../../support/harness/doctor.ts';
import { listenSilently } from '../../support/servers/silent-port.ts';

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

const open = async (options?: DoctorFixtureOptions) => opened.use(await openDoctorFixture(options));
const newKey = () => generateKeyPair('ES256', { extractable: true });

test('a provider that is set up well has nothing wrong', async () => {
  const { examine } = await open();
  const findings = await examine();
  const names = ['discovery', 'signing keys', 'clocks', 'client', 'sign-in', 'offline scope', 'pushed requests'];
  expect(statesOf(findings, ...names)).toEqual(Object.fromEntries(names.map((name) => [name, 'ok'])));
  expect([...findings.values()].filter(({ state }) => state === 'wrong' || state === 'warn')).toEqual([]);
});

test('nothing that is asked exchanges, reuses or grants anything', async () => {
  const { examine, provider } = await open();
  await examine();
  expect(provider.log.issued()).toEqual([]);
  expect(provider.log.secrets()).toEqual([]);
});

test('a wrong secret is told apart from an unknown client', async () => {
  const { examine, provider } = await open();
  expect(findingLine((await examine({ OIDC_CLIENT_SECRET: 'not it' })).get('client'))).toMatch(
    /^wrong: The provider knows nightkeep, but not with this secret .* → Compare OIDC_CLIENT_SECRET/,
  );
  const stranger = await examine({ OIDC_CLIENT_ID: 'nobody' });
  expect(findingLine(stranger.get('client'))).toMatch(
    /^wrong: The provider does not know the client nobody, or it is disabled/,
  );
  provider.admin.setClient('nightkeep', { enabled: false });
  expect(findingLine((await examine()).get('client'))).toMatch(/^wrong: .*disabled there.* → .*enable the client/);
});

test('of several secrets each is tried, so that one that is rolled shows which works', async () => {
  const { examine, environment } = await open();
  const findings = await examine({ OIDC_CLIENT_SECRET: `the new one\n${environment.OIDC_CLIENT_SECRET}` });
  expect(findingLine(findings.get('client, secret 1'))).toMatch(/^warn: .*not with this secret.* uses another/);
  expect(findings.get('client, secret 2')).toMatchObject({ state: 'ok' });
  expect(findings.get('sign-in')).toMatchObject({ state: 'ok' });
  expect(JSON.stringify([...findings])).not.toMatch(/the new one|a secret & more/);
});

test('a key is tried as secrets are', async () => {
  const [own, other] = [await newKey(), await newKey()];
  const publicKeys = { keys: [await exportJWK(own.publicKey)] };
  const { examine } = await open({ client: { authentication: 'private_key_jwt', publicKeys } });
  const withKey = (OIDC_PRIVATE_KEY: string) => examine({ OIDC_CLIENT_AUTH: 'private_key_jwt', OIDC_PRIVATE_KEY });
  expect((await withKey(await exportPKCS8(own.privateKey))).get('client')).toMatchObject({ state: 'ok' });
  expect(findingLine((await withKey(await exportPKCS8(other.privateKey))).get('client'))).toMatch(
    /^wrong: .*not with this key.* → Compare OIDC_PRIVATE_KEY/,
  );
  const both = `${await exportPKCS8(other.privateKey)}\n${await exportPKCS8(own.privateKey)}`;
  expect(statesOf(await withKey(both), 'client, key 1', 'client, key 2')).toEqual({
    'client, key 1': 'warn',
    'client, key 2': 'ok',
  });
  const none = await withKey('no key');
  expect(findingLine(none.get('settings'))).toMatch(/^wrong: OIDC_PRIVATE_KEY holds no private key in PEM/);
  expect(none.get('client')).toMatchObject({ state: 'unknown' });
});

test('a client that needs no secret is pointed out', async () => {
  const { examine, provider } = await open();
  provider.admin.setClient('nightkeep', { authentication: 'none' });
  expect(findingLine((await examine()).get('client type'))).toMatch(/^warn: .*it is a public client there/);
});

test.each(['rfc9126', 'keycloak'] as const)(
  'a redirect address that is not registered is named (%s)',
  async (words) => {
    const { examine } = await open({ realm: { pushedFaultsAs: words } });
    const findings = await examine({ PUBLIC_URL: 'http://localhost:1/' });
    expect(findingLine(findings.get('sign-in'))).toMatch(
      /^wrong: .*come back to http:\/\/localhost:1\/callback.* → Add exactly this address to the redirect URIs/,
    );
    expect(statesOf(findings, 'client', 'offline scope', 'pushed requests')).toEqual({
      client: 'ok',
      'offline scope': 'unknown',
      'pushed requests': 'unknown',
    });
  },
);

test.each(['rfc9126', 'keycloak'] as const)(
  'a client without the scope offline_access is named (%s)',
  async (words) => {
    const { examine, provider } = await open({ realm: { pushedFaultsAs: words } });
    provider.admin.setOfflineScope('nightkeep', false);
    const findings = await examine();
    expect(findings.get('sign-in')).toMatchObject({ state: 'ok' });
    expect(findingLine(findings.get('offline scope'))).toMatch(
      /^wrong: .*may not request offline_access.*Client scopes, as Optional/,
    );
  },
);

test('a demand for pushed requests is met', async () => {
  const { examine } = await open({ client: { pushedRequestsRequired: true } });
  const findings = await examine();
  expect(findings.get('sign-in')).toMatchObject({ state: 'ok' });
  expect(findingLine(findings.get('pushed requests'))).toMatch(/^ok: The provider demands them/);
});

test.each([false, true])(
  'a demand for tokens that are bound to a key is met or named (with a nonce: %s)',
  async (dpopNonce) => {
    const { examine } = await open({ client: { dpopRequired: true }, realm: { dpopNonce } });
    const findings = await examine();
    expect(findings.get('client')).toMatchObject({ state: 'ok' });
    expect(findingLine(findings.get('bound tokens'))).toMatch(
      /^wrong: .*tokens of nightkeep \(DPoP\).* → Set OIDC_DPOP=required/,
    );
    expect(findingLine((await examine({ OIDC_DPOP: 'required' })).get('bound tokens'))).toMatch(/^ok: /);
  },
);

test('a public client is what it is meant to be, or is wanted to prove itself', async () => {
  const { examine, provider } = await open({ client: { authentication: 'none' } });
  const publicly = await examine({ OIDC_CLIENT_AUTH: 'none' });
  expect(statesOf(publicly, 'client', 'client type')).toEqual({ client: 'ok', 'client type': undefined });
  provider.admin.setClient('nightkeep', { authentication: 'client_secret_basic' });
  expect(findingLine((await examine({ OIDC_CLIENT_AUTH: 'none' })).get('client'))).toMatch(
    /^wrong: .*wants it to prove itself/,
  );
});

test('whether people are asked shows where the client may use passwords', async () => {
  const { examine, provider } = await open({ client: { directAccess: true } });
  expect(findingLine((await examine()).get('consent screen'))).toMatch(/^ok: The provider asks people/);
  provider.admin.setClient('nightkeep', { directAccess: false });
  expect((await examine()).get('consent screen')).toMatchObject({ state: 'unknown' });
});

test('a realm that is disabled, and one that is not there, are told apart', async () => {
  const { examine, provider } = await open();
  provider.admin.setRealm({ enabled: false });
  expect(findingLine((await examine()).get('client'))).toMatch(
    /^wrong: The provider answers nobody .* → Enable the realm/,
  );
  const elsewhere = await examine({ OIDC_ISSUER: `${provider.issuer}/realms/nowhere` });
  expect(findingLine(elsewhere.get('discovery'))).toMatch(/^wrong: There is no provider at .*\(404\).*realms\/REALM/);
  expect(statesOf(elsewhere, 'client', 'signing keys')).toEqual({ client: 'unknown', 'signing keys': 'unknown' });
});

test('a provider that is away is named, and all else is looked at', async () => {
  const { examine, provider } = await open();
  await provider.down();
  const findings = await examine();
  expect(findingLine(findings.get('discovery'))).toMatch(
    /^wrong: .*does not answer \(ECONNREFUSED\)\. → Start the provider/,
  );
  expect(statesOf(findings, 'settings', 'spool', 'client')).toEqual({ settings: 'ok', spool: 'ok', client: 'unknown' });
});

test('a provider at a port that browsers block is told apart from one that is away', async () => {
  const { examine } = await open();
  const findings = await examine({ OIDC_ISSUER: 'http://127.0.0.1:6667' });
  expect(findingLine(findings.get('discovery'))).toMatch(
    /^wrong: .*does not answer \(blocked-port\)\. → Serve the provider at/,
  );
});

test('a port of http that is asked by https, and the reverse, are told apart from a bad certificate', async () => {
  const { examine, provider } = await open();
  const { port } = new URL(provider.issuer);
  const secure = (await examine({ OIDC_ISSUER: `https://127.0.0.1:${port}` })).get('discovery');
  expect(findingLine(secure)).toMatch(
    /^wrong: .*speaks no TLS at that port \(.*WRONG_VERSION_NUMBER\)\. → Correct the port in OIDC_ISSUER/,
  );
  const ending = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
  opened.defer(() => void ending.close());
  await once(ending, 'listening');
  const address = ending.address();
  const plain = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  expect(findingLine((await examine({ OIDC_ISSUER: plain })).get('discovery'))).toMatch(
    /if it speaks TLS, write https:/,
  );
});

test('a provider that takes connections and says nothing is not waited for', async () => {
  const { port } = opened.use(await listenSilently());
  const waits: number[] = [];
  const sleep: Clock['sleep'] = (ms, signal) => {
    waits.push(ms);
    return systemClock().sleep(ms / 100, signal);
  };
  const { examine } = await open({ sleep });
  const findings = await examine({ OIDC_ISSUER: `http://127.0.0.1:${port}` });
  expect(findingLine(findings.get('discovery'))).toMatch(
    /^wrong: .*does not answer \(timeout\)\. → Check whether a firewall/,
  );
  expect(waits).toContain(8_000);
});

test('a server that is no provider, one of another name, and one that points elsewhere are told apart', async () => {
  const { examine, provider } = await open();
  const server = opened.adopt(await listenOnLoopback(0), (one) => one.down());
  const answers = async (status: number, headers: Record<string, string>, body = '') => {
    server.serve((_request, response) => response.writeHead(status, headers).end(body));
    return findingLine((await examine({ OIDC_ISSUER: server.origin })).get('discovery'));
  };
  expect(await answers(200, { 'content-type': 'text/html' }, '<p>Welcome')).toMatch(
    /^wrong: .*is not an OpenID provider/,
  );
  expect(await answers(200, {}, JSON.stringify({ issuer: provider.issuer }))).toMatch(
    new RegExp(`^wrong: .* names itself ${provider.issuer}\\. → Set OIDC_ISSUER to ${provider.issuer}`),
  );
  expect(await answers(302, { location: 'https://id.example/' })).toMatch(
    /^wrong: .* points to https:\/\/id\.example\//,
  );
  expect(await answers(200, {}, JSON.stringify({ issuer: server.origin }))).toMatch(
    /^wrong: .*lacks authorization_endpoint, token_endpoint, jwks_uri/,
  );
  expect(await answers(502, {}, 'bad gateway')).toMatch(/^wrong: .*answers 502/);
});

test('a secret is sent to nobody whom Nightkeep itself would not trust with it', async () => {
  const { examine, provider } = await open();
  const asked: string[] = [];
  const server = opened.adopt(await listenOnLoopback(0), (one) => one.down());
  const document = {
    issuer: server.origin,
    authorization_endpoint: `${server.origin}/auth`,
    token_endpoint: 'http://nightkeep.example/token',
    jwks_uri: `${server.origin}/keys`,
  };
  server.serve((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify(document));
  });
  for (const OIDC_ISSUER of [server.origin, `${server.origin}/another`]) {
    const findings = await examine({ OIDC_ISSUER });
    expect(statesOf(findings, 'discovery', 'client')).toEqual({ discovery: 'wrong', client: 'unknown' });
  }
  expect(asked.filter((path) => !path.endsWith('/.well-known/openid-configuration'))).toEqual([]);
  expect(provider.log.requests()).toEqual([]);
});

test('a clock that is off by more than a minute is named', async () => {
  const { examine } = await open({ aheadMs: 90_000 });
  expect(findingLine((await examine()).get('clocks'))).toMatch(
    /^wrong: This machine is 9\d s behind the provider.*Tokens may be refused as expired.*NTP/,
  );
});

import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { introduce, noCredential } from '../../../src/oidc/inspect-client.ts';
import { askDiscovery, askSigningKeys } from '../../../src/oidc/inspect-provider.ts';
import { fetchThrough, openProviderHosts, ProviderAddressRefused } from '../../../src/oidc/provider-hosts.ts';
import { askPublishedKeys } from '../../../src/oidc/published-keys.ts';
import { attempt } from '../../../src/oidc/transport.ts';
import { askAuthorization } from '../../../src/oidc/trial-authorization.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { type Endpoint, startEndpoint, tokens } from './endpoint.ts';

/** What names stand for, in a network of our own. */
const names: Record<string, string[]> = {
  'id.example': ['1.1.1.1'],
  'id.inside': ['10.0.0.7'],
  'id.machine': ['127.0.0.1'],
  'api.example': ['8.8.8.8', '2606:4700::1111'],
  'metadata.example': ['169.254.169.254'],
  'both.example': ['8.8.8.8', '10.0.0.9'],
  'inside.example': ['192.168.3.4'],
  'inside6.example': ['fd00::4'],
  'link6.example': ['fe80::1'],
  'mapped.example': ['::ffff:10.0.0.1'],
  'machine.example': ['127.0.0.1'],
  'zero.example': ['0.0.0.0'],
};

/** Whether a host is asked by a Nightkeep of that issuer: whether the lookup for its connection lets it through. */
async function isAsked(issuer: string, url: string, inside?: BlockList): Promise<boolean> {
  const lookedUp: string[] = [];
  const hosts = openProviderHosts(new URL(issuer), {
    inside,
    lookup: (hostname, _, callback) => {
      lookedUp.push(hostname);
      const found = (names[hostname] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      callback(found.length === 0 ? new Error('ENOTFOUND') : null, found);
    },
  });
  const signal = AbortSignal.timeout(1);
  const request = { method: 'POST', headers: {}, body: 'a=b', redirect: 'manual', signal } as const;
  const made = await attempt({ mostBytes: 1_000, hosts }, url, request as never);
  await hosts.dispatcher.destroy();
  const refused = 'error' in made && made.error instanceof ProviderAddressRefused;
  // Nothing was sent, so a token that was to go there is not used up.
  if (refused) expect(made).toMatchObject({ sent: false, error: { code: 'ERR_PROVIDER_ADDRESS' } });
  return !refused;
}

describe('of a provider on the internet', () => {
  it.each([
    ['its own host, wherever that is', 'https://id.example:8443/token', true],
    ['another host on the internet', 'https://api.example/token', true],
    ['the metadata of a cloud, by name', 'https://metadata.example/token', false],
    ['the metadata of a cloud, by address', 'https://169.254.169.254/latest/meta-data/', false],
    ['its IPv6 form', 'https://[::ffff:a9fe:a9fe]/', false],
    ['a private network', 'https://inside.example/token', false],
    ['a private network, by address', 'https://10.0.0.1/token', false],
    ['a private network of IPv6', 'https://inside6.example/token', false],
    ['link-local IPv6', 'https://link6.example/token', false],
    ['IPv4 that is carried by IPv6', 'https://mapped.example/token', false],
    ['this machine', 'https://machine.example/token', false],
    ['this machine, by address', 'https://127.0.0.1:5432/', false],
    ['this machine, as no address', 'https://zero.example/token', false],
    ['this machine, in other digits', 'https://2130706433/token', false],
    ['a name that stands for both', 'https://both.example/token', false],
  ])('%s', async (_, url, isAllowed) => {
    expect(await isAsked('https://id.example/', url)).toBe(isAllowed);
  });
});

describe('of a provider that is itself', () => {
  it.each([
    ['in a private network, another one', 'https://id.inside/', 'https://inside.example/', true],
    ['in a private network, this machine', 'https://id.inside/', 'https://machine.example/', false],
    ['in a private network, metadata', 'https://id.inside/', 'https://169.254.169.254/', false],
    ['in a private network, by address', 'https://10.0.0.7/', 'https://inside.example/', true],
    ['on this machine, this machine', 'http://id.machine/', 'http://machine.example/', true],
    ['on this machine, a private network', 'http://127.0.0.1:80/', 'http://inside.example/', true],
    ['on this machine, metadata', 'http://127.0.0.1:80/', 'http://metadata.example/', false],
  ])('%s', async (_, issuer, url, isAllowed) => {
    expect(await isAsked(issuer, url)).toBe(isAllowed);
  });

  it('elsewhere, what the operator named', async () => {
    const inside = new BlockList();
    inside.addSubnet('192.168.3.0', 24, 'ipv4');
    expect(await isAsked('https://id.example/', 'https://inside.example/', inside)).toBe(true);
    expect(await isAsked('https://id.example/', 'https://10.0.0.1/', inside)).toBe(false);
  });
});

let provider: Endpoint;
let elsewhere: Endpoint;
const published: Record<string, unknown> = {};
beforeEach(async () => {
  provider = await startEndpoint(published);
  elsewhere = await startEndpoint();
});
afterEach(async () => {
  for (const name in published) delete published[name];
  await provider[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});
const client = { authentication: 'client_secret_post', secrets: ['the secret'] } as const;

describe('a hostile discovery document', () => {
  it.each([
    ['token_endpoint', 'ftp://id.example/token'],
    ['token_endpoint', 'file:///etc/passwd'],
    ['token_endpoint', 'http://user:word@127.0.0.1/token'],
    ['token_endpoint', 'nowhere'],
    ['token_endpoint', 7],
    ['userinfo_endpoint', 'gopher://127.0.0.1:6379/_FLUSHALL'],
    ['introspection_endpoint', 'data:,{}'],
    ['revocation_endpoint', 'javascript:0'],
    ['jwks_uri', 'file:///etc/shadow'],
    ['device_authorization_endpoint', 'ws://127.0.0.1/'],
    ['pushed_authorization_request_endpoint', 'unix:/run/docker.sock'],
    ['authorization_endpoint', 'javascript:alert(1)'],
  ])('that names as its %s what no client may ask, %j, is refused whole', async (name, address) => {
    published[name] = address;
    const issuer = provider.issuer(client);
    const code = 'provider/wrong-answer';
    await expect(issuer.revoke('token')).rejects.toMatchObject({ code, message: expect.stringContaining(name) });
    expect(await issuer.exchange('token')).toMatchObject({ kind: 'unsent' });
    expect(provider.heard).toEqual([]);
  });

  it('that sends tokens to the metadata of a cloud gets none, and the token is not used up', async () => {
    Object.assign(published, {
      token_endpoint: 'http://169.254.169.254/token',
      revocation_endpoint: 'http://169.254.169.254/revoke',
      introspection_endpoint: 'http://169.254.169.254/introspect',
    });
    const issuer = provider.issuer(client);
    expect(await issuer.exchange('token')).toEqual({ kind: 'unsent', errorCode: 'ERR_PROVIDER_ADDRESS' });
    const message = expect.stringContaining('OIDC_NETWORKS');
    await expect(issuer.revoke('token')).rejects.toMatchObject({ code: 'provider/wrong-answer', message });
    expect(await issuer.introspect('token')).toBeUndefined();
  });
});

describe('an endpoint that redirects', () => {
  it.each([301, 302, 303, 307, 308])('is not followed, and neither secret nor token goes on: %d', async (status) => {
    provider.answer = () => ({ status, headers: { location: `${elsewhere.origin}/token` } });
    elsewhere.answer = () => ({ status: 200, body: tokens });
    const issuer = provider.issuer(client);
    expect(await issuer.exchange('token')).toMatchObject({ kind: 'refused', status });
    await expect(issuer.revoke('token')).rejects.toMatchObject({ code: expect.stringMatching(/^provider\//) });
    expect(provider.heard.map(({ path }) => path)).toEqual(['/token', '/revoke']);
    expect(elsewhere.heard).toEqual([]);
  });
});

it.each([301, 302, 303, 307, 308])('what looks for what is wrong follows no redirect either: %d', async (status) => {
  provider.answer = () => ({ status, headers: { location: `${elsewhere.origin}/` } });
  const hosts = openProviderHosts(new URL(provider.origin));
  const answer = await fetchThrough(hosts, `${provider.origin}/keys`);
  expect(answer.status).toBe(status);
  await answer.body?.cancel();
  await hosts.dispatcher.destroy();
  expect(elsewhere.heard).toEqual([]);
});

describe('what looks for what is wrong, or whether two addresses are one provider, asks no others either', () => {
  const elsewhere = 'http://169.254.169.254/latest/meta-data/';
  const issuer = new URL('http://127.0.0.1/');
  const client = {
    clock: systemClock(),
    hosts: openProviderHosts(issuer),
    clientId: 'nightkeep',
    metadata: { issuer: issuer.href, token_endpoint: elsewhere, authorization_endpoint: elsewhere },
  };
  const refused = { failure: expect.stringMatching(/sends Nightkeep to 169\.254\.169\.254, .*OIDC_NETWORKS/) };

  it('for a discovery document, and keys', async () => {
    expect(await askDiscovery(client, new URL(elsewhere))).toMatchObject({ reply: refused });
    expect(await askSigningKeys(client, elsewhere)).toMatchObject({ reply: refused, signing: 0 });
  });

  it('with a secret', async () => {
    expect(await introduce(client, noCredential)).toMatchObject({ reply: refused });
  });

  it('as a browser would', async () => {
    const request = { redirectUri: 'http://localhost/callback', scope: 'openid', prompt: 'none' } as const;
    expect(await askAuthorization(client, request)).toEqual({ opened: { kind: 'silent' } });
  });

  it('for the keys of another address', async () => {
    await using endpoint = await startEndpoint({ jwks_uri: elsewhere });
    const clock = manualClock('2026-11-23T01:00:00Z');
    expect(await askPublishedKeys({ clock, inside: undefined }, new URL(endpoint.origin))).toEqual({
      issuer: endpoint.origin,
      keys: [],
    });
  });
});

it('closes a connection that the provider would keep for ten minutes soon after its answer, so that no token is sent on one that may be closing', async () => {
  const server = createServer({ keepAliveTimeout: 600_000 }, (_, response) => void response.end('{}')).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const hosts = openProviderHosts(new URL(url));
  const connected = once(server, 'connection');
  const answer = await fetchThrough(hosts, url);
  expect(answer.headers.get('keep-alive')).toBe('timeout=600');
  expect(await answer.text()).toBe('{}');
  const [socket] = await connected;
  await once(socket, 'close');
  await hosts.dispatcher.destroy();
  server.close();
});

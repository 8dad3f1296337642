import { decodeJwt } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBoundKeys } from '../../../src/oidc/bound-key.ts';
import type { AccessToken } from '../../../src/sources/source.ts';
import { contentOf, find, never, openSource } from '../../support/fixtures/open-source.ts';
import { openProofCheck } from '../../support/fixtures/proof-check.ts';
import {
  end,
  file,
  folder,
  type Heard,
  type HostileWebdav,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

let server: HostileWebdav;
let token: AccessToken;
beforeEach(async () => {
  server = await startHostileWebdav(folder({ 'a.txt': file('a'), sub: folder({ 'b c.txt': file('b') }) }));
  const key = await openBoundKeys().make();
  token = { token: 'bound', prove: (request) => key.prove({ ...request, accessToken: 'bound' }) };
});
afterEach(() => server[Symbol.asyncDispose]());

const open = () => openSource(server.url, { access: async () => token });
const read = async (source = open()) => {
  await using opened = source;
  return (await contentOf(await opened.open(await find(opened, 'sub/b c.txt'), never))).toString();
};
const schemes = () => server.heard.map(({ headers }) => headers.authorization);
const nonceOf = ({ headers }: Heard) => decodeJwt(String(headers.dpop)).nonce;

/** Answers 401 to all but tokens with a proof; with these headers. */
const demand = (
  challenge: string,
  isGood: (request: Heard) => boolean,
  more: () => Record<string, string> = () => ({}),
) => {
  server.mischief = (request, response) => {
    if (request.headers.authorization === 'DPoP bound' && isGood(request)) return undefined;
    end(response, 401, { 'www-authenticate': challenge, ...more() });
    return true;
  };
};

test('each request shows the token with a proof of its own, for its method and address without the query', async () => {
  demand('DPoP algs="ES256"', () => true);
  expect(await read()).toBe('b');
  const check = openProofCheck();
  const proven = await Promise.all(
    server.heard.map(({ method, path, headers }) =>
      check(headers.dpop, { method, url: new URL(path, server.url).href, accessToken: 'bound' }),
    ),
  );
  expect(proven.length).toBeGreaterThan(2);
  expect(new Set(proven.map(({ thumbprint }) => thumbprint)).size).toBe(1);
});

test('a request that is asked again because of a passing fault has a new proof', async () => {
  server.mischief = ({ before }, response) => {
    if (before > 0) return undefined;
    end(response, 503);
    return true;
  };
  expect(await read()).toBe('b');
  const proofs = server.heard.map(({ headers }) => headers.dpop);
  expect(new Set(proofs).size).toBe(proofs.length);
});

test('the nonce that a server wants is put into the proof at once and kept, also when it changes', async () => {
  let nonce = 'first';
  demand(
    'DPoP error="use_dpop_nonce"',
    (request) => nonceOf(request) === nonce,
    () => ({ 'dpop-nonce': nonce }),
  );
  await using source = open();
  const entry = await find(source, 'sub/b c.txt');
  expect(server.heard.map(nonceOf)).toEqual([undefined, 'first', 'first']);
  nonce = 'second';
  expect((await contentOf(await source.open(entry, never))).toString()).toBe('b');
  expect(server.heard.map(nonceOf).slice(3)).toEqual(['first', 'second']);
});

test('a server that wants another nonce each time is not asked for ever', async () => {
  let count = 0;
  demand(
    'DPoP error="use_dpop_nonce"',
    () => false,
    () => ({ 'dpop-nonce': `nonce-${++count}` }),
  );
  await expect(read()).rejects.toMatchObject({ code: 'source/unauthorized' });
  expect(server.heard.length).toBeLessThan(10);
});

test.each(['Bearer realm="cloud"', 'Basic realm="Nextcloud", Bearer', ''])(
  'a server that knows no proofs (%s) gets the token as a bearer token from then on',
  async (challenge) => {
    server.mischief = ({ headers }, response) => {
      if (headers.authorization === 'Bearer bound') return undefined;
      end(response, 401, challenge === '' ? {} : { 'www-authenticate': challenge });
      return true;
    };
    expect(await read()).toBe('b');
    expect(schemes()).toEqual([
      'DPoP bound',
      ...schemes()
        .slice(1)
        .map(() => 'Bearer bound'),
    ]);
  },
);

test('many requests at once that meet such a server all get through', async () => {
  server.mischief = ({ headers }, response) => {
    if (headers.authorization === 'Bearer bound') return undefined;
    end(response, 401, { 'www-authenticate': 'Bearer' });
    return true;
  };
  await using source = open();
  const lists = await Promise.all([1, 2, 3, 4].map(() => source.list(source.root, never)));
  expect(lists.map(({ members }) => members.length)).toEqual([2, 2, 2, 2]);
});

test('a token is not shown without a proof to a server that takes proofs, whatever it refuses', async () => {
  await using source = open();
  const entry = await find(source, 'a.txt');
  server.mischief = ({ path }, response) => {
    if (!path.endsWith('a.txt')) return undefined;
    end(response, 401);
    return true;
  };
  await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/forbidden' });
  expect(new Set(schemes())).toEqual(new Set(['DPoP bound']));
});

test('a server that takes the token in no way at all is named with the cure', async () => {
  server.mischief = (_, response) => {
    end(response, 401, { 'www-authenticate': 'Bearer' });
    return true;
  };
  await expect(read()).rejects.toMatchObject({
    code: 'source/unauthorized',
    message: expect.stringContaining('the operator must set OIDC_DPOP=off, and people consent again'),
  });
});

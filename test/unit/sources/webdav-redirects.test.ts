import { BlockList } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import {
  type Elsewhere,
  httpsElsewhere,
  openElsewhere,
  type RedirectRule,
} from '../../../src/sources/http/elsewhere.ts';
import { find, never, openSource, read } from '../../support/fixtures/open-source.ts';
import {
  breakAfter,
  end,
  file,
  folder,
  type HostileWebdav,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

/** Loopback over http stands for the internet here. */
const loopback: RedirectRule = {
  allowsUrl: ({ protocol }) => protocol === 'http:',
  allowsIp: (ip) => ip === '127.0.0.1',
};
const publicHttps = httpsElsewhere();
const stored = 'content in an object store';
const link = 'object?X-Amz-Signature=abc';
let server: HostileWebdav;
let store: HostileWebdav;
beforeEach(async () => {
  server = await startHostileWebdav(
    folder({ 'from-store.bin': file(stored, { etag: '"v1"' }), 'own.txt': file('own') }),
  );
  store = await startHostileWebdav(folder({ [link]: file(stored, { etag: '"md5-of-it"' }) }));
  server.mischief = redirecting(() => store.url + link);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
});

/** GETs and HEADs of the file are sent away; 302 unless another status is given. */
const redirecting =
  (to: () => string, status = 302): Mischief =>
  ({ method, path }, response) => {
    if (method === 'PROPFIND' || !path.endsWith('from-store.bin')) return undefined;
    end(response, status, { location: to() });
    return true;
  };

async function readIt(options: { redirects: RedirectRule | undefined } = { redirects: loopback }) {
  await using source = openSource(server.url, options);
  const { content, reading } = await read(source, await find(source, 'from-store.bin'));
  return { text: content.toString(), validator: reading.validator };
}
const tokensAtStore = () =>
  store.heard.filter(({ headers }) => headers.authorization ?? headers.dpop ?? headers.cookie);

describe('a file that the server redirects to another host for', () => {
  test.each([301, 302, 307, 308])('by %i is fetched there, without the token', async (status) => {
    server.mischief = redirecting(() => store.url + link, status);
    expect(await readIt()).toEqual({ text: stored, validator: '"v1"' });
    expect(store.heard.map(({ method, path }) => ({ method, path }))).toEqual([
      { method: 'GET', path: `/dav/${link}` },
    ]);
    expect(tokensAtStore()).toEqual([]);
  });

  test('is not where that is turned off, nor where the address is not on the internet', async () => {
    for (const redirects of [undefined, publicHttps])
      await expect(readIt({ redirects })).rejects.toMatchObject({ code: 'source/refused-redirect' });
    expect(store.heard).toEqual([]);
  });

  test('is the only thing that is: no listing of another host is taken', async () => {
    server.mischief = ({ method }, response) => {
      if (method !== 'PROPFIND') return undefined;
      end(response, 307, { location: store.url });
      return true;
    };
    await using source = openSource(server.url, { redirects: loopback });
    await expect(find(source, 'own.txt')).rejects.toMatchObject({ code: 'source/refused-redirect' });
    expect(store.heard).toEqual([]);
  });

  test('leaves what is not redirected to the own server, with the token', async () => {
    await using source = openSource(server.url, { redirects: loopback });
    expect((await read(source, await find(source, 'own.txt'))).content.toString()).toBe('own');
    expect(store.heard).toEqual([]);
  });

  test('may be sent on there, but never gets the token again, not even by the own server', async () => {
    store.mischief = ({ path }, response) => {
      if (path !== `/dav/${link}`) return undefined;
      end(response, 307, { location: `${server.url}own.txt` });
      return true;
    };
    await expect(readIt()).rejects.toMatchObject({ code: 'source/malformed' });
    const own = server.heard.filter(({ path }) => path === '/dav/own.txt');
    expect(own.length).toBeGreaterThan(0);
    expect(own.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test.each([
    'file:///etc/passwd',
    'ftp://files.example/x',
    'https://127.0.0.1/x',
    'http://10.0.0.1/x',
    'http://[::1]/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'https://0251.0376.0251.0376/x',
    'https://[::ffff:169.254.169.254]/x',
    'https://[::ffff:a9fe:a9fe]/x',
    'https://[64:ff9b::a9fe:a9fe]/x',
    'https://[fe80::1]/x',
    'https://[fd00::1]/x',
    'https://0/x',
  ])('is not asked for at %s', async (address) => {
    server.mischief = redirecting(() => address);
    for (const redirects of [loopback, publicHttps])
      await expect(readIt({ redirects })).rejects.toMatchObject({ code: 'source/refused-redirect' });
  });

  test('is given up where redirects never end', async () => {
    store.mischief = ({ path }, response) => {
      end(response, 302, { location: `${path}x` });
      return true;
    };
    await expect(readIt()).rejects.toMatchObject({ code: 'source/malformed' });
    expect(store.heard.length).toBeLessThan(20);
  });

  test.each([
    ['a sign-in page', 200, { 'content-type': 'text/html' }, 'Sign in', 'source/malformed'],
    ['another length', 200, {}, 'cut', 'source/malformed'],
    ['nothing', 200, {}, '', 'source/malformed'],
    ['a refusal', 403, {}, '', 'source/forbidden'],
    ['a refusal for want of a token, which ends nothing', 401, {}, '', 'source/forbidden'],
    ['no such object', 404, {}, '', 'source/not-found'],
  ])('is refused where the other host answers %s', async (_, status, headers, body, code) => {
    store.mischief = (_, response) => {
      end(response, status, headers, body);
      return true;
    };
    await expect(readIt()).rejects.toMatchObject({ code });
  });

  test('is asked for by a new link where the other host is away for a moment, and given up in the end', async () => {
    let asked = 0;
    store.mischief = (_, response) => {
      if (++asked === 1) return response.destroy() && true;
      if (asked > 2) return undefined;
      end(response, 503);
      return true;
    };
    expect((await readIt()).text).toBe(stored);
    expect(server.heard.filter(({ method }) => method === 'GET')).toHaveLength(3);
    store.mischief = (_, response) => {
      end(response, 503);
      return true;
    };
    await expect(readIt()).rejects.toMatchObject({ code: 'source/unavailable' });
  });

  test('goes on where a long transfer broke, by a new link', async () => {
    const long = Buffer.alloc(600_000, 'a large object; ');
    Object.assign(server.root.children?.get('from-store.bin') ?? {}, { content: long });
    const object = Object.assign(store.root.children?.get(link) ?? {}, { content: long });
    store.mischief = ({ before }, response) => {
      if (before > 0) return undefined;
      breakAfter(300_000, object, response);
      return true;
    };
    expect((await readIt()).text).toBe(long.toString());
    expect(store.heard[1]?.headers).toMatchObject({ range: /^bytes=\d+-$/, 'if-match': '"md5-of-it"' });
    expect(tokensAtStore()).toEqual([]);
  });
});

describe('a name that is looked up', () => {
  const timeouts = { connectTimeoutMs: 1_000, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 };
  const asked = async (rule: RedirectRule, ...addresses: string[]) => {
    await using elsewhere: Elsewhere = openElsewhere({
      rule,
      timeouts,
      limits: { headerBytes: 16_384, leastBytesPerSecond: 1, requests: { least: 16, most: 16 } },
      clock: systemClock(),
      onRequest: () => {},
      lookup: (_, __, callback) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    });
    const { port } = new URL(store.url);
    const request = { method: 'GET', path: '', headers: [], receive: () => undefined } as const;
    return await elsewhere.send(request, new URL(`http://store.example:${port}/dav/${link}`), never);
  };

  test('is connected to at the address that was looked at', async () => {
    expect((await asked(loopback, '127.0.0.1')).head.status).toBe(200);
    expect(store.heard[0]?.headers.host).toMatch(/^store\.example:/);
  });

  test.each([
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['::1'],
    ['127.0.0.1', '10.1.2.3'],
    ['93.184.216.34', '::ffff:127.0.0.1'],
  ])('is refused where it stands for %s', async (...addresses) => {
    for (const rule of [publicHttps, loopback])
      await expect(asked(rule, ...addresses)).rejects.toMatchObject({ code: 'source/refused-redirect' });
    expect(store.heard).toEqual([]);
  });
});

test('a name that stands for another address each time it is looked up is connected to at none that is refused', async () => {
  const answers = ['127.0.0.1', '10.0.0.1', '127.0.0.1'];
  await using elsewhere: Elsewhere = openElsewhere({
    rule: loopback,
    timeouts: { connectTimeoutMs: 1_000, headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 },
    limits: { headerBytes: 16_384, leastBytesPerSecond: 1, requests: { least: 16, most: 16 } },
    clock: systemClock(),
    onRequest: () => {},
    lookup: (_, __, callback) => callback(null, [{ address: answers.shift() ?? '', family: 4 }]),
  });
  store.mischief = (_, response) => {
    end(response, 200, { connection: 'close' }, stored);
    return true;
  };
  const url = new URL(`http://store.example:${new URL(store.url).port}/dav/${link}`);
  const request = { method: 'GET', path: '', headers: [], receive: () => undefined } as const;
  const ask = () => elsewhere.send(request, url, never);
  expect((await ask()).head.status).toBe(200);
  await expect(ask()).rejects.toMatchObject({ code: 'source/refused-redirect' });
  expect((await ask()).head.status).toBe(200);
  expect(store.heard).toHaveLength(2);
});

test('addresses inside are allowed only where the settings name their network', () => {
  const inside = new BlockList();
  inside.addSubnet('10.1.0.0', 16, 'ipv4');
  inside.addSubnet('fd00:1::', 64, 'ipv6');
  const { allowsIp } = httpsElsewhere(inside);
  for (const ip of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00:1::5', '93.184.216.34'])
    expect([ip, allowsIp(ip)]).toEqual([ip, true]);
  for (const ip of ['10.2.0.1', '127.0.0.1', '169.254.169.254', '::ffff:10.2.0.1', 'fd00:2::5', '::1', 'fe80::1', '::'])
    expect([ip, allowsIp(ip)]).toEqual([ip, false]);
});

test('only https without a name and password is allowed on the internet', () => {
  const allowed = (url: string) => publicHttps.allowsUrl(new URL(url));
  expect(allowed('https://bucket.example/x?signature=y')).toBe(true);
  for (const url of ['http://bucket.example/x', 'https://me:secret@bucket.example/x', 'data:text/plain,x', 'file:///x'])
    expect(allowed(url)).toBe(false);
});

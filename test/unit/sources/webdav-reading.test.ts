import { describe, expect, test } from 'vitest';
import { openServers } from '../../../src/sources/http/server.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { contentOf, find, never, openSource } from '../../support/fixtures/open-source.ts';
import {
  breakAfter,
  end,
  file,
  folder,
  type HostileNode,
  longAgo,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

const long = Buffer.alloc(1_000_000, 'all of it ');
const later = new Date('2020-01-02T00:00:00Z');

/** Reads file.bin of a server that does this mischief to GETs. */
async function readFile(node: HostileNode, mischief: Mischief = () => undefined) {
  await using server = await startHostileWebdav(folder({ 'file.bin': node }));
  server.mischief = (request, response) => (request.method === 'PROPFIND' ? undefined : mischief(request, response));
  await using source = openSource(server.url);
  const reading = await source.open(await find(source, 'file.bin'), never);
  return { reading, content: await contentOf(reading), gets: server.heard.filter(({ method }) => method === 'GET') };
}

const firstBreaks =
  (node: HostileNode, meanwhile: () => void = () => {}): Mischief =>
  (request, response) => {
    if (request.method !== 'GET' || request.before > 0) return undefined;
    breakAfter(400_000, node, response);
    meanwhile();
    return true;
  };

describe('a transfer that breaks', () => {
  test('goes on where it broke, for the same ETag only', async () => {
    const node = file(long, { etag: '"v1"' });
    const { content, gets } = await readFile(node, firstBreaks(node));
    expect(content.equals(long)).toBe(true);
    expect(gets).toHaveLength(2);
    expect(gets[1]?.headers).toMatchObject({ range: /^bytes=[1-9]\d*-$/, 'if-match': '"v1"' });
  });

  test.each([[undefined], ['W/"v1"']])('goes on by the time of change where the ETag is %s', async (etag) => {
    const node: HostileNode = { content: long, modified: longAgo, ...(etag ? { etag } : {}) };
    const { content, gets } = await readFile(node, firstBreaks(node));
    expect(content.equals(long)).toBe(true);
    expect(gets[1]?.headers['if-unmodified-since']).toBe(longAgo.toUTCString());
  });

  test('is not gone on with when nothing says that it is the same file', async () => {
    const node: HostileNode = { content: long };
    await expect(readFile(node, firstBreaks(node))).rejects.toMatchObject({ code: 'source/unavailable' });
  });

  test('reads from the start, and skips, where the server knows no ranges', async () => {
    const node = file(long, { etag: '"v1"' });
    const { content } = await readFile(node, (request, response) => {
      if (firstBreaks(node)(request, response)) return true;
      if (request.method !== 'GET') return undefined;
      end(response, 200, { etag: '"v1"' }, long.toString());
      return true;
    });
    expect(content.equals(long)).toBe(true);
  });

  test.each<[string, (node: HostileNode) => void, string]>([
    ['changed meanwhile', (node) => Object.assign(node, { etag: '"v2"' }), 'source/changed'],
    ['shrank meanwhile', (node) => Object.assign(node, { content: Buffer.from('x'), etag: '"v2"' }), 'source/changed'],
  ])('of a file that %s fails', async (_, change, code) => {
    const node = file(long, { etag: '"v1"' });
    await expect(
      readFile(
        node,
        firstBreaks(node, () => change(node)),
      ),
    ).rejects.toMatchObject({ code });
  });

  test('of a file that vanished meanwhile fails as not found', async () => {
    const node = file(long, { etag: '"v1"' });
    const gone: Mischief = (request, response) => {
      if (firstBreaks(node)(request, response)) return true;
      end(response, 404);
      return true;
    };
    await expect(readFile(node, gone)).rejects.toMatchObject({ code: 'source/not-found' });
  });

  test('whose rest comes in another version fails, whatever the status', async () => {
    const node = file(long, { etag: '"v1"' });
    for (const status of [200, 206]) {
      const other: Mischief = (request, response) => {
        if (firstBreaks(node)(request, response)) return true;
        end(response, status, { etag: '"v2"', 'content-range': 'bytes 1-999999/1000000' }, long.toString());
        return true;
      };
      await expect(readFile(node, other)).rejects.toMatchObject({ code: 'source/changed' });
    }
  });

  test('whose rest is another part fails', async () => {
    const node = file(long, { etag: '"v1"' });
    const other: Mischief = (request, response) => {
      if (firstBreaks(node)(request, response)) return true;
      end(response, 206, { etag: '"v1"', 'content-range': 'bytes 5-999999/1000000' }, long.subarray(5).toString());
      return true;
    };
    await expect(readFile(node, other)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('again and again is given up', async () => {
    const node = file(long, { etag: '"v1"' });
    let gets = 0;
    const always: Mischief = ({ headers }, response) => {
      gets++;
      const start = Number(/\d+/.exec(headers.range ?? '0')?.[0]);
      const part = {
        'content-range': `bytes ${start}-999999/1000000`,
        'content-length': 1_000_000 - start,
        etag: '"v1"',
      };
      response.writeHead(start > 0 ? 206 : 200, part);
      response.write(long.subarray(start, start + 50), () => response.destroy());
      return true;
    };
    await expect(readFile(node, always)).rejects.toMatchObject({ code: 'source/unavailable' });
    expect(gets).toBeLessThan(40);
  });
});

describe('what is not the whole file never passes for it', () => {
  const small = file('0123456789', { etag: '"v1"' });
  const giving =
    (status: number, headers: Record<string, string>, body = ''): Mischief =>
    (_, response) => {
      end(response, status, headers, body);
      return true;
    };
  const shorter: Mischief = (_, response) => {
    breakAfter(4, small, response);
    return true;
  };
  const endingEarly: Mischief = (_, response) => {
    response.write(long.subarray(0, 500_000));
    response.end();
    return true;
  };
  const withoutLength: Mischief = (_, response) => {
    response.socket?.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ncut');
    return true;
  };
  const signIn: Mischief = ({ path }, response) => {
    if (path === '/login') end(response, 200, { 'content-type': 'text/html' }, '<html>Sign in');
    else end(response, 302, { location: '/login' });
    return true;
  };
  test.each<[string, HostileNode, Mischief, string]>([
    ['a body shorter than announced', small, shorter, 'source/unavailable'],
    ['a body that ends early, announced without a length', file(long), endingEarly, 'source/changed'],
    [
      'a body of another length than listed, of the same version',
      small,
      giving(200, { etag: '"v1"' }, '01234'),
      'source/malformed',
    ],
    [
      'a part that nobody asked for',
      small,
      giving(206, { 'content-range': 'bytes 0-9/10' }, '0123456789'),
      'source/malformed',
    ],
    ['an empty answer', small, giving(204, {}), 'source/malformed'],
    ['a compressed form', small, giving(200, { 'content-encoding': 'gzip' }, 'xyz'), 'source/malformed'],
    ['a page that a redirect leads to', small, signIn, 'source/malformed'],
    ['a body whose end nobody can tell', { ...small, hideSize: true }, withoutLength, 'source/malformed'],
  ])('%s', async (_, node, mischief, code) => {
    await expect(readFile(node, mischief)).rejects.toMatchObject({ code });
  });

  test('a long file that changed while it was read, without the connection ever breaking', async () => {
    const node = file(long, { etag: '"v1"' });
    const change: Mischief = ({ method }) => {
      if (method === 'HEAD') Object.assign(node, { etag: '"v2"', modified: later });
      return undefined;
    };
    await expect(readFile(node, change)).rejects.toMatchObject({ code: 'source/changed' });
  });

  test('but a file stored compressed may be announced so', async () => {
    const { content } = await readFile(small, (_, response) => {
      end(response, 200, { 'content-encoding': 'x-gzip', etag: small.etag ?? '' }, '0123456789');
      return true;
    });
    expect(content.toString()).toBe('0123456789');
  });
});

describe('the validator of a reading', () => {
  test('is that of the listing, also where the GET has another form', async () => {
    const node: HostileNode = { content: Buffer.from('abc'), modified: longAgo };
    const otherForm: Mischief = (_, response) => {
      end(response, 200, { etag: '"5e0be100-3"', 'last-modified': longAgo.toUTCString() }, 'abc');
      return true;
    };
    const { reading } = await readFile(node, otherForm);
    expect(reading.validator).toBe(`mtime ${longAgo.getTime()} size 3`);
  });

  test('is absent when the file changed between listing and reading, and the reading says what it read', async () => {
    const changed: Mischief = (_, response) => {
      end(response, 200, { etag: '"v2"', 'last-modified': later.toUTCString() }, 'abcd');
      return true;
    };
    const { reading, content } = await readFile(file('abc', { etag: '"v1"' }), changed);
    expect(reading).toMatchObject({ size: 4, modified: later });
    expect(reading.validator).toBeUndefined();
    expect(content.toString()).toBe('abcd');
  });
});

describe('connections', () => {
  test('are never more than the cap, whatever two runs ask for at once', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, file(`file ${n}`)]));
    await using server = await startHostileWebdav(folder(files));
    const servers = openServers(manualClock('2026-11-23T01:00:00Z'));
    await using one = openSource(server.url, { servers, connections: 3 });
    await using other = openSource(server.url, { servers, connections: 3 });
    const readAll = async (source: typeof one) => {
      const { members } = await source.list(source.root, never);
      return Promise.all(members.map(async (member) => contentOf(await source.open(member, never))));
    };
    await Promise.all([readAll(one), readAll(other)]);
    expect(server.mostAtOnce()).toBeLessThanOrEqual(3);
    expect(one.traffic.requests + other.traffic.requests).toBe(82);
  });

  test('come back from a reader who leaves early, and from a run that is aborted before it reads', async () => {
    await using server = await startHostileWebdav(folder({ long: file(long), short: file('short') }));
    await using source = openSource(server.url, { connections: 1 });
    const entry = await find(source, 'long');
    for await (const _ of (await source.open(entry, never)).body) break;
    const stop = new AbortController();
    await source.open(entry, stop.signal);
    stop.abort(new Error('stopped'));
    expect((await contentOf(await source.open(await find(source, 'short'), never))).toString()).toBe('short');
  });

  test('wait for a slow reader instead of filling memory', async () => {
    const huge = Buffer.alloc(30_000_000, 1);
    await using server = await startHostileWebdav(folder({ huge: file(huge) }));
    await using source = openSource(server.url);
    const { body } = await source.open(await find(source, 'huge'), never);
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    for (let settled = -1; settled !== source.traffic.bytes; ) {
      settled = source.traffic.bytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(source.traffic.bytes).toBeLessThan(3_000_000);
    await reader.return?.();
  });
});

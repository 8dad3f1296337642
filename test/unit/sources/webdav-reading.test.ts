import { describe, expect, test } from 'vitest';
import { defaultTransferLimits, openServers } from '../../../src/sources/http/server.ts';
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

/** Reads file.bin, once, of a server that does this mischief to GETs and HEADs. */
async function readFile(node: HostileNode, mischief: Mischief = () => undefined) {
  await using server = await startHostileWebdav(folder({ 'file.bin': node }));
  server.mischief = (request, response) => (request.method === 'PROPFIND' ? undefined : mischief(request, response));
  await using source = openSource(server.url);
  const reading = await source.open(await find(source, 'file.bin'), never);
  return { content: await contentOf(reading), gets: server.heard.filter(({ method }) => method === 'GET') };
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
    await expect(readFile(node, other)).rejects.toMatchObject({ code: 'source/changed', message: /different part/ });
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

describe('a file that changes while it is read', () => {
  test('shows in the end, without the connection ever breaking', async () => {
    const node = file(long, { etag: '"v1"' });
    const change: Mischief = ({ method }) => {
      if (method === 'HEAD') Object.assign(node, { etag: '"v2"', modified: later });
      return undefined;
    };
    await expect(readFile(node, change)).rejects.toMatchObject({ code: 'source/changed', retry: { afterMs: 0 } });
  });
});

describe('connections', () => {
  const serversOf = (most: number) =>
    openServers(manualClock('2026-11-23T01:00:00Z'), { ...defaultTransferLimits, requests: { least: 1, most } });

  test('are never more than the cap, whatever two runs ask for at once', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, file(`file ${n}`)]));
    await using server = await startHostileWebdav(folder(files));
    const servers = serversOf(3);
    await using one = openSource(server.url, { servers });
    await using other = openSource(server.url, { servers });
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
    await using source = openSource(server.url, { servers: serversOf(1) });
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
    if (!(Symbol.asyncIterator in body)) return expect.fail('It is here as a whole.');
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    // Sender and reader share this process: what does not come in so many turns of it is held back.
    for (let settled = -1; settled !== source.traffic.bytes; ) {
      settled = source.traffic.bytes;
      for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate);
    }
    expect(source.traffic.bytes).toBeLessThan(3_000_000);
    await reader.return?.();
  });
});

describe('a part of a file, from a byte on', () => {
  /** Opens file.bin from its 600,000th byte on, of a server that does this mischief to GETs and HEADs. */
  async function readRest(node: HostileNode, mischief: Mischief = () => undefined) {
    await using server = await startHostileWebdav(folder({ 'file.bin': node }));
    server.mischief = (request, response) => (request.method === 'PROPFIND' ? undefined : mischief(request, response));
    await using source = openSource(server.url);
    const reading = await source.openRest?.(await find(source, 'file.bin'), 600_000, never);
    const content = reading && (await contentOf(reading));
    return { content, size: reading?.size, gets: server.heard.filter(({ method }) => method === 'GET') };
  }

  test.each([
    ['ETag', { etag: '"v1"' }, '"v1"'],
    ['time of change', {}, longAgo.toUTCString()],
  ])('is asked for by the %s that was listed, and is just that part', async (_, version, condition) => {
    const { content, size, gets } = await readRest({ content: long, modified: longAgo, ...version });
    expect(content?.equals(long.subarray(600_000))).toBe(true);
    expect(size).toBe(400_000);
    expect(gets.map(({ headers }) => headers)).toMatchObject([{ range: 'bytes=600000-', 'if-range': condition }]);
  });

  test('goes on where its transfer broke', async () => {
    const node = file(long, { etag: '"v1"' });
    const { content, gets } = await readRest(node, ({ method, before, headers }, response) => {
      if (method !== 'GET' || before > 0) return undefined;
      const part = long.subarray(600_000);
      const range = `bytes 600000-${long.length - 1}/${long.length}`;
      response.writeHead(206, { etag: '"v1"', 'content-range': range, 'content-length': part.length });
      response.write(part.subarray(0, 100_000), () => response.destroy());
      return headers.range !== undefined;
    });
    expect(content?.equals(long.subarray(600_000))).toBe(true);
    expect(gets).toHaveLength(2);
  });

  test.each<[string, number, Record<string, string>]>([
    ['the whole file', 200, { etag: '"v1"' }],
    ['a part of another version', 206, { etag: '"v2"', 'content-range': 'bytes 600000-999999/1000000' }],
    ['a part of no version', 206, { 'content-range': 'bytes 600000-999999/1000000' }],
    ['another part', 206, { etag: '"v1"', 'content-range': 'bytes 500000-999999/1000000' }],
    ['a part of a longer file', 206, { etag: '"v1"', 'content-range': 'bytes 600000-999999/1000001' }],
    [
      'a part that is encoded',
      206,
      { etag: '"v1"', 'content-range': 'bytes 600000-999999/1000000', 'content-encoding': 'gzip' },
    ],
    ['that the part cannot be had', 416, {}],
  ])('is not to be had where the server answers %s', async (_, status, headers) => {
    const { content } = await readRest(file(long, { etag: '"v1"' }), ({ method }, response) => {
      if (method === 'GET') end(response, status, headers, 'x'.repeat(400_000));
      return method === 'GET' || undefined;
    });
    expect(content).toBeUndefined();
  });

  test.each([['W/"v1"'], [undefined]])('is not asked for where the version is listed as %s', async (etag) => {
    const { content, gets } = await readRest({ content: long, ...(etag && { etag }) });
    expect(content).toBeUndefined();
    expect(gets).toEqual([]);
  });

  test('is refused where the file changed while it was read', async () => {
    const node = file(long, { etag: '"v1"' });
    const reading = readRest(node, ({ method }) => {
      if (method === 'HEAD') node.etag = '"v2"';
      return undefined;
    });
    await expect(reading).rejects.toMatchObject({ code: 'source/changed', retry: {} });
  });
});

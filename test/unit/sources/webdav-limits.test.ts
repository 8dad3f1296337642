import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openMemoryBudget } from '../../../src/memory-budget.ts';
import type { WebdavOptions } from '../../../src/sources/dav/webdav.ts';
import { openServers } from '../../../src/sources/http/server.ts';
import { type ManualClock, manualClock } from '../../support/fixtures/manual-clock.ts';
import { find, never, openSource, read } from '../../support/fixtures/open-source.ts';
import {
  end,
  file,
  folder,
  type HostileWebdav,
  listingOf,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

const [second, day] = [1_000, 86_400_000];
const content = Buffer.alloc(300_000, 'content ');
const tree = () => folder({ 'a.bin': file(content) });

/** A source whose time stands still until the server moves it. */
async function withSource<T>(
  work: (source: ReturnType<typeof openSource>, server: HostileWebdav, clock: ManualClock) => Promise<T>,
  options: Partial<WebdavOptions> = {},
  transfer?: Parameters<typeof openServers>[1],
): Promise<T> {
  await using server = await startHostileWebdav(tree());
  const clock = manualClock('2026-11-23T01:00:00Z');
  await using source = openSource(server.url, { clock, servers: openServers(clock, transfer), ...options });
  return await work(source, server, clock);
}

/** Sends byte by byte, so many milliseconds between two, until nobody takes any more. */
async function drip(body: Buffer, response: ServerResponse, clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at++) {
    await new Promise((resolve) => response.write(body.subarray(at, at + 1), resolve));
    await setImmediate();
    await clock.advance(ms);
  }
  response.end();
}
const dripping =
  (method: string, status: number, body: Buffer, clock: ManualClock, ms: number): Mischief =>
  (request, response) => {
    if (request.method !== method) return undefined;
    response.writeHead(status, method === 'GET' ? { etag: '"300000-1"', 'content-length': body.length } : {});
    void drip(body, response, clock, ms);
    return true;
  };

describe('responses that only say that one will come', () => {
  const interim =
    (times: number): Mischief =>
    ({ method }, response) => {
      if (method !== 'PROPFIND') return undefined;
      void (async () => {
        for (let sent = 0; sent < times && !response.destroyed; sent++)
          await new Promise<void>((resolve) => response.writeProcessing(() => setTimeout(resolve)));
        if (!response.destroyed) response.writeHead(207).end(listingOf(tree(), { path: '/dav/', headers: {} }));
      })();
      return true;
    };

  test('are waited through, some of them', async () => {
    await withSource(async (source, server) => {
      server.mischief = interim(20);
      expect((await source.list(source.root, never)).members).toHaveLength(1);
    });
  });

  test('do not hold a request for ever, and it is not sent again', async () => {
    await withSource(async (source, server) => {
      server.mischief = interim(100_000);
      await expect(source.list(source.root, never)).rejects.toMatchObject({
        code: 'source/malformed',
        message: expect.stringContaining('1xx'),
      });
      expect(server.heard).toHaveLength(1);
    });
  });
});

describe('a server that sends a byte every twenty seconds', () => {
  const slow = { code: 'source/too-slow', message: expect.stringMatching(/LEAST_RATE/) };

  test('is left after a minute or two: a listing', async () => {
    await withSource(async (source, server, clock) => {
      const body = Buffer.from(listingOf(tree(), { path: '/dav/', headers: {} }));
      server.mischief = dripping('PROPFIND', 207, body, clock, 20 * second);
      const before = clock.elapsed();
      await expect(source.list(source.root, never)).rejects.toMatchObject(slow);
      expect(clock.elapsed() - before).toBeLessThan(180 * second);
      expect(server.heard).toHaveLength(1);
    });
  });

  test.each([
    ['a long file', content],
    ['a short one', content.subarray(0, 5_000)],
  ])('is left after a minute or two: %s', async (_, body) => {
    await withSource(async (source, server, clock) => {
      const entry = await find(source, 'a.bin');
      server.mischief = dripping('GET', 200, body, clock, 20 * second);
      const before = clock.elapsed();
      await expect(read(source, { ...entry, size: body.length })).rejects.toMatchObject(slow);
      expect(clock.elapsed() - before).toBeLessThan(180 * second);
    });
  });

  test('and so is one that refuses as slowly', async () => {
    await withSource(async (source, server, clock) => {
      server.mischief = dripping('PROPFIND', 403, content, clock, 20 * second);
      await expect(source.list(source.root, never)).rejects.toMatchObject(slow);
    });
  });
});

test('a file whose reader takes a day is not held against its server', async () => {
  await withSource(async (source, server, clock) => {
    const long = Buffer.alloc(8 * 1024 * 1024, 'long ');
    server.root.children?.set('long.bin', file(long));
    const { body } = await source.open(await find(source, 'long.bin'), never);
    while (source.traffic.bytes < 512 * 1024) await setImmediate();
    await clock.advance(day);
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.length;
    expect(bytes).toBe(long.length);
  });
});

test('a listing may take its time and not more, all pages together', async () => {
  const list = (ms: number, perPage: number) =>
    withSource(
      async (source, server, clock) => {
        server.mischief = (request, response) => {
          const page = Number(/page=(\d)/.exec(request.path)?.[1] ?? '1');
          void clock.advance(perPage).then(() => {
            const link: Record<string, string> = page < 3 ? { link: `<?page=${page + 1}>; rel="next"` } : {};
            end(response, 207, link, listingOf(tree(), { path: '/dav/', headers: {} }));
          });
          return true;
        };
        return await source.list(source.root, never);
      },
      { limits: { ms } },
    );
  expect((await list(90 * second, 30 * second)).members).toHaveLength(1);
  await expect(list(90 * second - 1, 30 * second)).rejects.toMatchObject({
    code: 'source/too-slow',
    message: expect.stringMatching(/more than 90 seconds \(LISTING_TIME\)/),
  });
});

describe('the limit of bytes of a file', () => {
  const endless: Mischief = ({ method }, response) => {
    if (method !== 'GET') return undefined;
    response.writeHead(200, { etag: '"300000-1"' });
    const send = () => {
      while (!response.destroyed) if (!response.write(content)) return void response.once('drain', send);
    };
    send();
    return true;
  };
  const readWith = (fileBytes: number, mischief: Mischief = () => undefined) =>
    withSource(
      async (source, server) => {
        const entry = await find(source, 'a.bin');
        server.mischief = mischief;
        return (await read(source, entry)).content.length;
      },
      { fileBytes },
    );
  const large = { code: 'source/too-large', message: expect.stringMatching(/FILE_BYTES/) };

  test('at it the file is read, one beyond it is a problem of that file', async () => {
    expect(await readWith(content.length)).toBe(content.length);
    await expect(readWith(content.length - 1)).rejects.toMatchObject(large);
  });

  test('ends one that never ends', async () => {
    await expect(readWith(1_000_000, endless)).rejects.toMatchObject(large);
  });
});

test('headers may be as long as their limit and no longer, and are not asked for again', async () => {
  const list = (bytes: number) =>
    withSource(
      async (source, server) => {
        server.mischief = (_, response) => {
          const more = Object.fromEntries(Array.from({ length: bytes / 1_000 }, (_, n) => [`x-${n}`, 'x'.repeat(990)]));
          end(response, 207, more, listingOf(tree(), { path: '/dav/', headers: {} }));
          return true;
        };
        return await source.list(source.root, never).then(
          ({ members }) => members.length,
          (error: unknown) => ({ error, heard: server.heard.length }),
        );
      },
      {},
      { headerBytes: 16_384, leastBytesPerSecond: 1, requests: { least: 16, most: 16 } },
    );
  expect(await list(16_000)).toBe(1);
  expect(await list(17_000)).toMatchObject({
    error: { code: 'source/too-large', message: expect.stringMatching(/HEADER_BYTES/) },
    heard: 1,
  });
});

test('a refusal is read for a moment only, and means what its status says, whatever its body', async () => {
  await withSource(async (source, server) => {
    const entry = await find(source, 'a.bin');
    let sent = 0;
    server.mischief = ({ method }, response) => {
      if (method !== 'GET') return undefined;
      response.writeHead(403);
      const send = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += content.length;
          if (!response.write(content)) return void response.once('drain', send);
        }
        response.end();
      };
      send();
      return true;
    };
    await expect(read(source, entry)).rejects.toMatchObject({ code: 'source/forbidden' });
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(20_000_000);
  });
});

test('an answer about one file is not longer than one file needs', async () => {
  await withSource(async (source, server) => {
    const entry = await find(source, 'a.bin');
    let sent = 0;
    server.mischief = ({ method, headers }, response) => {
      if (method === 'GET') {
        end(response, 200, { etag: '"other"' }, 'x'.repeat(10));
        return true;
      }
      if (headers.depth !== '0') return undefined;
      response.writeHead(207);
      response.write('<d:multistatus xmlns:d="DAV:">');
      const member = `<d:response><d:href>/dav/x</d:href><d:status>HTTP/1.1 200 OK</d:status></d:response>`.repeat(
        1_000,
      );
      const send = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += member.length;
          if (!response.write(member)) return void response.once('drain', send);
        }
        response.end('</d:multistatus>');
      };
      send();
      return true;
    };
    await expect(read(source, entry)).rejects.toMatchObject({ code: expect.stringMatching(/^source\//) });
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(20_000_000);
  });
});

test('a listing that finds no memory beside what else is listed is a problem of its folder, and gives back what it took', async () => {
  await withSource(
    async (source, server) => {
      const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, file('x')]));
      server.root.children?.set('many', folder(many));
      const collection = await find(source, 'many');
      await expect(source.list(collection, never)).rejects.toMatchObject({
        code: 'source/too-large',
        message: expect.stringMatching(/LISTINGS_MEMORY/),
      });
      for (let n = 0; n < 20; n++) expect((await source.list(source.root, never)).members).toHaveLength(2);
    },
    { memory: openMemoryBudget(20 * 1024) },
  );
});

describe('a run that has had its part of the thread', () => {
  const names = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.txt`, file('x')]));

  /** Two runs on one server, which began before they came to it. The thread is busy for two seconds, with much that the first did, while that one waits for its listing, and with nothing afterwards. */
  async function withTwo(
    work: (runs: Record<'greedy' | 'other', ReturnType<typeof openSource>> & { clock: ManualClock }) => Promise<void>,
  ) {
    await using server = await startHostileWebdav(folder(names(2_000)));
    const clock = manualClock('2026-11-23T01:00:00Z');
    const busyUntil = clock.elapsed() + 2 * second;
    const servers = openServers(clock, undefined, () => Math.min(clock.elapsed(), busyUntil));
    using processor = servers.processor.open();
    using others = servers.processor.open();
    await using greedy = openSource(server.url, { clock, servers, processor, limits: { ms: 2.2 * second } });
    await using other = openSource(server.url, { clock, servers, processor: others });
    server.mischief = ({ path, headers, before }, response) => {
      if (before > 0) return false;
      const answer = async () => {
        for (; clock.elapsed() < busyUntil; await clock.advance(20)) processor.did(20);
        end(response, 207, {}, listingOf(server.root, { path, headers }));
      };
      void answer();
      return true;
    };
    await work({ greedy, other, clock });
  }

  const isDone = async (promise: Promise<unknown>) => {
    let done = false;
    void promise.then(() => {
      done = true;
    });
    for (let turns = 0; turns < 100; turns++) await setImmediate();
    return done;
  };

  test('waits in the middle of a listing, which does not count as time of the server, and before the next, and others go on', async () => {
    await withTwo(async ({ greedy, other, clock }) => {
      const listing = greedy.list(greedy.root, never);
      expect(await isDone(listing)).toBe(false);
      const again = greedy.list(greedy.root, never);
      await other.list(other.root, never);
      expect(await isDone(Promise.race([listing, again]))).toBe(false);
      const both = Promise.all([listing, again]);
      const before = clock.elapsed();
      while (!(await isDone(both)) && clock.elapsed() < before + 10 * second) await clock.advance(100);
      expect(clock.elapsed() - before).toBeGreaterThan(0.3 * second);
      expect((await listing).members).toHaveLength(2_000);
      expect((await again).members).toHaveLength(2_000);
    });
  });
});

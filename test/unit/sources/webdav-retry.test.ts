import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { openServers } from '../../../src/sources/http/server.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { contentOf, find, heardLog, memberNamed, never, openSource } from '../../support/fixtures/open-source.ts';
import { end, file, folder, type Mischief, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';

const clock = () => manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
const tree = () => folder({ a: file('a'), b: file('b') });
const failing =
  (times: number, harm: Mischief): Mischief =>
  (request, response) =>
    request.before < times ? harm(request, response) : undefined;
const giving =
  (status: number, headers: Record<string, string> = {}): Mischief =>
  (_, response) => {
    end(response, status, headers);
    return true;
  };
const reset: Mischief = (_, response) => {
  response.destroy();
  return true;
};

describe('a failure that may pass', () => {
  test.each<[string, Mischief]>([
    ['500', giving(500)],
    ['502', giving(502)],
    ['503 without a time', giving(503)],
    ['429 without a time', giving(429)],
    ['423 locked', giving(423)],
  ])('is retried, ever more slowly: %s', async (_, harm) => {
    await using server = await startHostileWebdav(tree());
    server.mischief = failing(3, harm);
    const time = clock();
    await using source = openSource(server.url, { clock: time });
    expect((await source.list(source.root, never)).members).toHaveLength(2);
    expect(server.heard).toHaveLength(4);
    expect(time.elapsed() - Date.parse('2026-11-23T01:00:00Z')).toBe(500 + 1000 + 2000);
  });

  test('is told as what it is where no TLS is spoken', async () => {
    await using server = await startHostileWebdav(tree());
    await using source = openSource(server.url.replace('http:', 'https:'), { clock: clock() });
    await expect(source.list(source.root, never)).rejects.toThrow('The server speaks no TLS at that port.');
  });

  test.each([
    ['TLS, where http:// was asked', Buffer.from([0x15, 3, 1, 0, 2, 2, 70])],
    ['the greeting of another protocol', Buffer.from('220 mail.example ESMTP\r\n')],
    ['two lengths', Buffer.from('HTTP/1.1 207 Multi-Status\r\ncontent-length: 7\r\ncontent-length: 3\r\n\r\nshorter')],
  ])('is told as what it is where the answer is no HTTP: %s', async (_, answer) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(answer)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await using _closing = { [Symbol.asyncDispose]: async () => void server.close() };
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/dav/`;
    await using source = openSource(url, { clock: clock() });
    await expect(source.list(source.root, never)).rejects.toThrow('What the server answers is no HTTP.');
  });

  test.each([1, 2])('is retried at once where %i connections were closed before an answer', async (closed) => {
    await using server = await startHostileWebdav(tree());
    server.mischief = failing(closed, reset);
    const time = clock();
    await using source = openSource(server.url, { clock: time });
    expect((await source.list(source.root, never)).members).toHaveLength(2);
    expect(server.heard).toHaveLength(closed + 1);
    expect(time.elapsed() - Date.parse('2026-11-23T01:00:00Z')).toBe(0);
  });

  test('is retried ever more slowly where connections go on being closed', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = failing(5, reset);
    const time = clock();
    await using source = openSource(server.url, { clock: time });
    expect((await source.list(source.root, never)).members).toHaveLength(2);
    expect(server.heard).toHaveLength(6);
    expect(time.elapsed() - Date.parse('2026-11-23T01:00:00Z')).toBe(500 + 1000 + 2000);
  });

  test.each<[string, Mischief, number]>([
    ['500', giving(500), 4],
    ['a reset', reset, 2 + 4],
  ])('makes the source unavailable after four attempts: %s', async (_, harm, requests) => {
    await using server = await startHostileWebdav(tree());
    server.mischief = harm;
    await using source = openSource(server.url);
    await expect(source.list(source.root, never)).rejects.toMatchObject({ code: 'source/unavailable' });
    expect(server.heard).toHaveLength(requests);
  });

  test('is not waited for once the run is aborted', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = giving(503, { 'retry-after': '60' });
    await using source = openSource(server.url, { clock: manualClock('2026-11-23T01:00:00Z') });
    const stop = new AbortController();
    const reason = new Error('stopped');
    const listing = source.list(source.root, stop.signal);
    const expected = expect(listing).rejects.toBe(reason);
    while (server.heard.length === 0) await new Promise(setImmediate);
    stop.abort(reason);
    await expected;
  });

  test('after many requests without a response nothing is retried', async () => {
    const server = await startHostileWebdav(tree());
    await using source = openSource(server.url);
    const entry = await find(source, 'a');
    const before = source.traffic.requests;
    await server[Symbol.asyncDispose]();
    for (let n = 0; n < 40; n++)
      await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/unavailable' });
    expect(source.traffic.requests - before).toBe(32 * 4 + 8);
  });
});

describe('Retry-After', () => {
  test.each([429, 503])(
    'of a %i holds back all requests of that run for so long, and none of another person’s',
    async (status) => {
      await using server = await startHostileWebdav(tree());
      const time = manualClock('2026-11-23T01:00:00Z');
      const { log, lines } = heardLog();
      const servers = openServers(time);
      await using source = openSource(server.url, { servers, clock: time, log });
      await using other = openSource(server.url, { servers, clock: time });
      const listing = await source.list(source.root, never);
      server.mischief = ({ path, before }, response) =>
        path.endsWith('/a') && before === 0 ? giving(status, { 'retry-after': '7' })({} as never, response) : undefined;
      const a = source.open(memberNamed(listing, 'a'), never).then(contentOf);
      while (lines.length === 0) await new Promise(setImmediate);
      expect(lines[0]).toContain('"ms":7000');
      const b = source.open(memberNamed(listing, 'b'), never).then(contentOf);
      expect(`${await contentOf(await other.open(memberNamed(listing, 'b'), never))}`).toBe('b');
      await time.advance(6_999);
      expect(server.heard).toHaveLength(3);
      await time.advance(1);
      expect(`${await a}${await b}`).toBe('ab');
    },
  );

  test('may be a date, compared with the clock of the server', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = failing(
      1,
      giving(503, { date: 'Mon, 01 Jan 2001 00:00:00 GMT', 'retry-after': 'Mon, 01 Jan 2001 00:01:00 GMT' }),
    );
    const time = clock();
    await using source = openSource(server.url, { clock: time });
    await source.list(source.root, never);
    expect(time.elapsed() - Date.parse('2026-11-23T01:00:00Z')).toBe(60_000);
  });

  test('of more than five minutes is left to another night', async () => {
    await using server = await startHostileWebdav(tree());
    server.mischief = giving(503, { 'retry-after': '3600' });
    await using source = openSource(server.url);
    await expect(source.list(source.root, never)).rejects.toMatchObject({
      code: 'source/unavailable',
      retry: { afterMs: 3_600_000 },
    });
    expect(server.heard).toHaveLength(1);
  });
});

describe('time limits', () => {
  const timeouts = { connectTimeoutMs: 500, headersTimeoutMs: 500, bodyTimeoutMs: 500 };
  test('end a response that never begins, and a body without bytes', async () => {
    await using server = await startHostileWebdav(tree());
    await using source = openSource(server.url, { timeouts });
    const entry = await find(source, 'a');
    server.mischief = failing(1, () => true);
    expect((await contentOf(await source.open(entry, never))).toString()).toBe('a');
    server.mischief = ({ before }, response) => {
      if (before > 2) return undefined;
      response.writeHead(200, { 'content-length': 1 }).flushHeaders();
      return true;
    };
    expect((await contentOf(await source.open(entry, never))).toString()).toBe('a');
  });
});

test('a URL that cannot be used is refused at once', () => {
  for (const url of ['', 'cloud.example', 'ftp://x/', 'https://user:pass@x/', 'https://x/?a=b']) {
    expect(() => openSource(url)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  }
});

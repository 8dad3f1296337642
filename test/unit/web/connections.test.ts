import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { readWebLimits } from '../../../src/config/config.ts';
import { networks } from '../../../src/config/readers.ts';
import { silentLog } from '../../../src/log.ts';
import { boundConnections, serverOptions } from '../../../src/web/connections.ts';
import { serveSetup } from '../../../src/web/server.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const usual = readWebLimits({});
let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

const told: unknown[] = [];
const log = { ...silentLog, warn: (...given: unknown[]) => told.push(given) };

/** The web server with other limits, before which nobody is a proxy unless named. */
async function serving(limits: Partial<typeof usual>, proxies = ''): Promise<number> {
  const clock = systemClock();
  const setup = { token: 'printed', environment: {}, clock, isOpen: async () => true };
  const publicUrl = new URL('http://localhost:3000/');
  const web = { ...usual, ...limits };
  const config = { host: '127.0.0.1', port: 0, publicUrl, proxies: networks(proxies, 'PROXIES'), web };
  told.length = 0;
  const server = await serveSetup({ log, config }, setup);
  opened.defer(() => server.close(0));
  return Number(server.url.port);
}

interface Client {
  readonly socket: Socket;
  /** Sends these bytes, and waits until what came back since matches; what came until the connection closed, if that was first. */
  ask(bytes: string, until: RegExp): Promise<string>;
  /** All that comes until the server closes. */
  rest(): Promise<string>;
}

function client(port: number, localAddress = '127.0.0.1'): Client {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  opened.defer(() => void socket.destroy());
  let text = '';
  let heard = () => {};
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    heard();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    async ask(bytes, until) {
      text = '';
      socket.write(bytes, 'latin1');
      const matched = new Promise<void>((resolve) => {
        heard = () => until.test(text) && resolve();
      });
      await Promise.race([matched, closed]);
      return text;
    },
    async rest() {
      await closed;
      return text;
    },
  };
}

const live = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const ok = /\r\n\r\nok$/;
const isLive = async (asking: Client) => ok.test(await asking.ask(live, ok));
/** The head of a form of which the server says that it may come, and of which it has not come. */
const begun = (headers = '', length = 11) =>
  `POST /language HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
const goOn = /^HTTP\/1\.1 100 Continue\r\n\r\n/;

describe('connections', () => {
  it('are as many as there may be in all; one more is closed unanswered, and taken once another has ended', async () => {
    const port = await serving({ connections: 10, perAddress: 100 });
    const clients = Array.from({ length: 10 }, (_, index) => client(port, `127.0.0.${index + 2}`));
    for (const one of clients) expect(await isLive(one)).toBe(true);
    expect(await client(port, '127.0.1.1').ask(live, ok)).toBe('');
    expect(told).toEqual([['web.too-many', { address: '127.0.1.1', limit: 'WEB_CONNECTIONS' }]]);
    for (const one of clients) expect(await isLive(one)).toBe(true);
    clients[0]?.socket.end();
    await clients[0]?.rest();
    expect(await isLive(client(port, '127.0.1.1'))).toBe(true);
  });

  it('of one address are as many as it may have, and others are let in beside them', async () => {
    const port = await serving({ perAddress: 3 });
    const clients = Array.from({ length: 3 }, () => client(port));
    for (const one of clients) expect(await isLive(one)).toBe(true);
    expect(await client(port).ask(live, ok)).toBe('');
    expect(await client(port).ask(live, ok)).toBe('');
    expect(told).toEqual([['web.too-many', { address: '127.0.0.1', limit: 'WEB_PER_ADDRESS' }]]);
    expect(await isLive(client(port, '127.0.0.2'))).toBe(true);
    clients[0]?.socket.end();
    await clients[0]?.rest();
    expect(await isLive(client(port))).toBe(true);
  });

  it('of a proxy are not counted: what is under way for each address that it names is', async () => {
    const port = await serving({ perAddress: 2 }, '127.0.0.1');
    const of = (address: string) => `X-Forwarded-For: ${address}\r\n`;
    const asks = (address: string) =>
      client(port).ask(`GET /livez HTTP/1.1\r\nHost: localhost\r\n${of(address)}\r\n`, /\r\n\r\n/);
    const slow = [client(port), client(port)];
    for (const one of slow) expect(await one.ask(begun(of('203.0.113.7')), goOn)).toMatch(goOn);
    expect(await asks('203.0.113.7')).toMatch(/^HTTP\/1\.1 429 .*\r\nretry-after: 1\r\n/is);
    expect(await asks('203.0.113.8')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await slow[0]?.ask('language=de', /\r\n\r\n/)).toMatch(/^HTTP\/1\.1 \d/);
    expect(await asks('203.0.113.7')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

/** Sends one byte more now and then, as long as anybody takes it. */
function drip({ socket }: Client, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 20);
  socket.once('close', () => clearInterval(timer));
  opened.defer(() => clearInterval(timer));
}

describe('a client that takes its time', () => {
  const outOfTime = /^HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n\r\n$/;

  it('says nothing, or drips its headers, until their time is over, and others are answered meanwhile', async () => {
    const port = await serving({ headersMs: 300, requestMs: 60_000 });
    const from = performance.now();
    const [silent, slow] = [client(port), client(port)];
    slow.socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ');
    drip(slow, 'a');
    expect(await isLive(client(port))).toBe(true);
    expect(await silent.rest()).toMatch(outOfTime);
    expect(await slow.rest()).toMatch(outOfTime);
    expect(performance.now() - from).toBeGreaterThanOrEqual(300);
  });

  it('drips a body until the time of the whole request is over', async () => {
    const port = await serving({ headersMs: 300, requestMs: 400 });
    const from = performance.now();
    const slow = client(port);
    await slow.ask(begun('', 10_000), goOn);
    drip(slow, 'a');
    expect(await slow.rest()).not.toMatch(/^HTTP\/1\.1 [23]/m);
    expect(performance.now() - from).toBeGreaterThanOrEqual(400);
  });

  it('asks nothing more, and is let go of after the time for that', async () => {
    const port = await serving({ idleMs: 300 });
    const idle = client(port);
    const from = performance.now();
    expect(await isLive(idle)).toBe(true);
    await idle.rest();
    expect(performance.now() - from).toBeGreaterThanOrEqual(300);
  });
});

describe('sizes', () => {
  const status = async (port: number, bytes: string) => {
    const [, found] = /^HTTP\/1\.1 (\d+)/m.exec(await client(port).ask(bytes, /^HTTP\/1\.1 [2345]\d\d/m)) ?? [];
    return Number(found);
  };

  it('address and headers together are less than their limit', async () => {
    const port = await serving({ headerBytes: 8_192 });
    // Counted are the address, and names and values of headers.
    const others = '/livezHostlocalhostX'.length;
    const asking = (bytes: number) =>
      status(port, `GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(bytes - others)}\r\n\r\n`);
    expect([await asking(8_191), await asking(8_192)]).toEqual([200, 431]);
  });

  it('a body is as long as its limit, in one piece or in chunks', async () => {
    const port = await serving({ bodyBytes: 20_000 });
    const head = (how: string) =>
      `POST /language HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\nContent-Type: application/x-www-form-urlencoded\r\n${how}\r\n\r\n`;
    const form = (bytes: number) => 'language=de&x='.padEnd(bytes, 'x');
    const whole = (bytes: number) => status(port, `${head(`Content-Length: ${bytes}`)}${form(bytes)}`);
    const chunked = (bytes: number) =>
      status(port, `${head('Transfer-Encoding: chunked')}${bytes.toString(16)}\r\n${form(bytes)}\r\n0\r\n\r\n`);
    expect([await whole(20_000), await whole(20_001)]).toEqual([303, 400]);
    expect([await chunked(20_000), await chunked(20_001)]).toEqual([303, 400]);
  });
});

describe('an answer of which a client takes nothing', () => {
  const minute = 60_000;
  const piece = Buffer.alloc(64 * 1024);

  async function answering(handler: RequestListener) {
    const clock = manualClock('2026-11-26T01:00:00Z');
    const web = { ...usual, stalledMs: minute };
    const server = createServer(serverOptions(web), handler);
    opened.use(boundConnections(server, { clock, log, config: { web, proxies: networks('', 'PROXIES') } }));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    opened.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
    opened.defer(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(live);
    await once(socket, 'readable');
    return { clock, socket };
  }

  it('is ended after the time for that, and no earlier', async () => {
    let isOpen = true;
    const { clock } = await answering((_, response) => {
      response.once('close', () => {
        isOpen = false;
      });
      // More than all buffers on the way take.
      response.write(Buffer.alloc(64 * 1024 * 1024));
    });
    await clock.advance(2 * minute - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOpen).toBe(true);
    await clock.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOpen).toBe(false);
  });

  it('goes on where it takes some in each such time', async () => {
    let written = 0;
    let isOpen = true;
    const { clock, socket } = await answering((_, response) => {
      const more = () => {
        while (isOpen && response.write(piece)) written += piece.length;
        written += piece.length;
      };
      response.on('drain', more).once('close', () => {
        isOpen = false;
      });
      more();
    });
    for (let round = 0; round < 5; round++) {
      const until = written + 16 * 1024 * 1024;
      while (written < until) if (socket.read() === null) await once(socket, 'readable');
      await clock.advance(minute);
      expect(isOpen).toBe(true);
    }
  });
});

describe('an answer of which a client takes little, all the time', () => {
  const [minute, least] = [60_000, 1024];

  /** Whether it is still being sent after ten minutes, of which so many bytes of all that waits were taken in each. */
  async function goesOn(takenEachMinute: number, { waiting = 1, leastBytesPerSecond = least } = {}): Promise<boolean> {
    const clock = manualClock('2026-11-26T01:00:00Z');
    const web = { ...usual, stalledMs: minute, leastBytesPerSecond };
    const server = new EventEmitter() as Server;
    using _bounded = boundConnections(server, { clock, log, config: { web, proxies: networks('', 'PROXIES') } });
    let isOpen = true;
    const destroy = () => {
      isOpen = false;
    };
    const about = { remoteAddress: '127.0.0.1', bytesWritten: waiting, writableLength: waiting, destroy };
    const socket = Object.assign(new EventEmitter(), about);
    server.emit('connection', socket);
    for (let passed = 0; passed < 10; passed++) {
      await clock.advance(minute);
      socket.bytesWritten += takenEachMinute;
    }
    return isOpen;
  }

  it('goes on at the least rate, and is ended below it', async () => {
    expect(await goesOn(60 * least)).toBe(true);
    expect(await goesOn(60 * least - 1)).toBe(false);
  });

  it('goes on where nothing waits for the client: who makes the answer is slow', async () => {
    expect(await goesOn(1, { waiting: 0 })).toBe(true);
  });

  it('goes on with any byte where no rate is set, and is ended without one', async () => {
    expect(await goesOn(1, { leastBytesPerSecond: 0 })).toBe(true);
    expect(await goesOn(0, { leastBytesPerSecond: 0 })).toBe(false);
  });
});

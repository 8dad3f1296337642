import { once } from 'node:events';
import { connect } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { expect, test, vi } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { breakingOff } from '../../../src/web/breaking-off.ts';

test.each([new AppError('store/unavailable', 'The store is away.'), new Error('Something else.')])(
  'who speaks HTTP/1.0, to whom the end of the connection is that of the body, is told that it is none: %s',
  async (error) => {
    async function* bytes() {
      yield Buffer.alloc(50_000);
      throw error;
    }
    const app = new Hono().get('/', (c) => new Response(breakingOff(c, silentLog, bytes())));
    const server = createAdaptorServer({ fetch: app.fetch });
    try {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const address = server.address();
      const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
      socket.write('GET / HTTP/1.0\r\nhost: x\r\n\r\n');
      await expect(Array.fromAsync(socket)).rejects.toMatchObject({ code: 'ECONNRESET' });
    } finally {
      server.close();
    }
  },
);

test.each([{ 'content-length': '100000' }, {}])(
  'a body that cannot be read on is broken off, with %j',
  async (headers) => {
    const said: unknown[] = [];
    const log: Log = { ...silentLog, warn: (...given) => said.push(given) };
    const complaints = vi.spyOn(console, 'error').mockReturnValue(undefined);
    async function* bytes() {
      yield Buffer.alloc(50_000);
      throw new AppError('repository/damaged', 'The pack ab is damaged.');
    }
    const app = new Hono().get('/', (c) => new Response(breakingOff(c, log, bytes()), { headers }));
    const server = createAdaptorServer({ fetch: app.fetch });
    try {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      await expect(answer.arrayBuffer()).rejects.toThrow();
      expect(said).toEqual([
        ['download.broken-off', { error: expect.objectContaining({ code: 'repository/damaged' }) }],
      ]);
      expect(complaints).not.toHaveBeenCalled();
    } finally {
      server.close();
      complaints.mockRestore();
    }
  },
);

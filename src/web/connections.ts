import type { Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { minuteMs } from '../durations.ts';
import type { Log } from '../log.ts';
import { clientAddress, isWithin, networkOf } from './client-address.ts';

interface Needs {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<Config, 'web' | 'proxies'>;
}

/** How often Node looks for requests that take too long; more often would not be worth the work. */
const lookEveryMs = 1_000;
const tellEveryMs = minuteMs;

/** What Node itself holds clients to: it answers 431 to more headers, and 408 to what comes too slowly. */
export function serverOptions({ headersMs, requestMs, idleMs, headerBytes }: Config['web']): ServerOptions {
  return {
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: lookEveryMs,
    maxHeaderSize: headerBytes,
  };
}

export interface Connections extends Disposable {
  /** Counts a request until it is answered; false where its address has too many. What proxies forward counts for whom they name. */
  takes(env: HttpBindings): boolean;
}

/**
 * Bounds how many connections there are: in all, and of each address that is not one of our proxies. What is beyond is closed unread.
 *
 * Looks every `stalledMs` at connections with data that waits to be sent: one whose data waited at the last look too, and whose client took
 * less than `leastBytesPerSecond` in between, is ended.
 */
export function boundConnections(server: Server, { clock, log, config }: Needs): Connections {
  const { connections, perAddress, stalledMs, leastBytesPerSecond } = config.web;
  const leastTaken = Math.max(1, (leastBytesPerSecond * stalledMs) / 1000);
  const open = new Map<Socket, { taken: number; waited: boolean }>();
  const byAddress = openTally(perAddress);
  const requestsByAddress = openTally(perAddress);
  let toldAt = Number.NEGATIVE_INFINITY;
  const refused = (address: string, limit: 'WEB_CONNECTIONS' | 'WEB_PER_ADDRESS') => {
    if (clock.elapsed() < toldAt + tellEveryMs) return false;
    toldAt = clock.elapsed();
    log.warn('web.too-many', { address, limit });
    return false;
  };
  const lets = (socket: Socket): boolean => {
    const { address } = clientAddress({ peer: socket.remoteAddress ?? '', forwardedFor: undefined }, config.proxies);
    if (open.size >= connections) return refused(networkOf(address), 'WEB_CONNECTIONS');
    if (isWithin(config.proxies, address)) return true;
    const leave = byAddress.enter(networkOf(address));
    if (leave === undefined) return refused(networkOf(address), 'WEB_PER_ADDRESS');
    socket.once('close', leave);
    return true;
  };
  server.on('connection', (socket: Socket) => {
    if (!lets(socket)) return socket.destroy();
    open.set(socket, { taken: 0, waited: false });
    socket.once('close', () => open.delete(socket));
  });
  const watch = clock.every(stalledMs, () => {
    for (const [socket, before] of open) {
      const waits = socket.writableLength > 0;
      const taken = socket.bytesWritten - socket.writableLength;
      if (waits && before.waited && taken - before.taken < leastTaken) socket.destroy();
      else open.set(socket, { taken, waited: waits });
    }
  });
  return {
    takes({ incoming, outgoing }) {
      const peer = incoming.socket.remoteAddress ?? '';
      const forwardedFor = incoming.headersDistinct['x-forwarded-for']?.join(',');
      const { address } = clientAddress({ peer, forwardedFor }, config.proxies);
      if (isWithin(config.proxies, address)) return true;
      const leave = requestsByAddress.enter(networkOf(address));
      if (leave === undefined) return refused(networkOf(address), 'WEB_PER_ADDRESS');
      outgoing.once('close', leave);
      return true;
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

/** Counts by key, up to `most` each; a key whose count is back at zero is forgotten. */
function openTally(most: number) {
  const counts = new Map<string, number>();
  return {
    /** Counts one more, until the function is called that it answers; undefined where there are too many. */
    enter(key: string): (() => void) | undefined {
      const count = counts.get(key) ?? 0;
      if (count >= most) return undefined;
      counts.set(key, count + 1);
      return () => {
        const left = (counts.get(key) ?? 1) - 1;
        if (left === 0) counts.delete(key);
        else counts.set(key, left);
      };
    },
  };
}

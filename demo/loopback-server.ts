import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on 127.0.0.1 that can be stopped and started again on the same port. */
export interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly origin: string;
  /** Sets the listener; until then every request gets 503. */
  serve(listener: RequestListener): void;
  /** Refuses connections from now on; what is answered just now still is. */
  stopListening(): void;
  /** Refuses connections and cuts open ones. Does nothing when it is down already. */
  down(): Promise<void>;
  /** Listens again. Does nothing when it is up already. */
  up(): Promise<void>;
}

/** Listens on the port, or on a free one where it is 0. Rejects when the port is taken. */
export async function listenOnLoopback(wanted: number): Promise<LoopbackServer> {
  let answer: RequestListener = (_request, response) => response.writeHead(503).end();
  const server = createServer((request, response) => answer(request, response));
  server.keepAliveTimeout = 65_000;

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(wanted);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    serve: (listener) => {
      answer = listener;
    },
    stopListening: () => void server.close(),
    down: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    up: async () => {
      if (!server.listening) await listen(port);
    },
  };
}

import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A server on 127.0.0.1, or another address of this machine, that can be stopped and started again on the same port. */
export interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:port`, or with that other address, without a slash at the end. */
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

/** Where a server of the demo listens instead of on 127.0.0.1: at another address of this machine. */
export interface OtherAddress {
  readonly host: string;
  /** In PEM; by http where absent. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Listens on the port, or on a free one where it is 0. Rejects when the port is taken. */
export async function listenOnLoopback(
  wanted: number,
  { host, tls }: OtherAddress = { host: '127.0.0.1' },
): Promise<LoopbackServer> {
  let answer: RequestListener = (_request, response) => response.writeHead(503).end();
  const serve: RequestListener = (request, response) => answer(request, response);
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  server.keepAliveTimeout = 65_000;

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
  await listen(wanted);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
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

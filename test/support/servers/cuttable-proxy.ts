import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server that can be taken away and given back, as an outage would. */
export interface CuttableProxy extends AsyncDisposable {
  readonly port: number;
  /** Drops every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Drops every connection; new ones are let through. */
  drop(): void;
  /** Drops one connection as it comes, after so many that are let through; gives what tells whether that has happened. */
  dropOne(after: number): () => boolean;
  restore(): Promise<void>;
}

/** Listens on a free loopback port and passes everything on to `host`:`port`. */
export async function openCuttableProxy(host: string, port: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const listen = async (at: number): Promise<Server> => {
    const server = createServer((near) => {
      left -= 1;
      if (left === -1) return near.destroy();
      const far = connect(port, host);
      keep(near);
      keep(far);
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    }).listen(at, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let left = Number.POSITIVE_INFINITY;
  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  const cut = async () => {
    if (!server.listening) return;
    server.close();
    drop();
    await once(server, 'close');
  };
  const restore = async () => {
    server = await listen(address.port);
  };
  const dropOne = (after: number) => {
    left = after;
    return () => left < 0;
  };
  return { port: address.port, cut, drop, dropOne, restore, [Symbol.asyncDispose]: cut };
}

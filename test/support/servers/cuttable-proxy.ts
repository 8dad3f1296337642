import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server that can be taken away and given back, as an outage would. */
export interface CuttableProxy extends AsyncDisposable {
  readonly port: number;
  /** Drops every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Drops every connection; new ones are let through. */
  drop(): void;
  /** Takes what comes on the connections that are open and passes none of it on, as a network that lost them; new ones are let through. */
  swallow(): void;
  /** Drops one connection as it comes, after so many that are let through; gives what tells whether that has happened. */
  dropOne(after: number): () => boolean;
  /** What the server says on new connections is passed on as this makes it; the connection ends after what is the last of it. */
  alter(change: Change): void;
  /** Refuses new connections; those that are open stay. */
  refuse(): void;
  restore(): Promise<void>;
}

type Change = (chunk: Buffer) => { chunk: Buffer; isLast?: boolean };

/** Listens on a free loopback port and passes everything on to `host`:`port`. */
export async function openCuttableProxy(host: string, port: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  const pairs = new Set<readonly [Socket, Socket]>();
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
      near.pipe(far);
      pairs.add([near, far]);
      if (change === undefined) far.pipe(near);
      else passOn(far, near, change);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    }).listen(at, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let left = Number.POSITIVE_INFINITY;
  let change: Change | undefined;
  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  const cut = async () => {
    if (!server.listening) return;
    server.close();
    drop();
    await once(server, 'close');
  };
  const refuse = () => void server.close();
  const restore = async () => {
    server = await listen(address.port);
  };
  const alter = (made: Change) => {
    change = made;
  };
  const swallow = () => {
    for (const [near, far] of pairs) {
      near.unpipe(far).resume();
      far.unpipe(near).resume();
    }
    pairs.clear();
  };
  const dropOne = (after: number) => {
    left = after;
    return () => left < 0;
  };
  return { port: address.port, cut, drop, dropOne, alter, swallow, refuse, restore, [Symbol.asyncDispose]: cut };
}

function passOn(from: Socket, to: Socket, change: Change): void {
  from.on('data', (said: Buffer) => {
    if (to.writableEnded) return;
    const { chunk, isLast } = change(said);
    if (isLast) to.end(chunk);
    else to.write(chunk);
  });
}

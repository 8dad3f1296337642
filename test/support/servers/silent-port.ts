import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port on loopback that takes connections and never answers, until it is disposed of. */
export async function listenSilently(): Promise<{ port: number } & Disposable> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, [Symbol.dispose]: () => void server.close() };
}

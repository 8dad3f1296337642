import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections (Linux: from 32768): one of those may be taken at any moment. */
const ports = { first: 10_000, afterLast: 32_768 };
const mostTries = 100;

/** A loopback port that is free now; another program that listens may take it before it is used. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(ports.first, ports.afterLast);
    if (await isFree(port)) return port;
    if (tries >= mostTries) throw new Error(`None of ${mostTries} loopback ports was free.`);
  }
}

/** Whether nobody listens on that loopback port now. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

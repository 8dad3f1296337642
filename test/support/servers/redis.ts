import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { freePort } from '../../../src/database/server/free-port.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { requireProgram } from './programs.ts';

export const redisServer = requireProgram('redis-server', 'apt-get install redis-server');

export interface TestRedis extends AsyncDisposable {
  url: string;
  /** Ends the server, as a crash does, and starts it again on the same port and files. */
  restart(): Promise<void>;
}

/** Starts a Redis of our own that writes every change to disk, on a free loopback port. */
export async function startRedis(command: string): Promise<TestRedis> {
  const folder = await temporaryFolder('redis');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const options = ['--port', port, '--bind', '127.0.0.1', '--dir', folder.path, '--save', '', '--appendonly', 'yes'];
  const start = async () => {
    const child = spawn(command, [...options.map(String), '--appendfsync', 'always'], { stdio: 'ignore' });
    await untilItAnswers(url);
    return child;
  };
  let child = await start();
  const stop = async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return {
    url,
    restart: async () => {
      await stop();
      child = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function untilItAnswers(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: 250 });
  client.on('error', () => {});
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}

import type { PostgresPoolConfig } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';
import { connectionTo } from '../database/connection.ts';

/** Where the queue lives; what a worker needs to open its own connections. */
export type QueueConnection =
  | { kind: 'postgres'; options: PostgresPoolConfig & pg.ClientConfig & { schema: string } }
  | { kind: 'redis'; url: string; prefix: string };

/** The name of the queue of runs in Redis and PostgreSQL. Traces carry it too; a rename would leave jobs behind. */
export const backUpQueueName = 'back-ups';

/** Where the queue of Nightkeep lives: its key prefix in Redis, its schema in PostgreSQL. */
export const queuePrefix = 'nightkeep';

/** How to connect to PostgreSQL, with limits after which a missing answer counts as an outage. */
export function connectionOptions(url: string) {
  return { ...connectionTo(url), connectionTimeoutMillis: 5_000, query_timeout: 30_000, keepAlive: true };
}

/** Asks PostgreSQL over a connection of its own. Throws what the driver throws; leaves nothing open. */
export async function askPostgres<T>(options: pg.ClientConfig, ask: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(options);
  client.on('error', () => {}); // The query that is cut off rejects as well.
  try {
    await client.connect();
    return await ask(client);
  } finally {
    await client.end();
  }
}

/** Asks Redis in the same way. */
export async function askRedis<T>(url: string, ask: (client: Redis) => Promise<T>): Promise<T> {
  const timeouts = { connectTimeout: 5_000, commandTimeout: 5_000 };
  const client = new Redis(url, { ...timeouts, lazyConnect: true, retryStrategy: () => null });
  let raised: unknown;
  // connect() rejects as well, but says no more than that the connection is closed.
  client.on('error', (error) => {
    raised = error;
  });
  try {
    await client.connect().catch((error: unknown) => {
      throw raised ?? error;
    });
    // The driver would stay in database 0 where that number does not exist.
    await client.select(client.options.db ?? 0);
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

type RedisBehaviour = Pick<RedisOptions, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'commandTimeout'>;

/** A connection that reconnects by itself until it is ended; what is still awaited then is rejected soon. */
export function connectRedis(url: string, options: RedisBehaviour): { client: Redis; end: () => void } {
  let ended = false;
  const retryStrategy = (times: number) => (ended ? null : Math.min(200 * times, 5_000));
  const client = new Redis(url, { ...options, retryStrategy });
  client.on('error', () => {}); // BullMQ reports them as long as it listens; afterwards ioredis would print them.
  const end = () => {
    ended = true;
    if (client.status !== 'reconnecting') client.disconnect(); // Else the next try is the last, and empties what waits.
  };
  return { client, end };
}

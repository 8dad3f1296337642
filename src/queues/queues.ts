import { createPostgresBackend, type JobsOptions, Queue, runMigrations } from 'bullmq';
import type { Log } from '../log.ts';
import { traced } from '../tracing.ts';
import {
  askPostgres,
  askRedis,
  backUpQueueName,
  connectionOptions,
  connectRedis,
  type QueueConnection,
} from './connection.ts';
import {
  type BackUpRequest,
  type BackUps,
  bulkSize,
  countJobs,
  enqueueAll,
  listJobs,
  type QueueCounts,
  type QueuedJob,
} from './jobs.ts';
import { orUnavailable, readyOrClosed, reportErrors } from './outages.ts';

/**
 * The queue only decides when work is done: it carries ids, and PostgreSQL's table of runs is the source of truth. Each job is a turn of some
 * run, and the table says of which (src/database/nights/turns.ts), so the place of a job in the queue puts nobody ahead of others. If the whole
 * queue is lost nothing else is, because every run that is still due is queued again. Finished jobs are not kept: one that is kept would
 * prevent another with the same id.
 */

interface BackUpQueue {
  /** Queues the runs; those that wait, are delayed or are being worked on stay as they are, unless it is for now. Fails fast when the queue is unavailable. */
  enqueue(requests: readonly BackUpRequest[]): Promise<void>;
  counts(): Promise<QueueCounts>;
  /** Lets workers take no job more, on every machine; those in hand go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  isPaused(): Promise<boolean>;
  /** Removes the jobs that wait or are delayed; those in hand go on. */
  drain(): Promise<void>;
  /** Some of the jobs, those in hand first, by their ids. */
  list(limit: number): Promise<QueuedJob[]>;
  /** The jobs by state, in the Prometheus text format: `bullmq_job_count` and whatever else BullMQ exports about its queue. */
  metrics(): Promise<string>;
  /** Removes what the queue noted of its jobs before then; nobody reads it. */
  forgetEvents(before: Date): Promise<void>;
  /** Removes every job, including those being worked on. */
  clear(): Promise<void>;
}

export interface Queues extends AsyncDisposable {
  backUps: BackUpQueue;
  /** The same queue as BullMQ has it, for a board that shows queues of BullMQ. */
  bullmq: Queue;
  connection: QueueConnection;
}

export interface QueueSettings {
  /** Redis 6.2 or newer, `redis://` or `rediss://`; without it the queue lives in PostgreSQL. */
  redisUrl?: string | undefined;
  postgresUrl: string;
  /** Key prefix in Redis, schema in PostgreSQL: lower-case letters, digits and `_`. */
  prefix: string;
  log: Log;
}

/** Attempts at one job before it is given up; the table of runs decides whether the run is attempted again. */
const jobAttempts = 5;
const jobOptions: JobsOptions = {
  attempts: jobAttempts,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 0,
};

/** Opens the queue and creates its tables where they are missing; throws `queue/unavailable`. What it is asked throws that, or `queue/damaged`. */
export async function openQueues(settings: QueueSettings): Promise<Queues> {
  const connection =
    settings.redisUrl === undefined ? await reachPostgres(settings) : await reachRedis(settings.redisUrl, settings);
  const { queue, bullmq, ready, close } = openQueue(connection);
  const report = reportErrors(connection, settings.log.with({ queue: backUpQueueName }));
  let closing = false;
  queue.on('error', (error) => {
    if (!closing) report(error);
  });
  await ready();
  return {
    connection,
    bullmq,
    backUps: {
      enqueue: async (requests) => {
        if (requests.length === 0) return;
        const attributes = {
          'messaging.destination.name': backUpQueueName,
          'messaging.batch.message_count': requests.length,
        };
        const send = () => orUnavailable(connection, () => enqueueAll(connection, queue, requests));
        await traced({ name: `send ${backUpQueueName}`, kind: 'producer', attributes }, send);
      },
      counts: () => orUnavailable(connection, () => countJobs(queue)),
      pause: () => orUnavailable(connection, () => queue.pause()),
      resume: () => orUnavailable(connection, () => queue.resume()),
      isPaused: () => orUnavailable(connection, () => queue.isPaused()),
      drain: () => orUnavailable(connection, () => queue.drain(true)),
      list: (limit) => orUnavailable(connection, () => listJobs(queue, limit)),
      metrics: () => orUnavailable(connection, () => queue.exportPrometheusMetrics()),
      forgetEvents: (before) => orUnavailable(connection, () => forgetEvents(settings, before)),
      clear: () => orUnavailable(connection, () => queue.obliterate({ force: true })),
    },
    [Symbol.asyncDispose]: async () => {
      closing = true;
      await close();
    },
  };
}

interface OpenQueue {
  queue: BackUps;
  bullmq: Queue;
  ready: () => Promise<void>;
  close: () => Promise<void>;
}

function openQueue(connection: QueueConnection): OpenQueue {
  const defaults = { defaultJobOptions: jobOptions };
  if (connection.kind === 'postgres') {
    const options = { ...defaults, connection: connection.options };
    const queue = new Queue(backUpQueueName, options, createPostgresBackend);
    const ready = () => readyOrClosed(connection, queue);
    // The types of the two backends exclude each other; what boards ask of a queue is the same.
    return { queue, bullmq: queue as unknown as Queue, ready, close: () => queue.close() };
  }
  const failFast = { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 10_000 };
  const { client, end } = connectRedis(connection.url, failFast);
  const queue = new Queue(backUpQueueName, { ...defaults, prefix: connection.prefix, connection: client });
  return { queue, bullmq: queue, ready: async () => {}, close: () => queue.close().finally(end) };
}

async function reachPostgres({ postgresUrl, prefix }: QueueSettings): Promise<QueueConnection> {
  const options = connectionOptions(postgresUrl);
  const connection: QueueConnection = { kind: 'postgres', options: { ...options, max: 4, schema: prefix } };
  await orUnavailable(connection, async () => {
    await askPostgres(options, (client) => runMigrations(client, prefix));
  });
  return connection;
}

async function reachRedis(url: string, { prefix }: QueueSettings): Promise<QueueConnection> {
  const connection: QueueConnection = { kind: 'redis', url, prefix };
  await orUnavailable(connection, () => askRedis(url, (client) => client.ping()));
  return connection;
}

/** BullMQ itself removes them in Redis only, by their number. Both keep the milliseconds of each. */
async function forgetEvents({ redisUrl, postgresUrl, prefix }: QueueSettings, before: Date): Promise<void> {
  if (redisUrl !== undefined) {
    const key = `${prefix}:${backUpQueueName}:events`;
    await askRedis(redisUrl, (client) => client.xtrim(key, 'MINID', before.getTime()));
    return;
  }
  await askPostgres(connectionOptions(postgresUrl), async (client) => {
    const table = `${client.escapeIdentifier(prefix)}.event`;
    const remove = `DELETE FROM ${table} WHERE (queue, id) IN
      (SELECT queue, id FROM ${table} WHERE queue = $1 AND created_at_ms < $2 ORDER BY id LIMIT ${bulkSize})`;
    for (let gone = bulkSize; gone === bulkSize; )
      gone = (await client.query(remove, [backUpQueueName, before.getTime()])).rowCount ?? 0;
  });
}

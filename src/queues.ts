import { createPostgresBackend, type JobsOptions, type PostgresPoolConfig, Queue, runMigrations } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import pg from 'pg';
import { connectionTo } from './database/connection.ts';
import { AppError, isAppError } from './errors.ts';
import type { Log } from './log.ts';
import { traced, traceparent } from './tracing.ts';

/**
 * The queue decides only when work is done: it carries ids, and PostgreSQL's table of runs is the source of truth. Each job is a turn of some
 * run, and the table says of which (src/database/nights/turns.ts), so that nobody goes before others by where a job stands. Nothing is
 * lost with the whole queue, because every run that is still due is queued again. Finished jobs are not kept: a kept one
 * would prevent a job with the same id.
 */

/** A run that is to be worked on. */
export interface BackUpJob {
  runId: string;
  /** What it is part of in a trace, where somebody traces. */
  traceparent?: string;
}

export interface BackUpRequest extends Pick<BackUpJob, 'runId'> {
  /** Part of the job's id: one attempt of a run is in the queue once, however often it is queued. */
  attempt: number;
  delayMs?: number;
  /** Where the same attempt is delayed in the queue, it no longer is. */
  now?: boolean;
}

export interface QueueCounts {
  waiting: number;
  active: number;
  delayed: number;
}

/** A job as operators see it. */
export interface QueuedJob {
  id: string;
  runId: string;
  state: 'active' | 'waiting' | 'delayed';
  /** When it was put in. */
  queuedAt: Date;
}

export interface BackUpQueue {
  /** Queues the runs; those that wait, are delayed or are being worked on stay as they are, unless it is for now. Fails fast when the queue is unavailable. */
  enqueue(requests: readonly BackUpRequest[]): Promise<void>;
  counts(): Promise<QueueCounts>;
  /** Lets workers take no job more, on every machine; those in hand go on. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  isPaused(): Promise<boolean>;
  /** Removes the jobs that wait or are delayed; those in hand go on. */
  drain(): Promise<void>;
  /** Some of the jobs, those in hand first: ids, and nothing of what they are about. */
  list(limit: number): Promise<QueuedJob[]>;
  /** The jobs by state, in the Prometheus text format: `bullmq_job_count` and what else BullMQ tells of its queue. */
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

/** Where the queue lives; what a worker needs to open its own connections. */
export type QueueConnection =
  | { kind: 'postgres'; options: PostgresPoolConfig & pg.ClientConfig & { schema: string } }
  | { kind: 'redis'; url: string; prefix: string };

export interface QueueSettings {
  /** Redis 6.2 or newer, `redis://` or `rediss://`; without it the queue lives in PostgreSQL. */
  redisUrl?: string | undefined;
  postgresUrl: string;
  /** Key prefix in Redis, schema in PostgreSQL: lower-case letters, digits and `_`. */
  prefix: string;
  log: Log;
}

/** The name of the queue of runs in Redis and PostgreSQL. Traces carry it too; a rename would leave jobs behind. */
export const backUpQueueName = 'back-ups';

/** Where the queue of Nightkeep lives: its key prefix in Redis, its schema in PostgreSQL. */
export const queuePrefix = 'nightkeep';

/** Attempts at one job before it is given up; the table of runs decides whether the run is attempted again. */
const jobAttempts = 5;
const jobOptions: JobsOptions = {
  attempts: jobAttempts,
  backoff: { type: 'custom' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 0,
};
const bulkSize = 1_000;

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

/** BullMQ itself removes them in Redis only, by their number. Both keep the milliseconds of each. */
async function forgetEvents({ redisUrl, postgresUrl, prefix }: QueueSettings, before: Date): Promise<void> {
  if (redisUrl !== undefined) {
    const key = `${prefix}:${backUpQueueName}:events`;
    await askOnce(redisUrl, (client) => client.xtrim(key, 'MINID', before.getTime()));
    return;
  }
  await askPostgres(patient(postgresUrl), async (client) => {
    const table = `${client.escapeIdentifier(prefix)}.event`;
    const remove = `DELETE FROM ${table} WHERE (queue, id) IN
      (SELECT queue, id FROM ${table} WHERE queue = $1 AND created_at_ms < $2 ORDER BY id LIMIT ${bulkSize})`;
    for (let gone = bulkSize; gone === bulkSize; )
      gone = (await client.query(remove, [backUpQueueName, before.getTime()])).rowCount ?? 0;
  });
}

/**
 * Removes these jobs where they are delayed. In PostgreSQL, BullMQ would first look whether a job is locked and delete it then, which takes it from
 * a worker that claims it in between.
 */
async function removeDelayed(connection: QueueConnection, queue: BackUps, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  if (connection.kind === 'redis') {
    for (const id of ids) await queue.remove(id);
    return;
  }
  const { options } = connection;
  await askPostgres(options, async (client) => {
    const table = `${client.escapeIdentifier(options.schema)}.job`;
    const sql = `DELETE FROM ${table} WHERE queue = $1 AND id = ANY($2) AND state = 'delayed'`;
    await client.query(sql, [backUpQueueName, ids]);
  });
}

interface Listed {
  id?: string | undefined;
  data: unknown;
  timestamp: number;
}

/** The used part of BullMQ's queue, whose type differs with the backend. */
interface BackUps {
  remove(jobId: string): Promise<number>;
  addBulk(jobs: { name: string; data: BackUpJob; opts: JobsOptions }[]): Promise<unknown>;
  getJobCounts(...states: string[]): Promise<Record<string, number>>;
  getJobs(states: string | string[] | undefined, start: number, end: number): Promise<(Listed | undefined)[]>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  isPaused(): Promise<boolean>;
  drain(delayed: boolean): Promise<void>;
  exportPrometheusMetrics(): Promise<string>;
  obliterate(options: { force: boolean }): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
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

async function enqueue(connection: QueueConnection, queue: BackUps, requests: readonly BackUpRequest[]): Promise<void> {
  const parent = traceparent();
  const jobs = requests.map((request) => ({
    name: 'back-up',
    data: { runId: request.runId, ...(parent !== undefined && { traceparent: parent }) },
    opts: { jobId: idOf(request), delay: request.delayMs ?? 0 },
  }));
  // Its job may be delayed, and a queue takes no second one of that id; one that is being worked on stays.
  await removeDelayed(connection, queue, requests.filter(({ now }) => now === true).map(idOf));
  for (let start = 0; start < jobs.length; start += bulkSize) await queue.addBulk(jobs.slice(start, start + bulkSize));
}

/**
 * The same, once more where another program had put something under the ids of these jobs, which are nobody else's. Scripts of Redis that end in the
 * middle leave what they did: a job that stands in no list would keep its place for ever, as one that is there already.
 */
async function enqueueAll(connection: QueueConnection, queue: BackUps, requests: readonly BackUpRequest[]) {
  const attempt = async (mayRepeat: boolean): Promise<void> => {
    try {
      await enqueue(connection, queue, requests);
    } catch (error) {
      if (connection.kind !== 'redis' || !isDamage(error)) throw error;
      if (!(await removeBrokenJobs(connection, requests)) || !mayRepeat) throw error;
      await attempt(false);
    }
  };
  await attempt(true);
}

/** Removes what is no job under these ids, and jobs that stand in no list. Whether there was something that is no job. */
async function removeBrokenJobs(
  { url, prefix }: Extract<QueueConnection, { kind: 'redis' }>,
  requests: readonly BackUpRequest[],
): Promise<boolean> {
  const base = `${prefix}:${backUpQueueName}:`;
  return askOnce(url, async (client) => {
    let isForeign = false;
    for (const { key, id } of requests.map((request) => ({ key: base + idOf(request), id: idOf(request) }))) {
      const type = await client.type(key);
      if (type === 'none') continue;
      const places = client.pipeline();
      for (const list of ['wait', 'paused', 'active']) places.lpos(base + list, id);
      for (const set of ['delayed', 'prioritized']) places.zscore(base + set, id);
      // In a list of another type it stands nowhere.
      const stands = (await places.exec())?.some(([error, place]) => error === null && place !== null);
      if (type === 'hash' && stands) continue;
      isForeign ||= type !== 'hash';
      await client.unlink(key);
    }
    return isForeign;
  });
}

function idOf({ runId, attempt }: BackUpRequest): string {
  return `run-${runId}-${attempt}`;
}

async function countJobs(queue: BackUps): Promise<QueueCounts> {
  const counts = await queue.getJobCounts('active', 'delayed', ...waitingStates);
  const { active = 0, delayed = 0 } = counts;
  return { active, delayed, waiting: waitingStates.reduce((sum, state) => sum + (counts[state] ?? 0), 0) };
}

/** In PostgreSQL, jobs that wait in a paused queue are counted and listed under the second name only. */
const waitingStates = ['waiting', 'paused'];

const listed = [
  ['active', ['active']],
  ['waiting', waitingStates],
  ['delayed', ['delayed']],
] as const;

async function listJobs(queue: BackUps, limit: number): Promise<QueuedJob[]> {
  const found: QueuedJob[] = [];
  const known = new Set<string>();
  for (const [state, names] of listed) {
    const left = limit - found.length;
    const jobs = left > 0 ? await readJobs(queue, [...names], left) : [];
    for (const { id = '', data, timestamp } of jobs.filter((job) => job !== undefined)) {
      // One that moves on meanwhile would be listed twice.
      if (known.has(id)) continue;
      known.add(id);
      const runId = runIdIn(data) ?? '';
      const queuedAt = Number.isFinite(new Date(timestamp).getTime()) ? new Date(timestamp) : new Date(0);
      found.push({ id: id.slice(0, longestId), runId, state, queuedAt });
    }
  }
  return found.slice(0, limit);
}

/** Ours are half as long. */
const longestId = 100;

/** The first jobs of these states. What somebody else wrote into the queue, and is no job, hides no other. */
async function readJobs(queue: BackUps, states: string[], count: number): Promise<(Listed | undefined)[]> {
  const readable = (error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  };
  const together = await queue.getJobs(states, 0, count - 1).catch(readable);
  if (together !== undefined) return together;
  const each: (Listed | undefined)[] = [];
  for (let at = 0; at < count; at++) each.push(...((await queue.getJobs(states, at, at).catch(readable)) ?? []));
  return each;
}

/**
 * Takes out of the queue in Redis what comes next and is no job of ours, before it is read: an id that is too long, one under which no job lies,
 * and one that is longer than any of ours. KEYS: wait, delayed, prioritized. ARGV: what keys of jobs begin with, bytes of an id, bytes of a job, how many at most.
 */
const dropScript = `
local dropped = {}
local function fits(id)
  if #id > tonumber(ARGV[2]) then return false end
  local key = ARGV[1] .. id
  local type = redis.call('TYPE', key).ok
  if type == 'none' then return true end
  if type ~= 'hash' then return false end
  local bytes = 0
  if redis.call('HLEN', key) <= 64 then
    for _, field in ipairs(redis.call('HKEYS', key)) do bytes = bytes + #field + redis.call('HSTRLEN', key, field) end
    if bytes <= tonumber(ARGV[3]) then return true end
  end
  redis.call('UNLINK', key)
  return false
end
for at, key in ipairs(KEYS) do
  while #dropped < tonumber(ARGV[4]) do
    local id = at == 1 and redis.call('LINDEX', key, -1) or redis.call('ZRANGE', key, 0, 0)[1]
    if not id or fits(id) then break end
    if at == 1 then redis.call('RPOP', key) else redis.call('ZREM', key, id) end
    table.insert(dropped, string.sub(id, 1, 100))
  end
end
return dropped`;

/** Those of ours are under 8 KiB, with the words of a failure. */
const longestJob = 64 * 1024;
const mostDropped = 100;

/** Takes what comes next in the queue and is no job of ours out of it, unread; answers the beginnings of its ids. Throws what the driver throws. */
export async function dropForeignJobs(client: Redis, prefix: string): Promise<string[]> {
  const base = `${prefix}:${backUpQueueName}:`;
  const keys = ['wait', 'delayed', 'prioritized'].map((name) => base + name);
  const bounds = [longestId, longestJob, mostDropped];
  const dropped = await client.call('EVAL', dropScript, keys.length, ...keys, base, ...bounds);
  return Array.isArray(dropped) ? dropped.map(String) : [];
}

/** The run that a job is about; undefined where it was put in by hand, and names none. */
export function runIdIn(data: unknown): string | undefined {
  const runId = typeof data === 'object' && data !== null && 'runId' in data ? data.runId : undefined;
  return typeof runId === 'string' && /^[\w-]{1,64}$/.test(runId) ? runId : undefined;
}

/** For a while: what does not answer by then is an outage. */
function patient(url: string) {
  return { ...connectionTo(url), connectionTimeoutMillis: 5_000, query_timeout: 30_000, keepAlive: true };
}

async function reachPostgres({ postgresUrl, prefix }: QueueSettings): Promise<QueueConnection> {
  const options = patient(postgresUrl);
  const connection: QueueConnection = { kind: 'postgres', options: { ...options, max: 4, schema: prefix } };
  await orUnavailable(connection, async () => {
    await askPostgres(options, (client) => runMigrations(client, prefix));
  });
  return connection;
}

async function askPostgres<T>(options: pg.ClientConfig, ask: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(options);
  client.on('error', () => {}); // The query that is cut off rejects as well.
  try {
    await client.connect();
    return await ask(client);
  } finally {
    await client.end();
  }
}

async function reachRedis(url: string, { prefix }: QueueSettings): Promise<QueueConnection> {
  const connection: QueueConnection = { kind: 'redis', url, prefix };
  await orUnavailable(connection, () => askOnce(url, (client) => client.ping()));
  return connection;
}

/** Redis's INFO. Throws what the driver throws; leaves nothing open. */
export async function askRedis(url: string): Promise<string> {
  return askOnce(url, (client) => client.info());
}

/** Whether the queue in that Redis is paused, and the limits that somebody set it. Throws what the driver throws; leaves nothing open, and changes nothing. */
export async function askRedisSwitches(url: string): Promise<{ paused: boolean; limits: [string, string][] }> {
  const [paused, ...limits] = ['paused', 'concurrency', 'max', 'duration'] as const;
  return askOnce(url, async (client) => {
    const values = await client.hmget(`${queuePrefix}:${backUpQueueName}:meta`, paused, ...limits);
    const set = limits.flatMap((name, index): [string, string][] => {
      const value = values[index + 1] ?? undefined;
      return value === undefined ? [] : [[name, value]];
    });
    return { paused: values[0] !== null, limits: set };
  });
}

/** What the queue keeps under each of its keys in Redis (BullMQ), by the type that Redis calls it; numbers are strings there. */
const keptAs = {
  active: 'list',
  completed: 'zset',
  delayed: 'zset',
  events: 'stream',
  failed: 'zset',
  id: 'number',
  limiter: 'number',
  marker: 'zset',
  meta: 'hash',
  paused: 'list',
  pc: 'number',
  prioritized: 'zset',
  repeat: 'zset',
  stalled: 'set',
  'stalled-check': 'string',
  wait: 'list',
  'waiting-children': 'zset',
} as const;

/** A key of the queue in Redis that holds something else, which another program must have put there. */
export interface ForeignKey {
  readonly key: string;
  /** Types as Redis names them, or `number`. */
  readonly holds: string;
  readonly keeps: string;
}

/** The keys of the queue in that Redis that another program wrote. Throws what the driver throws; leaves nothing open, and changes nothing. */
export async function askRedisForeign(url: string, prefix = queuePrefix): Promise<ForeignKey[]> {
  return askOnce(url, async (client) => {
    const all = Object.entries(keptAs).map(async ([name, keeps]) => {
      const key = `${prefix}:${backUpQueueName}:${name}`;
      const type = await client.type(key);
      const isNumber =
        type === 'string' && keeps === 'number' && /^-?\d{1,18}$/.test(await client.getrange(key, 0, 20));
      return { key, holds: isNumber ? 'number' : type, keeps };
    });
    return (await Promise.all(all)).filter(({ holds, keeps }) => holds !== 'none' && holds !== keeps);
  });
}

/** What is wrong with keys that another program wrote, and the cure. */
export function foreignWords(found: readonly ForeignKey[]): { what: string; cure: string } {
  const each = found.map(({ key, holds, keeps }) => `${key} as a ${holds} where the queue keeps a ${keeps}`);
  return {
    what: `Redis holds what another program put there: ${each.join(', ')}. No run is given out.`,
    cure: `Let that program use another database or prefix, then delete it in Redis: DEL ${found.map(({ key }) => key).join(' ')}. The queue is filled again by nightkeep heal, which workers run every ten minutes.`,
  };
}

/** Whether Redis says that a key is not of the type that is asked for, or holds no number. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && /WRONGTYPE|value is not an integer/.test(error.message);
}

/** The same error, or one that names the keys which are not the queue's. */
async function explained(connection: QueueConnection, error: unknown): Promise<unknown> {
  if (connection.kind !== 'redis' || !isDamage(error)) return error;
  const found = await askRedisForeign(connection.url, connection.prefix).catch(() => undefined);
  if (found === undefined) return error;
  const { what, cure } = found.length > 0 ? foreignWords(found) : foreignJob;
  const keys = found.map(({ key }) => key);
  return new AppError('queue/damaged', `${what} ${cure}`, {
    cause: error,
    detail: { keys },
    retry: { afterMs: 5_000 },
  });
}

const foreignJob = {
  what: 'Redis holds something else under the id of a job, which another program put there.',
  cure: 'That job is skipped, and the others continue.',
};

async function askOnce<T>(url: string, ask: (client: Redis) => Promise<T>): Promise<T> {
  const timeouts = { connectTimeout: 5_000, commandTimeout: 5_000 };
  const client = new Redis(url, { ...timeouts, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {}); // connect() rejects as well.
  try {
    await client.connect();
    // The driver would stay in database 0 where that number does not exist.
    await client.select(client.options.db ?? 0);
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

/**
 * Waits until BullMQ's queue or worker has found PostgreSQL; throws `queue/unavailable` where it cannot, and closes it. BullMQ
 * keeps the first answer: what began without PostgreSQL would refuse everything until the process ends.
 */
export async function readyOrClosed(
  connection: QueueConnection,
  opened: { waitUntilReady(): Promise<unknown>; close(): Promise<void> },
): Promise<void> {
  try {
    await orUnavailable(connection, () => opened.waitUntilReady());
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function orUnavailable<T>(connection: QueueConnection, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const cause = await explained(connection, error);
    if (isAppError(cause)) throw cause;
    const [server, setting] = connection.kind === 'redis' ? ['Redis', 'REDIS_URL'] : ['PostgreSQL', 'DATABASE_URL'];
    throw new AppError(
      'queue/unavailable',
      `The queue in ${server} does not answer. Check that ${server} runs and that ${setting} names it.`,
      { cause, retry: { afterMs: 5_000 } },
    );
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

/** During an outage every attempt to reconnect raises the same error, and damage many that mean one; one line of it is enough. */
export function reportErrors(connection: QueueConnection, log: Log): (error: Error) => void {
  const last: { raised?: string; told?: string } = {};
  const textOf = (error: unknown) =>
    error instanceof Error ? `${'code' in error ? error.code : ''} ${error.message}` : String(error);
  const tell = async (raised: Error) => {
    const error = await explained(connection, raised);
    const text = textOf(error);
    if (text !== last.told) log.warn('queue.error', { error });
    last.told = text;
  };
  return (error) => {
    const text = textOf(error);
    if (text !== last.raised) void tell(error);
    last.raised = text;
  };
}

import type { JobsOptions } from 'bullmq';
import { traceparent } from '../tracing.ts';
import { askPostgres, backUpQueueName, type QueueConnection } from './connection.ts';
import { isDamage, longestId, removeBrokenJobs } from './foreign-data.ts';

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

/** The run that a job is about; undefined where it was put in by hand, and names none. */
export function runIdIn(data: unknown): string | undefined {
  const runId = typeof data === 'object' && data !== null && 'runId' in data ? data.runId : undefined;
  return typeof runId === 'string' && /^[\w-]{1,64}$/.test(runId) ? runId : undefined;
}

interface Listed {
  id?: string | undefined;
  data: unknown;
  timestamp: number;
}

/** The used part of BullMQ's queue, whose type differs with the backend. */
export interface BackUps {
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

/** How many jobs go to the queue, or from it, at a time. */
export const bulkSize = 1_000;

/**
 * Queues the runs, once more where another program had put something under the ids of their jobs, which are nobody else's. Scripts of Redis that end in the
 * middle leave what they did: a job that stands in no list would keep its place for ever, as one that is there already.
 */
export async function enqueueAll(connection: QueueConnection, queue: BackUps, requests: readonly BackUpRequest[]) {
  const attempt = async ({ mayRepeat }: { mayRepeat: boolean }): Promise<void> => {
    try {
      await enqueue(connection, queue, requests);
    } catch (error) {
      if (connection.kind !== 'redis' || !isDamage(error)) throw error;
      if (!(await removeBrokenJobs(connection, requests.map(idOf))) || !mayRepeat) throw error;
      await attempt({ mayRepeat: false });
    }
  };
  await attempt({ mayRepeat: true });
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

function idOf({ runId, attempt }: BackUpRequest): string {
  return `run-${runId}-${attempt}`;
}

/** How many jobs there are. */
export async function countJobs(queue: BackUps): Promise<QueueCounts> {
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

/** Some of the jobs, those in hand first. */
export async function listJobs(queue: BackUps, limit: number): Promise<QueuedJob[]> {
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

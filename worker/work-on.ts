import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type Processor,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { type Clock, within } from '../src/clock.ts';
import { AppError, isAppError, messageForPeople } from '../src/errors.ts';
import { type Log, scrub } from '../src/log.ts';
import { backUpQueueName, connectRedis, type QueueConnection } from '../src/queues/connection.ts';
import { dropForeignJobs } from '../src/queues/foreign-data.ts';
import { type BackUpJob, runIdIn } from '../src/queues/jobs.ts';
import { readyOrClosed, reportErrors } from '../src/queues/outages.ts';
import { isTraceparent, traced } from '../src/tracing.ts';

/**
 * Does one job. The signal is aborted with `run/lost-lease` when the queue gave the job to another worker, and with
 * `run/stopped` when this one shuts down. An error that may pass (`retry`) puts the job back for that time.
 */
export type Handler = (job: BackUpJob, signal: AbortSignal) => Promise<void>;

export interface WorkOptions {
  concurrency: number;
  clock: Clock;
  log: Log;
  /** How long a job is kept for this worker without a sign of life. */
  lockMs?: number;
}

export interface Work {
  /**
   * Takes no new jobs, gives those in hand `graceMs` to end, then aborts their signals and awaits them. Resolves even when
   * Redis is unavailable, but BullMQ's timers stay: end the process with process.exit().
   */
  close(graceMs: number): Promise<void>;
}

/** How long to wait for the queue itself, which may be unavailable, once every job in hand has ended. */
const partingMs = 5_000;
/** Longer than a worker waits in Redis for its next job (10 s); ends commands that would wait for a lost Redis for ever. */
const commandMs = 20_000;
/** How long to wait before the queue is asked again that answered with an error. */
const retryMs = 1_000;

/**
 * Takes back-up jobs from the queue until closed; reconnects by itself after an outage of the queue. Throws
 * `queue/unavailable` where a queue in PostgreSQL is away already.
 */
export async function workOn(connection: QueueConnection, handler: Handler, options: WorkOptions): Promise<Work> {
  const log = options.log.with({ queue: backUpQueueName });
  const inHand = new Map<string, AbortController>();
  const handled = new Set<Promise<void>>();
  let closed: Promise<void> | undefined;
  const closing = new AbortController();
  const { worker, begin, end } = openWorker(
    connection,
    async (job) => {
      const id = job.id ?? '';
      const controller = new AbortController();
      inHand.set(id, controller);
      const work = attempt(handler, job.data, controller.signal, log.with({ job: id }));
      handled.add(work);
      try {
        await work;
      } finally {
        inHand.delete(id);
        handled.delete(work);
      }
    },
    { ...options, closing: closing.signal },
  );
  const report = reportErrors(connection, log);
  worker.on('error', (error) => {
    // A question to the queue that was under way when the worker was closed, with nothing in hand, is nobody's loss.
    if (closed === undefined || inHand.size > 0) report(error);
  });
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids)
      inHand.get(id)?.abort(new AppError('run/lost-lease', 'The queue gave this run to another worker.'));
  });
  await begin();
  return {
    close: (graceMs) => {
      closing.abort();
      closed ??= close({ worker, end, inHand, handled, clock: options.clock, log }, graceMs);
      return closed;
    },
  };
}

interface Opening extends WorkOptions {
  /** Aborted as soon as the worker is to end. */
  closing: AbortSignal;
}

function openWorker(connection: QueueConnection, process: Processor<unknown, void>, options: Opening): OpenWorker {
  const settings: Omit<WorkerOptions, 'connection'> = {
    concurrency: options.concurrency,
    lockDuration: options.lockMs ?? 60_000,
    stalledInterval: options.lockMs ?? 30_000,
    maxStalledCount: 3,
    runRetryDelay: retryMs,
    settings: { backoffStrategy: (attempts, _type, error) => pauseBefore(attempts, error) },
  };
  if (connection.kind === 'postgres') {
    const all = { ...settings, connection: connection.options, autorun: false };
    const backend = pausing(createPostgresBackend, options);
    const worker = new Worker(backUpQueueName, process, all, backend);
    const begin = async () => {
      await readyOrClosed(connection, worker);
      worker.run().catch((error) => worker.emit('error', error));
    };
    return { worker, begin, end: () => {} };
  }
  const retrying = { maxRetriesPerRequest: null, commandTimeout: commandMs };
  const { client, end } = connectRedis(connection.url, retrying);
  const all = { ...settings, prefix: connection.prefix, connection: client };
  const drop = async () => {
    for (const job of await dropForeignJobs(client, connection.prefix))
      options.log.warn('queue.job-dropped', { queue: backUpQueueName, job });
  };
  const worker = new Worker(backUpQueueName, process, all, pausing(dropping(createRedisBackend, drop), options));
  return { worker, begin: async () => {}, end };
}

/** Passes an error of the queue on after a pause: BullMQ asks for the next job again at once, as quickly as errors come. */
function pausing<B extends IQueueBackend, C>(
  create: BackendFactory<B, C>,
  { clock, closing }: Opening,
): BackendFactory<B, C> {
  return (...about) => {
    const backend = create(...about);
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = (...asked) =>
      moveToActive(...asked).catch(async (error) => {
        await clock.sleep(retryMs, closing).catch(() => {});
        throw error;
      });
    return backend;
  };
}

/** Drops what is no job before BullMQ takes the next one, which it reads whole: after the last one has ended, and by itself. */
function dropping<B extends IQueueBackend, C>(
  create: BackendFactory<B, C>,
  drop: () => Promise<void>,
): BackendFactory<B, C> {
  return (...about) => {
    const backend = create(...about);
    const moveToActive = backend.moveToActive.bind(backend);
    const moveToCompleted = backend.moveToCompleted.bind(backend);
    const moveToFailed = backend.moveToFailed.bind(backend);
    // A job that has ended is put away whatever lies in the queue.
    const tryToDrop = () => drop().catch(() => {});
    backend.moveToActive = (...asked) => drop().then(() => moveToActive(...asked));
    backend.moveToCompleted = (...asked) => tryToDrop().then(() => moveToCompleted(...asked));
    backend.moveToFailed = (...asked) => tryToDrop().then(() => moveToFailed(...asked));
    return backend;
  };
}

interface OpenWorker {
  worker: BullWorker;
  begin: () => Promise<void>;
  /** Ends the connection that the worker was given. */
  end: () => void;
}

/** The used part of BullMQ's worker, whose type differs with the backend. */
interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (ids: string[]) => void): unknown;
  close(): Promise<void>;
}

async function attempt(handler: Handler, data: unknown, signal: AbortSignal, log: Log): Promise<void> {
  try {
    const job = parseJob(data);
    const about = {
      name: `process ${backUpQueueName}`,
      kind: 'consumer',
      attributes: { 'messaging.destination.name': backUpQueueName },
      parent: job.traceparent,
    } as const;
    await traced(about, () => handler(job, signal));
  } catch (error) {
    log.warn('queue.job-failed', { error });
    throw new FailedJob(error);
  }
}

/** Jobs may have been queued by hand. */
function parseJob(data: unknown): BackUpJob {
  const runId = runIdIn(data);
  if (runId !== undefined && typeof data === 'object' && data !== null)
    return {
      runId,
      ...('traceparent' in data && isTraceparent(data.traceparent) && { traceparent: data.traceparent }),
    };
  throw new AppError('request/invalid', 'The queue holds a job without the id of a run.');
}

/** The queue stores and shows the message in clear text, so it gets code and message and neither cause nor stack. */
class FailedJob extends Error {
  readonly afterMs: number | undefined;

  constructor(error: unknown) {
    const code = isAppError(error) ? `${error.code}: ` : '';
    super(`${code}${scrub(messageForPeople(error))}`);
    this.stack = '';
    this.afterMs = isAppError(error) ? error.retry?.afterMs : undefined;
  }
}

/** The pause that the error asks for, or more: it doubles from a second with each attempt; -1 means no further attempt. */
function pauseBefore(attempts: number, error: Error | undefined): number {
  if (!(error instanceof FailedJob) || error.afterMs === undefined) return -1;
  return Math.max(error.afterMs, 1_000 * 2 ** (attempts - 1));
}

interface Closing extends Omit<OpenWorker, 'begin'> {
  inHand: Map<string, AbortController>;
  handled: Set<Promise<void>>;
  clock: Clock;
  log: Log;
}

async function close({ worker, end, inHand, handled, clock, log }: Closing, graceMs: number): Promise<void> {
  const closed = worker.close();
  if (!(await endsWithin(clock, graceMs, closed))) {
    log.info('queue.stopping-jobs', { jobs: inHand.size });
    const stopped = new AppError('run/stopped', 'The service shuts down.', { retry: { afterMs: 0 } });
    for (const controller of inHand.values()) controller.abort(stopped);
    await Promise.allSettled(handled);
    if (!(await endsWithin(clock, partingMs, closed)))
      log.warn('queue.left', {
        cure: 'The queue is unavailable; it gives these jobs to other workers once their locks expire.',
      });
  }
  end();
}

/** Whether the promise is fulfilled within `ms`. */
async function endsWithin(clock: Clock, ms: number, promise: Promise<void>): Promise<boolean> {
  try {
    await within(clock, ms, () => promise);
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'TimeoutError') return false;
    throw error;
  }
}

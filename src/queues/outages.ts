import { postgresRefusal } from '../database/fault.ts';
import { AppError, isAppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { QueueConnection } from './connection.ts';
import { askRedisForeign, foreignWords, isDamage } from './foreign-data.ts';
import { redisFault } from './redis-fault.ts';

/** Asks the queue; throws `queue/unavailable` where it does not answer, `queue/damaged` where another program wrote to it. */
export async function orUnavailable<T>(connection: QueueConnection, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const cause = await explained(connection, error);
    if (isAppError(cause)) throw cause;
    throw new AppError('queue/unavailable', whyAway(connection, error), { cause, retry: { afterMs: 5_000 } });
  }
}

function whyAway({ kind }: QueueConnection, error: unknown): string {
  const refused = kind === 'redis' ? redisFault(error) : postgresRefusal(error);
  if (refused !== undefined) return refused.join(' ');
  const [server, setting] = kind === 'redis' ? ['Redis', 'REDIS_URL'] : ['PostgreSQL', 'DATABASE_URL'];
  return `The queue in ${server} does not answer. Check that ${server} runs and that ${setting} names it.`;
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

import cron, { type Logger, type ScheduledTask } from 'node-cron';
import { within } from '../src/clock.ts';
import type { Log } from '../src/log.ts';
import type { Resources } from '../src/resources.ts';

/** What a worker does besides its runs: when (UTC), the event that logs its failure, and the work. */
export type Duty<Needs = Resources> = readonly [
  pattern: string,
  failure: string,
  work: (resources: Needs, signal: AbortSignal) => Promise<unknown>,
];

export interface Duties {
  /** Begins none any more, aborts the signals of those under way, and gives them `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

/** Does one duty at once, then each at its time. A duty that fails is logged and done again at its next time. */
export async function startDuties<Needs extends Pick<Resources, 'clock' | 'log'>>(
  resources: Needs,
  first: Duty<Needs>,
  duties: readonly Duty<Needs>[],
): Promise<Duties> {
  const { clock, log } = resources;
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();
  const begin = async (duty: Duty<Needs>) => {
    const work = perform(resources, duty, closing.signal);
    underWay.add(work);
    await work;
    underWay.delete(work);
  };
  await begin(first);
  const tasks = duties.map((duty) => schedule(duty, () => begin(duty), log));
  return {
    close: async (graceMs) => {
      closing.abort();
      await Promise.all(tasks.map((task) => task.destroy()));
      await within(clock, graceMs, () => Promise.all(underWay)).catch(() =>
        log.warn('duty.left', { cure: 'What it had not finished is done by another worker, or at the next start.' }),
      );
    },
  };
}

/** Does it now. If it fails, that is logged. */
export async function perform<Needs extends Pick<Resources, 'log'>>(
  resources: Needs,
  [, failure, work]: Duty<Needs>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await work(resources, signal);
  } catch (error) {
    resources.log.error(failure, { error });
  }
}

/** node-cron would write coloured text to the console: what it has to say goes into the log. */
function schedule([pattern, failure]: Duty<never>, perform: () => Promise<void>, log: Log): ScheduledTask {
  const own = log.with({ duty: failure.replace(/[.-]failed$/, '') });
  const logger: Logger = {
    debug: () => {},
    info: (message) => own.debug('duty.noted', { message }),
    // It warns of one thing only where the missed ones are listened for: the last time is not over yet.
    warn: (message) => own.debug('duty.overlapped', { message }),
    error: (error) => own.error('duty.failed', { error }),
  };
  const task = cron.schedule(pattern, perform, { timezone: 'Etc/UTC', noOverlap: true, logger });
  task.on('execution:missed', () => own.warn('duty.missed'));
  return task;
}

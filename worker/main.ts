import cron, { type Logger, type ScheduledTask } from 'node-cron';
import { warnOfEnds } from '../src/flows/consent/warn-of-ends.ts';
import { keepAlive } from '../src/flows/custody/keep-alive.ts';
import { eraseRepositories } from '../src/flows/erasure/erase-repositories.ts';
import { heal } from '../src/flows/heal.ts';
import { continueRotation } from '../src/flows/keys/rotate-keys.ts';
import { backUp } from '../src/flows/nights/back-up.ts';
import { openNight } from '../src/flows/nights/open-night.ts';
import { steerRun } from '../src/flows/nights/steer-run.ts';
import type { Log } from '../src/log.ts';
import type { Resources } from '../src/resources.ts';
import { workOn } from './work-on.ts';

export interface RunningWorker {
  /** Takes nothing new, gives running work `graceMs` to end, and returns the rest to the queue. */
  close(graceMs: number): Promise<void>;
}

/** What a worker does besides its runs: when (UTC), the event that logs its failure, and the work. */
type Duty = readonly [
  pattern: string,
  failure: string,
  work: (resources: Resources, signal: AbortSignal) => Promise<unknown>,
];

const healing: Duty = ['*/10 * * * *', 'heal.failed', (resources) => heal(resources)];
const duties: readonly Duty[] = [
  healing,
  ['* * * * *', 'tick.failed', (resources) => openNight(resources)],
  ['* * * * *', 'keep-alive.failed', (resources, signal) => keepAlive(resources, { signal })],
  ['*/5 * * * * *', 'erase.failed', (resources, signal) => eraseRepositories(resources, { signal })],
  ['7 * * * *', 'warn-of-ends.failed', (resources) => warnOfEnds(resources)],
  ['8-59/10 * * * *', 'keyring.rotate-failed', (resources, signal) => continueRotation(resources, { signal })],
];

/** Works on runs and on the duties. First it mends what a crash left behind. */
export async function startWorker(resources: Resources): Promise<RunningWorker> {
  const { clock, config, log, queues } = resources;
  const closing = new AbortController();
  const perform = async ([, failure, work]: Duty) => {
    try {
      await work(resources, closing.signal);
    } catch (error) {
      log.error(failure, { error });
    }
  };
  const work = workOn(
    queues.connection,
    ({ runId }, signal) => steerRun(resources, { runId, signal }, (input) => backUp(resources, input)),
    { concurrency: config.concurrency, clock, log },
  );
  await perform(healing);
  const tasks = duties.map((duty) => schedule(duty, () => perform(duty), log));
  return {
    close: async (graceMs) => {
      closing.abort();
      await Promise.all(tasks.map((task) => task.destroy()));
      await work.close(graceMs);
    },
  };
}

/** node-cron would write coloured text to the console: what it has to say goes into the log. */
function schedule([pattern, failure]: Duty, perform: () => Promise<void>, log: Log): ScheduledTask {
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

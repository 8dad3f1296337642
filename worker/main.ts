import cron from 'node-cron';
import { backUp } from '../src/flows/back-up.ts';
import { heal } from '../src/flows/heal.ts';
import { keepAlive } from '../src/flows/keep-alive.ts';
import { openNight } from '../src/flows/open-night.ts';
import { continueRotation } from '../src/flows/rotate-keys.ts';
import { steerRun } from '../src/flows/steer-run.ts';
import type { Resources } from '../src/resources.ts';
import { workOn } from './work-on.ts';

export interface RunningWorker {
  /** Takes nothing new, gives what is in hand its grace, returns the rest to the queue. */
  close(graceMs: number): Promise<void>;
}

/** Works on runs, and keeps the night: plans each minute, keeps grants alive, heals and rotates keys every ten. */
export async function startWorker(resources: Resources): Promise<RunningWorker> {
  const { clock, config, log, queues } = resources;
  const work = workOn(
    queues.connection,
    ({ runId }, signal) => steerRun(resources, { runId, signal }, (input) => backUp(resources, input)),
    { concurrency: config.concurrency, clock, log },
  );
  const attempt = (event: string, task: () => Promise<unknown>) => () =>
    task().then(
      () => undefined,
      (error: unknown) => log.error(event, { error }),
    );
  const tick = attempt('tick.failed', () => openNight(resources));
  const mend = attempt('heal.failed', () => heal(resources));
  const alive = attempt('keep-alive.failed', () => keepAlive(resources));
  const closing = new AbortController();
  const reseal = attempt('keyring.rotate-failed', () => continueRotation(resources, { signal: closing.signal }));
  await mend();
  const every = { timezone: 'Etc/UTC', noOverlap: true };
  const tasks = [
    cron.schedule('* * * * *', tick, every),
    cron.schedule('*/10 * * * *', mend, every),
    cron.schedule('5-59/10 * * * *', alive, every),
    cron.schedule('8-59/10 * * * *', reseal, every),
  ];
  return {
    close: async (graceMs) => {
      closing.abort();
      await Promise.all(tasks.map((task) => task.destroy()));
      await work.close(graceMs);
    },
  };
}

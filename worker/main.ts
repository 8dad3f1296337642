import cron from 'node-cron';
import { backUp } from '../src/flows/back-up.ts';
import { heal } from '../src/flows/heal.ts';
import { keepAlive } from '../src/flows/keep-alive.ts';
import { openNight } from '../src/flows/open-night.ts';
import { steerRun } from '../src/flows/steer-run.ts';
import { warnOfEnds } from '../src/flows/warn-of-ends.ts';
import type { Resources } from '../src/resources.ts';
import { workOn } from './work-on.ts';

export interface RunningWorker {
  /** Takes nothing new, gives what is in hand its grace, returns the rest to the queue. */
  close(graceMs: number): Promise<void>;
}

/** Works on runs, and keeps the night: plans and keeps grants alive each minute, heals every ten. */
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
  const warn = attempt('warn-of-ends.failed', () => warnOfEnds(resources));
  await mend();
  const every = { timezone: 'Etc/UTC', noOverlap: true };
  const tasks = [
    cron.schedule('* * * * *', tick, every),
    cron.schedule('*/10 * * * *', mend, every),
    cron.schedule('* * * * *', alive, every),
    cron.schedule('7 * * * *', warn, every),
  ];
  return {
    close: async (graceMs) => {
      await Promise.all(tasks.map((task) => task.destroy()));
      await work.close(graceMs);
    },
  };
}

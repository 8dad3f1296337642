import { findRun, listPlansForCommand } from '../database/command-views.ts';
import { AppError } from '../errors.ts';
import { requestRun } from '../flows/nights/request-run.ts';
import type { Resources } from '../resources.ts';
import { type Command, text } from './command.ts';
import { openHouse } from './open-house.ts';
import { namedUser } from './people.ts';

const ended = new Set(['succeeded', 'partial', 'failed', 'skipped', 'cancelled']);

/** Queues runs now; a running worker does them. With --wait it ends when they did: 0 all succeeded, 3 some partial, 1 some failed. */
export const backup: Command = {
  usage: '--user NAME | --all [--wait] [--json]',
  summary: 'back up now',
  options: { user: { type: 'string' }, all: { type: 'boolean' }, wait: { type: 'boolean' }, json: { type: 'boolean' } },
  run: async (options, output) => {
    if ((text(options, 'user') === undefined) === (options.all !== true))
      throw new AppError('usage/invalid', 'Say either --user NAME or --all.');
    await using house = await openHouse();
    const userId = options.all === true ? undefined : (await namedUser(house, options)).id;
    const plans = await listPlansForCommand(house.database, userId);
    if (plans.length === 0)
      throw new AppError('request/not-found', 'There is nothing to back up: nobody of these gave their consent yet.');
    const runIds: string[] = [];
    for (const { id } of plans) runIds.push(await requestRun(house, { planId: id, trigger: 'operator' }));
    const runs = await Promise.all(
      runIds.map((id) => (options.wait === true ? waitFor(house, id) : findRun(house.database, id))),
    );
    for (const run of runs) output.line(options.json === true ? JSON.stringify(run) : `${run?.id} ${run?.state}`);
    if (options.wait !== true) return 0;
    if (runs.some((run) => run?.state !== 'succeeded' && run?.state !== 'partial')) return 1;
    return runs.some((run) => run?.state === 'partial') ? 3 : 0;
  },
};

async function waitFor({ database, clock }: Pick<Resources, 'database' | 'clock'>, runId: string) {
  for (;;) {
    const run = await findRun(database, runId);
    if (run === null || ended.has(run.state)) return run;
    await clock.sleep(500);
  }
}

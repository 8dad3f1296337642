import { once } from 'node:events';
import { startWorker } from '../../worker/main.ts';
import { AppError } from '../errors.ts';
import { serve } from '../web/server.ts';
import type { Command } from './command.ts';
import { openHouse } from './open-house.ts';

/** Runs the service until SIGTERM or SIGINT, then drains: requests end, running work gets its grace, the rest goes back. */
export const start: Command = {
  usage: '[--roles web,worker]',
  summary: 'run the service',
  options: { roles: { type: 'string' } },
  run: async (options, output) => {
    const roles = readRoles(String(options.roles ?? 'web,worker'));
    const asked = askedToEnd();
    await using house = await openHouse();
    const { graceMs } = house.config;
    const web = roles.has('web') ? await serve(house) : undefined;
    const worker = roles.has('worker') ? await startWorker(house) : undefined;
    if (web !== undefined) output.line(`Nightkeep listens on ${house.config.publicUrl.href}`);
    if (web === undefined) output.line('Nightkeep works.');
    await asked;
    await Promise.all([web?.close(graceMs), worker?.close(graceMs)]);
    return 0;
  },
};

function readRoles(words: string): Set<string> {
  const roles = words.split(',').map((word) => word.trim());
  const strange = roles.find((role) => role !== 'web' && role !== 'worker');
  if (strange !== undefined)
    throw new AppError('usage/invalid', `There is no role "${strange}": roles are web and worker.`);
  return new Set(roles);
}

/** Heard from the beginning, so that whoever is asked while it starts still ends in good order. */
function askedToEnd(): Promise<unknown> {
  return Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
}

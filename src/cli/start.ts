import { once } from 'node:events';
import { startWorker } from '../../worker/main.ts';
import { adviseOn } from '../config/advice.ts';
import { readEnvironment } from '../config/environment.ts';
import { AppError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import { startTracing } from '../tracing.ts';
import { version } from '../version.ts';
import { serve, serveHealth } from '../web/server.ts';
import { type Command, type Options, text } from './command.ts';
import { isNothingSet, openSetup, setUp, tell } from './first-run.ts';
import { openInterrupt } from './interrupt.ts';
import { openFromEnvironment } from './open-resources.ts';

/** Runs the service until SIGTERM, SIGINT or SIGHUP, then drains: requests end, running work gets its grace, the rest goes back. */
export const start: Command = {
  usage: '[--roles web,worker]',
  summary: 'run the service',
  options: {
    roles: {
      value: 'web,worker',
      help: 'what this process does: serve the pages, work on runs, or both (the default)',
    },
  },
  run: async (options, output) => {
    const roles = readRoles(options);
    const asked = askedToEnd();
    const environment = readEnvironment();
    if (roles.includes('web') && isNothingSet(environment)) return setUp(environment, output, asked);
    await using resources = await openFromEnvironment({ begins: true });
    const { config, log } = resources;
    await using _tracing = await traceWhereAsked(resources);
    warn(resources, roles);
    const pages = roles.includes('web');
    const setup = openSetup(resources, environment);
    const web = pages ? await serve(resources, setup) : await serveHealth(resources);
    const worker = roles.includes('worker') ? await startWorker(resources) : undefined;
    const address = pages ? web?.url.href : undefined;
    log.info('service.started', { version, roles, ...(address !== undefined && { address }) });
    if (address === undefined) output.line('Nightkeep works.');
    else for (const line of whereabouts(address, config.publicUrl.href)) output.line(line);
    const isOpen = pages && Promise.race([setup.isOpen().catch(() => false), asked.then(() => false)]);
    if (await isOpen) tell(output, config.publicUrl, setup);
    await asked;
    await Promise.all([web?.close(config.graceMs), worker?.close(config.graceMs)]);
    log.info('service.stopped', { version, roles });
    return 0;
  },
};

async function traceWhereAsked({ config: { tracing }, holder: instance, log }: Resources) {
  return tracing && startTracing({ ...tracing, version, instance, log });
}

function readRoles(options: Options): string[] {
  const roles = (text(options, 'roles') ?? 'web,worker').split(',').map((word) => word.trim());
  const strange = roles.find((role) => role !== 'web' && role !== 'worker');
  if (strange !== undefined)
    throw new AppError('usage/invalid', `There is no role "${strange}": roles are web and worker.`);
  return [...new Set(roles)];
}

/** The address concerns whoever serves the pages. */
function warn({ config, log }: Resources, roles: readonly string[]): void {
  const { port: _, publicUrl, ...others } = config;
  const judged = roles.includes('web') ? config : others;
  for (const warning of adviseOn(judged, readEnvironment())) log.warn('settings.doubtful', { warning });
}

function whereabouts(address: string, publicUrl: string): string[] {
  const listens = `Nightkeep listens on ${address}`;
  return address === publicUrl ? [listens] : [listens, `Browsers reach it at ${publicUrl}`];
}

/** Heard from the beginning, so that whoever is asked while it starts still ends in good order; a second time ends the process. */
function askedToEnd(): Promise<unknown> {
  return once(openInterrupt().signal, 'abort');
}

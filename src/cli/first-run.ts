import { hostname } from 'node:os';
import { systemClock } from '../clock.ts';
import { readSetting, readWebLimits } from '../config/config.ts';
import type { Environment } from '../config/environment.ts';
import { hasOperatorSignedIn } from '../database/audit.ts';
import { adoptRepositories } from '../flows/adoption/adopt-repositories.ts';
import { findRepositories } from '../flows/adoption/find-repositories.ts';
import { listStoredExports } from '../flows/state/stored-exports.ts';
import { openLog } from '../log.ts';
import type { Resources } from '../resources.ts';
import { setupTokenOf } from '../vault/setup-token.ts';
import { serveSetup } from '../web/server.ts';
import { newSetupToken, type Setup, setupPath } from '../web/setup.ts';
import type { Output } from './command.ts';

const leastSettings = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'FILES_URL'];

/** Whether none of the settings is there without which nothing works: an installation that begins, not one with a slip in it. */
export function isNothingSet(environment: Environment): boolean {
  return leastSettings.every((name) => !environment[name] && !environment[`${name}_FILE`]);
}

/** Serves the first-run page alone until it is asked to end. */
export async function setUp(environment: Environment, output: Output, asked: Promise<unknown>): Promise<number> {
  const config = {
    host: readSetting(environment, 'HOST'),
    port: readSetting(environment, 'PORT'),
    publicUrl: readSetting(environment, 'PUBLIC_URL'),
    proxies: readSetting(environment, 'PROXIES'),
    web: readWebLimits(environment),
  };
  const clock = systemClock();
  const setup = { token: newSetupToken(), environment, clock, isOpen: async () => true };
  const log = openLog({ clock, level: 'info', write: (line) => process.stderr.write(`${line}\n`) });
  const web = await serveSetup({ log, config }, setup);
  output.line(`Nothing is set yet: ${leastSettings.join(', ')} and others are missing.`);
  tell(output, web.url, setup);
  await asked;
  await web.close(0);
  return 0;
}

/** The first-run page beside the others, until an operator has signed in. */
export function openSetup(resources: Resources, environment: Environment): Setup {
  const { clock, database, keyring } = resources;
  let done = false;
  const isOpen = async () => {
    done ||= await hasOperatorSignedIn(database);
    return !done;
  };
  const by = `command:setup-page@${hostname()}`;
  const backups = {
    find: async () => (await findRepositories(resources, null)).filter(({ isKnown }) => !isKnown),
    exportedAt: async () => {
      const newest = (await listStoredExports(resources)).find(({ problem }) => problem === undefined);
      return newest && new Date(newest.name);
    },
    adopt: () => Array.fromAsync(adoptRepositories(resources, { at: null, dryRun: false, by })),
  };
  return { token: setupTokenOf(keyring), environment, clock, isOpen, backups };
}

/** Where the first-run page is, and what opens it: on standard output alone, since logs are kept and sent elsewhere. */
export function tell(output: Output, address: URL, { token }: Setup): void {
  output.line(`Set it up at ${new URL(setupPath, address).href} with the token ${token}`);
}

import { systemClock } from '../clock.ts';
import { readConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { openLog } from '../log.ts';
import { openRepositoryResources, type RepositoryResources } from '../repository-resources.ts';
import type { Resources } from '../resources.ts';

/** Opens everything for a command, from the environment; the log goes to standard error. */
export async function openFromEnvironment(): Promise<Resources & AsyncDisposable> {
  const { openResources } = await import('../resources.ts');
  return openResources(...fromEnvironment());
}

/** Opens database, keyring and store, for a command that needs no queue, provider or source: it works where these are away. */
export async function openRepositoriesFromEnvironment(): Promise<RepositoryResources & AsyncDisposable> {
  return openRepositoryResources(...fromEnvironment());
}

function fromEnvironment(): Parameters<typeof openRepositoryResources> {
  const config = readConfig(readEnvironment());
  const clock = systemClock();
  const log = openLog({ clock, level: config.logLevel, write: (line) => process.stderr.write(`${line}\n`) });
  return [config, { clock, log }];
}

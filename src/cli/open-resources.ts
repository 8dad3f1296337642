import { systemClock } from '../clock.ts';
import { readConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { openLog } from '../log.ts';
import { openResources, type Resources } from '../resources.ts';

/** Opens everything for a command, from the environment; the log goes to standard error. */
export async function openFromEnvironment(): Promise<Resources & AsyncDisposable> {
  const config = readConfig(readEnvironment());
  const clock = systemClock();
  const log = openLog({ clock, level: config.logLevel, write: (line) => process.stderr.write(`${line}\n`) });
  return openResources(config, { clock, log });
}

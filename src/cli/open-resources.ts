import { join, resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { type Config, readConfig } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { hasEmbeddedDatabase } from '../database/server/embedded.ts';
import { AppError } from '../errors.ts';
import { openLog } from '../log.ts';
import { openRepositoryResources, type RepositoryResources } from '../repository-resources.ts';
import type { Resources, ResourcesWithoutQueue } from '../resources.ts';

/**
 * Opens everything for a command, from the environment; the log goes to standard error. Throws `database/unavailable` where there is no
 * embedded database yet, unless the command `begins` an installation.
 */
export async function openFromEnvironment({
  begins = false,
}: {
  begins?: boolean;
} = {}): Promise<Resources & AsyncDisposable> {
  const { openResources } = await import('../resources.ts');
  const given = fromEnvironment();
  if (!begins) await requireDatabase(given[0]);
  return openResources(...given);
}

/** The same without the queue, for a command that puts no run into it: it works where Redis is away. */
export async function openWithoutQueueFromEnvironment(): Promise<ResourcesWithoutQueue & AsyncDisposable> {
  const { openResourcesWithoutQueue } = await import('../resources.ts');
  const given = fromEnvironment();
  await requireDatabase(given[0]);
  return openResourcesWithoutQueue(...given);
}

/** The same of database, keyring and store, for a command that needs no queue, provider or source: it works where these are away. */
export async function openRepositoriesFromEnvironment({
  begins = false,
}: {
  begins?: boolean;
} = {}): Promise<RepositoryResources & AsyncDisposable> {
  const given = fromEnvironment();
  if (!begins) await requireDatabase(given[0]);
  return openRepositoryResources(...given);
}

/** In another folder, or without its settings, a command would make an empty database and find nothing wrong in it. */
async function requireDatabase({ databaseUrl, dataDir }: Config): Promise<void> {
  const folder = join(dataDir, 'postgres');
  if (databaseUrl !== undefined || (await hasEmbeddedDatabase(folder))) return;
  throw new AppError(
    'database/unavailable',
    `There is no database in ${resolve(folder)} yet, so nothing is known of anybody. Is DATA_DIR as the service has it (nightkeep settings)? The first start makes one.`,
  );
}

function fromEnvironment(): Parameters<typeof openRepositoryResources> {
  const config = readConfig(readEnvironment());
  const clock = systemClock();
  const log = openLog({ clock, level: config.logLevel, write: (line) => process.stderr.write(`${line}\n`) });
  return [config, { clock, log }];
}

import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Person } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { everyRow } from '../fixtures/every-row.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { demo } from '../realms/demo.ts';
import type { Visitor } from '../realms/realm.ts';
import { type EnvironmentOptions, openTestEnvironment, type TestEnvironment } from './environment.ts';
import { type Ended, type Nightkeep, nightkeep } from './nightkeep.ts';
import { waitUntilAtRest } from './service-fixture.ts';

/** What Nightkeep stands on, and Nightkeep itself as processes there. */
export interface Installation extends TestEnvironment {
  /** The folder that processes are started in. */
  readonly here: string;
  /** A look at the database that no process of Nightkeep has part in. */
  readonly database: Database;
  /** Starts the service, in all roles unless told otherwise, and waits until it serves. */
  start(changes?: Environment, ...words: string[]): Promise<Nightkeep>;
  /** Runs a command to its end. */
  run(words: readonly string[], changes?: Environment): Promise<Ended>;
  visitor(person: Person): Promise<Visitor>;
  /** Waits until no run is under way or due. */
  atRest(): Promise<void>;
  /** Restores the newest snapshot of a person with the command, and gives the files by their paths. */
  restored(person: Person): Promise<Map<string, string>>;
  /** All that must survive whatever goes wrong: every row of the database, every file of the store. */
  kept(): Promise<readonly string[]>;
}

export async function openInstallation(options: EnvironmentOptions = {}): Promise<Installation> {
  await using opened = new AsyncDisposableStack();
  const environment = opened.use(await openTestEnvironment(demo('26.7'), options));
  const { settings, folder, realm } = environment;
  const database = opened.adopt(await openDatabase(settings.DATABASE_URL ?? ''), (one) => one.$disconnect());
  const here = join(folder, 'here');
  await mkdir(here);
  const started = opened.use(new AsyncDisposableStack());
  const begin = (words: readonly string[], changes: Environment = {}) =>
    started.use(nightkeep(words, { ...settings, ...changes }, here));
  const closing = opened.move();
  return {
    ...environment,
    here,
    database,
    start: async (changes, ...words) => {
      const service = begin(['start', ...words], changes);
      await service.started();
      return service;
    },
    run: (words, changes) => begin(words, changes).ended,
    visitor: async (person) => started.use(await realm.visitor(person)),
    atRest: () => waitUntilAtRest(database, systemClock()),
    restored: async ({ username }) => {
      await using to = await temporaryFolder('restored');
      const { code, stderr } = await begin(['restore', '--user', username, '--to', join(to.path, 'all')]).ended;
      if (code !== 0) throw new Error(stderr);
      return await filesIn(join(to.path, 'all', 'files'));
    },
    kept: async () => [
      ...(await everyRow(database)),
      ...(await readdir(join(folder, 'store'), { recursive: true })).toSorted(),
    ],
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function filesIn(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const read = paths.map(
    async (path): Promise<[string, string]> => [relative(folder, path), await readFile(path, 'latin1')],
  );
  return new Map(await Promise.all(read));
}

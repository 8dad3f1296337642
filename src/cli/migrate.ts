import { systemClock } from '../clock.ts';
import { readSetting } from '../config/config.ts';
import { readEnvironment } from '../config/environment.ts';
import { saveAudit } from '../database/audit.ts';
import { openDatabase } from '../database/client.ts';
import { migrate } from '../database/server/migrate.ts';
import { AppError } from '../errors.ts';
import { commandActor } from './actor.ts';
import { type Command, json, printList } from './command.ts';

/** Applies Prisma migrations to a database of your own; the embedded one is migrated at each start. */
export const migrateCommand: Command = {
  usage: '[--json]',
  summary: 'bring the database up to this version',
  options: json,
  run: async (options, output) => {
    const databaseUrl = readSetting(readEnvironment(), 'DATABASE_URL');
    if (databaseUrl === undefined)
      throw new AppError(
        'config/invalid',
        'DATABASE_URL is not set: the embedded database is migrated at each start, there is nothing to do.',
      );
    const rows = await apply(databaseUrl);
    printList(output, options, { rows, lineOf: (name) => `Applied ${name}.`, none: 'Nothing to apply.' });
    return 0;
  },
};

/** A database that cannot be opened is reported in our own words, before the engine looks at it. What was applied goes into the audit. */
async function apply(databaseUrl: string): Promise<string[]> {
  const database = await openDatabase(databaseUrl, 1);
  try {
    const applied = await migrateOrExplain(databaseUrl);
    const act = {
      at: systemClock().now(),
      by: commandActor(),
      act: 'database-migrated',
      about: applied.at(-1),
    } as const;
    if (applied.length > 0) await saveAudit(database, act);
    return applied;
  } finally {
    await database.$disconnect();
  }
}

async function migrateOrExplain(databaseUrl: string): Promise<string[]> {
  try {
    return await migrate(databaseUrl);
  } catch (cause) {
    throw new AppError(
      'database/unavailable',
      'The migrations could not be applied. Check that the user of DATABASE_URL may create tables.',
      { cause },
    );
  }
}

import { readConfig, readEnvironment } from '../config.ts';
import { migrate } from '../database/migrate.ts';
import { AppError } from '../errors.ts';
import type { Command } from './command.ts';

/** Applies Prisma migrations to a database of your own; the embedded one is migrated at each start. */
export const migrateCommand: Command = {
  usage: '',
  summary: 'bring the database up to this version',
  options: {},
  run: async (_options, output) => {
    const { databaseUrl } = readConfig(readEnvironment());
    if (databaseUrl === undefined)
      throw new AppError(
        'config/invalid',
        'DATABASE_URL is not set: the embedded database is migrated at each start, there is nothing to do.',
      );
    const applied = await apply(databaseUrl);
    output.line(applied.length === 0 ? 'Nothing to apply.' : `Applied ${applied.join(', ')}.`);
    return 0;
  },
};

async function apply(databaseUrl: string): Promise<string[]> {
  try {
    return await migrate(databaseUrl);
  } catch (cause) {
    throw new AppError(
      'database/unavailable',
      'The migrations could not be applied. Check DATABASE_URL, and that its user may create tables.',
      { cause },
    );
  }
}

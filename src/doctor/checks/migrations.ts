import { countWords } from '../../count-words.ts';
import { compareMigrations } from '../../database/server/migrate.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn, wrong } from '../finding.ts';
import { someOf } from '../words.ts';

const name = 'migrations';

export const migrations: Check = {
  name,
  run: async ({ database, option }) => {
    const embedded = option('databaseUrl') === undefined;
    return checkMigrations(await compareMigrations(await database()), { embedded });
  },
};

/** An embedded database is migrated at each start, one of your own by a command. */
export function checkMigrations(
  { missing, unknown: strange }: { missing: string[]; unknown: string[] },
  { embedded }: { embedded: boolean },
): Finding {
  if (missing.length > 0) {
    const finding = `The database lacks ${countWords(missing.length, 'migration')}: ${someOf(missing)}.`;
    if (embedded) return warn(name, finding, 'The next start of Nightkeep brings it up to date.');
    return wrong(name, finding, 'Run: nightkeep migrate');
  }
  if (strange.length > 0)
    return warn(
      name,
      `The database was brought up to a newer version: this one does not know ${someOf(strange)}.`,
      'Run the newest version everywhere.',
    );
  return ok(name, 'Every migration of this version is there.');
}

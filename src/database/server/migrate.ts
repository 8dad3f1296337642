import { countWords } from '../../count-words.ts';
import { AppError } from '../../errors.ts';
import type { Database } from '../client.ts';
import { listMigrations, noFilter, readMigrations, withSchemaEngine } from './schema-engine.ts';

/** Applies missing migrations and returns their names; several processes may call it at once. */
export async function migrate(url: string): Promise<string[]> {
  const migrationsList = await readMigrations();
  const { appliedMigrationNames } = await withSchemaEngine(url, (engine) =>
    engine.applyMigrations({ migrationsList, filters: noFilter }),
  );
  return appliedMigrationNames;
}

/** As `migrate`, but checks first: the engine costs a second and 60 MiB, which most starts can save. */
export async function migrateWhereNeeded(database: Database, url: string): Promise<string[]> {
  return (await compareMigrations(database)).missing.length > 0 ? migrate(url) : [];
}

/** Throws `database/not-migrated` unless every migration of this version was applied. */
export async function requireMigrations(database: Database): Promise<void> {
  const { missing } = await compareMigrations(database);
  if (missing.length === 0) return;
  throw new AppError(
    'database/not-migrated',
    `The database lacks ${countWords(missing.length, 'migration')} that this version needs. Run: nightkeep migrate`,
    { detail: { missing } },
  );
}

interface Compared {
  readonly missing: string[];
  readonly unknown: string[];
}

/** Migrations of this version that the database lacks, and those of the database that this version does not know. */
export async function compareMigrations(database: Database): Promise<Compared> {
  return compareWith([...(await listApplied(database))]);
}

/** The same of migrations that were applied elsewhere. */
export async function compareWith(applied: readonly string[]): Promise<Compared> {
  const known = await listMigrations();
  return {
    missing: known.filter((path) => !applied.includes(path)),
    unknown: applied.filter((path) => !known.includes(path)),
  };
}

/** The migrations that were applied to the database, oldest first. */
export async function listAppliedMigrations(database: Database): Promise<string[]> {
  return [...(await listApplied(database))].toSorted();
}

async function listApplied(database: Database): Promise<Set<string>> {
  const [{ exists }] = await database.$queryRaw<[{ exists: boolean }]>`
    SELECT to_regclass('_prisma_migrations') IS NOT NULL AS "exists"`;
  if (!exists) return new Set();
  const rows = await database.$queryRaw<{ name: string }[]>`
    SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
  return new Set(rows.map(({ name }) => name));
}

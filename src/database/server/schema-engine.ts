import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { connectionTo } from '../connection.ts';

const engineModule = '@prisma/schema-engine-wasm/schema_engine_bg';
const schemaPath = fileURLToPath(new URL('../../../prisma/schema.prisma', import.meta.url));
const migrationsPath = fileURLToPath(new URL('../../../prisma/migrations/', import.meta.url));

type Engine = Awaited<ReturnType<typeof openSchemaEngine>>;

/**
 * Runs Prisma's schema engine as WebAssembly against the database: the native engine is a download of its own,
 * and this one keeps the same `_prisma_migrations` table as `prisma migrate deploy`. Its connections are closed afterwards.
 */
export async function withSchemaEngine<T>(url: string, use: (engine: Engine) => Promise<T>): Promise<T> {
  // The engine leaves open what its adapter connects, so the pool is closed here.
  const pool = new pg.Pool(connectionTo(url));
  try {
    const engine = await openSchemaEngine(pool);
    try {
      return await use(engine);
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

async function openSchemaEngine(pool: pg.Pool) {
  const { SchemaEngine } = await loadEngine();
  const adapter = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
  return SchemaEngine.new({ datamodels: [[schemaPath, await readSchema()]] }, () => undefined, adapter);
}

/** Prisma's adapter cuts scripts at each semicolon, also at those inside a function. PostgreSQL takes a script whole. */
class WholeScripts extends PrismaPg {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    super(pool);
    this.#pool = pool;
  }

  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => void (await this.#pool.query(script));
    return adapter;
  }
}

let loaded: ReturnType<typeof instantiateEngine> | undefined;

/** The bindings keep their memory in module variables, so a process may have one instance only. */
function loadEngine(): ReturnType<typeof instantiateEngine> {
  loaded ??= instantiateEngine();
  return loaded;
}

/** TypeScript knows WebAssembly only together with the browser's whole DOM; this is the part of it used here. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

async function instantiateEngine() {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const wasm = await readFile(new URL('schema_engine_bg.wasm', import.meta.resolve(engineModule)));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  const start = instance.exports.__wbindgen_start;
  if (typeof start === 'function') start();
  return bindings;
}

/** For the engine: no table or enumeration of the schema is managed by somebody else. */
export const noFilter = { externalTables: [], externalEnums: [] };

/** The text of prisma/schema.prisma. */
export async function readSchema(): Promise<string> {
  return readFile(schemaPath, 'utf8');
}

/** The names of the migrations of this version, oldest first. */
export async function listMigrations(): Promise<string[]> {
  const entries = await readdir(migrationsPath, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** The migrations of this version as the engine takes them, oldest first. */
export async function readMigrations() {
  const migrationDirectories = [];
  // One after the other: a process may not be allowed to have that many files open.
  for (const name of await listMigrations()) migrationDirectories.push(await readMigration(name));
  return {
    baseDir: migrationsPath,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories,
  };
}

async function readMigration(path: string) {
  const content = await readFile(`${migrationsPath}${path}/migration.sql`, 'utf8');
  return { path, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: content } } };
}

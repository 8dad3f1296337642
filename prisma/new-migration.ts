/**
 * Writes the next migration: what takes the schema file as it was committed last to the schema file as it is now.
 * Usage: DATABASE_URL=postgres://… npx node prisma/new-migration.ts NAME   (any database: it is only connected to)
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { noFilter, readSchema, withSchemaEngine } from '../src/database/server/schema-engine.ts';

const [name] = process.argv.slice(2);
const url = process.env.DATABASE_URL;
if (name === undefined || url === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  throw new Error(
    'Usage: DATABASE_URL=postgres://… npx node prisma/new-migration.ts NAME   (lower-case letters, digits and _)',
  );
}
const committed = spawnSync('git', ['show', 'HEAD:prisma/schema.prisma'], { encoding: 'utf8' });
const datamodel = (content: string) => ({
  tag: 'schemaDatamodel' as const,
  files: [{ path: 'schema.prisma', content }],
});
const { stdout } = await withSchemaEngine(url, async (engine) =>
  engine.diff({
    from: committed.status === 0 ? datamodel(committed.stdout) : { tag: 'empty' },
    to: datamodel(await readSchema()),
    script: true,
    exitCode: null,
    filters: noFilter,
  }),
);
if (!/^(CREATE|ALTER|DROP)/m.test(stdout ?? ''))
  throw new Error('Nothing to write: the schema is as it was committed.');
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const folder = new URL(`migrations/${stamp}_${name}/`, import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL('migration.sql', folder), stdout ?? '');
console.log(`Wrote prisma/migrations/${stamp}_${name}/migration.sql`);

/**
 * Generates the Prisma client, as `prisma generate` does, by the generator alone: the `prisma` command brings 200 MB of
 * other things along, and wants to download a native engine that is not used here. What reads its configuration file is
 * replaced by something small in package.json (`overrides`), since there is none.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// Node cannot load their modules for `import`.
const require = createRequire(import.meta.url);
const { PrismaClientTsGenerator }: typeof import('@prisma/client-generator-ts') =
  require('@prisma/client-generator-ts');
const { getGenerator, loadSchemaContext }: typeof import('@prisma/internals') = require('@prisma/internals');

const generator = await getGenerator({
  schemaContext: await loadSchemaContext({
    schemaPath: { cliProvidedPath: fileURLToPath(new URL('schema.prisma', import.meta.url)) },
    printLoadMessage: false,
  }),
  registry: { 'prisma-client': { type: 'in-process', generator: new PrismaClientTsGenerator() } },
  skipDownload: true,
  cliCommand: 'generate',
});
await generator.generate();
generator.stop();

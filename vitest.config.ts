import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Inherited by every process and thread that tests start, so that each module is compiled once.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/nightkeep-tests', import.meta.url));

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 120_000, hookTimeout: 120_000, ...extra },
});

const postgres = { globalSetup: 'test/support/servers/postgres-server.ts' };

export default defineConfig({
  test: {
    // One more than there are processors: some tests wait for a database, a process or a timer.
    maxWorkers: availableParallelism() + 1,
    isolate: false,
    projects: [
      project('unit'),
      project('contract', postgres),
      project('integration', postgres),
      project('scenarios', postgres),
      project('process', { ...postgres, testTimeout: 240_000, hookTimeout: 240_000 }),
      project('conformance', {
        ...postgres,
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
      project('faults', { ...postgres, testTimeout: 900_000, hookTimeout: 300_000, fileParallelism: false }),
      project('keycloak', {
        globalSetup: ['test/support/servers/postgres-server.ts', 'test/support/servers/keycloak-server.ts'],
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
      project('providers', { ...postgres, testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false }),
      project('browser', { ...postgres, fileParallelism: false }),
    ],
  },
});

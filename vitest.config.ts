import { statfsSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

// Inherited by every process and thread that tests start, so that each module is compiled once.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/nightkeep-tests', import.meta.url));

// Databases and stores of tests lie in memory where there is enough: nothing of them outlives a run, and a disk makes each wait.
if (hasMemoryFor(8 * 1024 ** 3)) process.env.TMPDIR ??= '/dev/shm';

function hasMemoryFor(bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return freemem() >= bytes && bavail * bsize >= bytes;
  } catch {
    return false;
  }
}

const compilers = fileURLToPath(new URL('test/support/harness/query-compiler.ts', import.meta.url));

/** Has all clients of Prisma in one process share what compiles their queries. */
const shareCompilers: Plugin = {
  name: 'share-query-compilers',
  transform(code, id) {
    if (!id.endsWith('/src/database/generated/internal/class.ts')) return;
    const shared = code.replace(
      /getRuntime: async \(\) => await (import\([^)]+\))/,
      `getRuntime: async () => (await import('${compilers}')).sharingCompilers(await $1)`,
    );
    if (shared === code) throw new Error("Prisma's client gets its query compiler in another way than it did.");
    return { code: shared, map: null };
  },
};

const project = (name: string, extra: object = {}) => ({
  plugins: [shareCompilers],
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Vitest's own second is less than a busy machine needs for what is waited for.
    expect: { poll: { timeout: 30_000 } },
    ...extra,
  },
});

const postgres = { globalSetup: 'test/support/servers/postgres-server.ts' };

const keycloak = {
  globalSetup: ['test/support/servers/postgres-server.ts', 'test/support/servers/keycloak-server.ts'],
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

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
        maxWorkers: 2,
      }),
      project('fuzz'),
      project('faults', { ...postgres, testTimeout: 900_000, hookTimeout: 300_000, fileParallelism: false }),
      project('chaos', { fileParallelism: false }),
      // Those that restart the server come last and have it to themselves.
      project('keycloak', {
        ...keycloak,
        exclude: ['test/keycloak/restarts/**'],
        maxWorkers: 2,
        sequence: { groupOrder: 1 },
      }),
      project('keycloak-restarts', {
        ...keycloak,
        include: ['test/keycloak/restarts/**/*.test.ts'],
        fileParallelism: false,
        sequence: { groupOrder: 2 },
      }),
      project('providers', { ...postgres, testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false }),
      project('browser', { ...postgres, fileParallelism: false }),
    ],
  },
});

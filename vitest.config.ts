import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: 60_000, hookTimeout: 120_000, ...extra },
});

export default defineConfig({
  test: {
    projects: [
      project('unit'),
      project('contract'),
      project('integration'),
      project('conformance', { testTimeout: 300_000, hookTimeout: 300_000, fileParallelism: false }),
      project('browser', { testTimeout: 120_000, fileParallelism: false }),
    ],
  },
});

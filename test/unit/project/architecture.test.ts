import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every path that docs/architecture.md names exists', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const named = text.match(/\b(src|worker|demo|test|bench|scripts|prisma|deploy|docs)(\/[\w.-]+)*\/[\w.-]*/g) ?? [];
  const paths = [...new Set(named.map((path) => path.replace(/[./]$/, '')))];
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every path that docs/architecture.md names exists', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const named = text.match(/\b(src|worker|demo|test|bench|scripts|prisma|deploy|docs)(\/[\w.-]+)*\/[\w.-]*/g) ?? [];
  const paths = [...new Set(named.map((path) => path.replace(/[./]$/, '')))];
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

test('docs/architecture.md names each folder of src, of its flows and of its store', () => {
  const text = readFileSync('docs/architecture.md', 'utf8');
  const [plan = ''] = text.match(/## Floor plan[\s\S]+?## Layers/) ?? [];
  const foldersIn = (path: string) =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  expect(foldersIn('src').filter((name) => !plan.includes(`\nsrc/${name}/ `))).toEqual([]);
  for (const group of ['flows', 'store'])
    expect(foldersIn(`src/${group}`).filter((name) => !plan.includes(`\n  ${name}/ `))).toEqual([]);
});

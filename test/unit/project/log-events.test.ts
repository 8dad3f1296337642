import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(path, 'utf8');
const code = globSync(['src/**/*.ts', 'worker/**/*.ts']).map(read).join('\n');

test('docs/operations.md explains each event that the log tells operators, and none that is not logged', () => {
  const logged = [...code.matchAll(/\blog\s*\.(?:info|warn|error)\(\s*'([a-z][\w.-]*)'/g)].map(
    ([, event = '']) => event,
  );
  const operations = read('docs/operations.md');
  expect(logged.length).toBeGreaterThan(80);
  expect([...new Set(logged)].filter((event) => !operations.includes(`\`${event}\``)).toSorted()).toEqual([]);
  const table = operations.slice(operations.indexOf('| event |'));
  const explained = [...table.matchAll(/^\| ((?:`[\w.-]+`(?:, )?)+) \|/gm)].flatMap(([, names = '']) =>
    names.match(/[\w.-]+/g),
  );
  expect(explained.length).toBeGreaterThan(80);
  expect(explained.filter((event) => !code.includes(`'${event}'`))).toEqual([]);
});

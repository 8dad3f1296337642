import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const operations = readFileSync('docs/operations.md', 'utf8');
const rules = readFileSync('deploy/prometheus/nightkeep.rules.yml', 'utf8');

test('each alarm is explained, and each that is explained is there', () => {
  const raised = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const rows = [...operations.matchAll(/^\| ((?:`Nightkeep\w+`(?:, )?)+) \|/gm)].map(([, names = '']) => names);
  const explained = rows.flatMap((names) => [...names.matchAll(/\w+/g)].map(([name]) => name));
  expect(explained.toSorted()).toEqual(raised.toSorted());
});

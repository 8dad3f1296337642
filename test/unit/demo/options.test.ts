import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const demo = fileURLToPath(new URL('../../../demo/main.ts', import.meta.url));

test.each([
  [['--port', 'abc'], 'which is no port'],
  [['--port', '65536'], 'which is no port'],
  [['--port', '10080'], 'which no browser opens'],
  [['--keep', `${demo}/below`], 'cannot be made'],
  [['--bogus'], 'usage: npm run demo'],
])('npm run demo -- %j says what is wrong, and ends with 2', (options, words) => {
  const { status, stderr } = spawnSync(process.execPath, [demo, '--once', ...options], { encoding: 'utf8' });
  expect(stderr).toContain(words);
  expect(stderr).not.toContain('    at ');
  expect(status).toBe(2);
});

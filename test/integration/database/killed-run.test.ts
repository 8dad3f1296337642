import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

test('a test run that is killed leaves no server and no folder behind', async () => {
  await using home = await temporaryFolder('killed');
  const folder = join(home.path, 'postgres');
  await mkdir(join(folder, 'data'), { recursive: true });
  const server = spawn('sleep', ['600'], { detached: true });
  const gone = once(server, 'exit');
  await writeFile(join(folder, 'data', 'postmaster.pid'), `${server.pid}\n/somewhere\n`);
  const module = new URL('../../support/servers/outliving-server.ts', import.meta.url).href;
  const script = `(await import('${module}')).cleanUpAfterUs(process.argv[1]); console.log('up'); setInterval(() => {}, 1000);`;
  const run = spawn(process.execPath, ['--input-type=module', '--eval', script, folder]);
  await once(run.stdout, 'data');
  expect(server.exitCode).toBeNull();
  run.kill('SIGKILL');
  expect(await gone).toEqual([null, 'SIGQUIT']);
  await expect.poll(() => existsSync(folder)).toBe(false);
});

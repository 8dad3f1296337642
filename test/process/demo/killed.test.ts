import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { makeTemporaryFolder } from '../../../demo/temporary-folder.ts';
import { hasProcess } from '../../../src/database/server/embedded-server.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

afterEach(() => vi.unstubAllEnvs());

test('what a demo leaves that is killed goes with the start of the next one, and what others need stays', async () => {
  await using top = await temporaryFolder('demos');
  vi.stubEnv('TMPDIR', top.path);
  const demo = spawn(process.execPath, ['demo/main.ts', '--once'], { stdio: 'ignore' });
  const folderOf = async () => (await readdir(top.path)).find((name) => name.startsWith(`nightkeep-demo-${demo.pid}-`));
  const roles = async () => access(join(top.path, (await folderOf()) ?? '', 'postgres', 'service.password'));
  await vi.waitFor(roles, { timeout: 60_000, interval: 100 });
  const killed = join(top.path, (await folderOf()) ?? '');
  const postgres = join(killed, 'postgres');
  await vi.waitUntil(() => hasProcess(postgres), { timeout: 60_000, interval: 100 });
  const mine = await makeTemporaryFolder();
  expect(await readdir(top.path)).toContain(basename(killed));

  demo.kill('SIGKILL');
  await once(demo, 'exit');
  expect(await hasProcess(postgres)).toBe(true);
  const foreign = join(top.path, 'nightkeep-demo-of-somebody');
  await mkdir(foreign);
  const next = await makeTemporaryFolder();
  const left = [mine, next, foreign].map((path) => basename(path));
  expect((await readdir(top.path)).toSorted()).toEqual(left.toSorted());
});

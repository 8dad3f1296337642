import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type Installation, openInstallation } from '../../support/harness/installation.ts';
import { eventually } from '../../support/harness/nightkeep.ts';

/** The blocks of commands of a page of the documentation, in their order. */
async function commandsIn(page: string): Promise<string[]> {
  const source = await readFile(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  return [...source.matchAll(/```sh\n(.*?)```/gs)].map(([, commands = '']) => commands);
}

const program = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** Everything in DATA_DIR: database, keyring and store. */
const embedded = { DATABASE_URL: '', KEYRING: '', STORE_URL: '' };

let installation: Installation;
let at: { DATA_DIR: string; COPY: string; SAFE: string; NEW: string };
beforeAll(async () => {
  installation = await openInstallation();
  const { folder } = installation;
  at = {
    DATA_DIR: join(folder, 'data'),
    COPY: join(folder, 'copy'),
    SAFE: join(folder, 'safe'),
    NEW: join(folder, 'new'),
  };
  await mkdir(join(folder, 'bin'));
  const shim = join(folder, 'bin', 'nightkeep');
  await writeFile(shim, `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`);
  await chmod(shim, 0o755);
});
afterAll(() => installation?.[Symbol.asyncDispose]());

/** What somebody types who follows the documentation. */
async function follow(commands: string): Promise<string> {
  const PATH = `${join(installation.folder, 'bin')}:${process.env.PATH}`;
  const env = {
    ...installation.settings,
    ...embedded,
    ...at,
    PATH,
    HOME: installation.folder,
    SOMEBODY: alice.username,
  };
  const child = spawn('bash', ['-e', '-c', commands], { cwd: installation.here, env });
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode === 0) return said;
  throw new Error(`It ended with ${child.exitCode}: ${said}${complaints}`);
}

test('what the documentation says of backing up Nightkeep brings it back from the copies alone', async () => {
  const service = await installation.start({ ...embedded, DATA_DIR: at.DATA_DIR });
  const visitor = await installation.visitor(alice);
  await visitor.open(new URL('login', installation.url).href);
  await visitor.open(new URL('consent', installation.url).href);
  await visitor.press(texts.consent.agree);
  await eventually(async () => {
    await visitor.open(installation.url.href);
    return (await visitor.text()).includes(texts.home.protected);
  });
  service.signal('SIGTERM');
  expect(await service.ended).toMatchObject({ code: 0 });

  const [backUp = '', drill = ''] = await commandsIn('operations.md');
  await follow(backUp);
  expect(await readdir(at.SAFE)).toEqual(['nightkeep-keyring']);
  const said = await follow(drill);
  expect(said).toContain('alice: no errors were found (1 snapshots');
  const restored = await readdir(join(at.NEW, 'restored'), { recursive: true });
  expect(restored.length).toBeGreaterThan(installation.cloud.contents(alice.username).size);

  const again = await installation.start({ ...embedded, DATA_DIR: at.NEW });
  await visitor.open(installation.url.href);
  expect(await visitor.text()).toContain(texts.home.protected);
  again.signal('SIGTERM');
  expect(await again.ended).toMatchObject({ code: 0 });
});

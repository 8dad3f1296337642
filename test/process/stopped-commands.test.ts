import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFromEnvironment } from '../../src/cli/open-resources.ts';
import { ensurePersonRepository } from '../../src/flows/nights/ensure-person-repository.ts';
import type { Repository } from '../../src/store/repository/repository.ts';
import { cheapScryptCosts, writeSnapshot } from '../support/fixtures/repository.ts';
import { serviceFlags } from '../support/fixtures/service-flags.ts';
import { type CommandFixture, openCommandFixture } from '../support/harness/commands.ts';
import { eventually } from '../support/harness/nightkeep.ts';
import { savePlan } from '../support/harness/nights.ts';

const contents = Array.from({ length: 24 }, () => [randomBytes(2_000_000), randomBytes(2_000_000)]);
let opened: AsyncDisposableStack;
let commands: CommandFixture;
let repository: Repository;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  await commands.database.user.update({ where: { id: userId }, data: { username: 'alice' } });
  const resources = opened.use(await openFromEnvironment());
  ({ repository } = await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId));
  for (const [number, content] of contents.entries()) {
    const { id } = await writeSnapshot(repository, { [`forgotten ${number}`]: [randomBytes(100_000), ...content] });
    await repository.forgetSnapshot(id);
  }
  await writeSnapshot(repository, {
    files: Object.fromEntries(contents.map((content, number) => [`${number}.bin`, content])),
  });
});
afterAll(() => opened.disposeAsync());

function start(...argv: string[]): ChildProcess {
  return spawn(process.execPath, [...serviceFlags, 'src/main.ts', ...argv, '--user', 'alice'], { stdio: 'ignore' });
}

/** Stops the process as Ctrl-C does once it is so far, and gives its exit code. */
async function stopOnce(child: ChildProcess, isSoFar: () => boolean | Promise<boolean>): Promise<number | null> {
  const closed = once(child, 'close');
  await eventually(async () => child.exitCode !== null || (await isSoFar()));
  child.kill('SIGINT');
  const [code] = await closed;
  return code;
}

const locks = async () => (await Array.fromAsync(repository.backend.list('lock'))).length;
const namesIn = (folder: string) => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

test('a restore that is stopped by Ctrl-C ends with 130, leaves no partial file, and continues where it was', async () => {
  const to = join(commands.folder, 'restored');
  const files = join(to, 'files');
  expect(await stopOnce(start('restore', '--to', to), () => namesIn(files).length > 0)).toBe(130);
  const there = namesIn(files);
  expect(there.length).toBeLessThan(contents.length);
  for (const name of there)
    expect((await readFile(join(files, name))).equals(Buffer.concat(contents[Number.parseInt(name, 10)] ?? []))).toBe(
      true,
    );
  const again = start('restore', '--to', to, '--overwrite', 'if-changed');
  expect((await once(again, 'close'))[0]).toBe(0);
  expect(namesIn(files)).toHaveLength(contents.length);
});

test.each(['check --read-data', 'stats', 'prune', 'repair --read-data', 'repair snapshots --forget'])(
  '%s that is stopped by Ctrl-C ends with 130, and leaves no lock and nothing damaged',
  async (command) => {
    const child = start(...command.split(' '));
    expect(await stopOnce(child, async () => (await locks()) > 0)).toBe(130);
    expect(await locks()).toBe(0);
    const check = start('check', '--read-data');
    expect((await once(check, 'close'))[0]).toBe(0);
  },
);

test('a move to another store that is stopped by Ctrl-C ends with 130, leaves everything where it was, and continues later', async () => {
  const move = ['store', 'move', '--to', pathToFileURL(join(commands.folder, 'elsewhere')).href];
  expect(await stopOnce(start(...move), async () => (await locks()) > 0)).toBe(130);
  expect(await locks()).toBe(0);
  expect((await once(start('check', '--read-data'), 'close'))[0]).toBe(0);
  expect((await once(start(...move), 'close'))[0]).toBe(0);
  expect((await once(start('check', '--read-data'), 'close'))[0]).toBe(0);
});

import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadCommands } from '../../../src/cli/commands.ts';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { cheapScryptCosts } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';
import { type MemoryS3, startMemoryS3 } from '../../support/servers/memory-s3.ts';

let opened: AsyncDisposableStack;
const allCommands = await loadCommands();
let commands: CommandFixture;
let server: MemoryS3;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await startMemoryS3());
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
  vi.stubEnv('STORE_KEYS', 'tester a-secret-of-the-tests');
  for (const username of ['alice', 'bob']) {
    const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
    const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
    await commands.database.user.update({ where: { id: userId }, data: { username } });
    await using resources = await openFromEnvironment();
    await sealRows(resources);
    await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
  }
});
afterEach(() => opened.disposeAsync());

const bucket = () => `s3://backups/people?endpoint=${server.origin}`;
const json = async (code: number, ...argv: string[]) => {
  expect(await commands.nightkeep(...argv, '--json')).toBe(code);
  return JSON.parse(commands.said.join(''));
};

test('says of each person what was done and what was not: moved, there already, an old copy deleted or none there', async () => {
  const said = async (...argv: string[]) => {
    expect(await commands.nightkeep('store', 'move', '--user', 'alice', ...argv)).toBe(0);
    return commands.said;
  };
  expect(await said('--delete-old')).toEqual(['alice: there is no old copy']);
  expect(await said('--to', bucket())).toEqual([expect.stringMatching(/^alice: moved \(\d+ files, .*\)$/)]);
  expect(await said('--to', bucket())).toEqual(['alice: not moved: it is there already, or has no files yet']);
  expect(await said('--delete-old')).toEqual(['alice: old copy deleted']);
});

test('moves one person, then everybody, and lists where each repository is', async () => {
  expect(await commands.nightkeep('store', 'move', '--user', 'alice', '--to', bucket())).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^alice: moved \(3 files, .+; 3 copied now\)$/)]);
  expect(await json(0, 'store')).toMatchObject([
    {
      user: 'alice',
      store: expect.stringMatching(/^s3:\/\/backups\/people\?/),
      oldCopy: expect.stringMatching(/^file:/),
    },
    { user: 'bob', store: expect.stringMatching(/^file:/), oldCopy: null },
  ]);
  expect(await json(0, 'store', 'move', '--all', '--to', bucket(), '--delete-old')).toMatchObject([
    { user: 'alice', deletedOld: true },
    { user: 'bob', moved: { copied: 3 }, deletedOld: true },
  ]);
  expect(await json(0, 'store')).toMatchObject([{ oldCopy: null }, { oldCopy: null }]);
  expect(
    (await json(0, 'check', '--all', '--read-data')).map(({ findings }: { findings: unknown[] }) => findings),
  ).toEqual([[], []]);
});

test('says how to give up a move that was begun, and that it is given up', async () => {
  const { location } = await commands.database.repository.findFirstOrThrow({ where: { user: { username: 'alice' } } });
  const config = join(commands.folder, 'store', location, 'config');
  const elsewhere = `file://${join(commands.folder, 'elsewhere')}`;
  await commands.database.repository.updateMany({ where: { location }, data: { movingTo: bucket() } });
  expect(await commands.nightkeep('store', 'move', '--user', 'alice', '--to', elsewhere)).toBe(1);
  const [, cure = ''] = /: --to '([^']+)'\.$/.exec(commands.complaints.join('').trim()) ?? [];
  expect(await commands.nightkeep('store', 'move', '--user', 'alice', '--to', cure)).toBe(0);
  expect(commands.said).toEqual([`alice: it stays there; the move to ${bucket()} is given up`]);
  expect(await commands.nightkeep('store', 'move', '--user', 'alice', '--to', elsewhere)).toBe(0);
  await expect(readFile(config)).resolves.toBeInstanceOf(Buffer);
});

test('a backup that waits says so, and how the night goes on where it is paused', async () => {
  const waiting = async () => {
    expect(await commands.nightkeep('backup', '--user', 'alice')).toBe(0);
    return commands.said.join('');
  };
  expect(await waiting()).toMatch(/^alice: queued \(waits for a worker\), run /);
  expect(await commands.nightkeep('queue', '--pause')).toBe(0);
  const [, cure = ''] =
    /^alice: queued \(waits: the night is paused, nightkeep (.+) resumes it\), run /.exec(await waiting()) ?? [];
  expect(await commands.nightkeep(...cure.split(' '))).toBe(0);
  expect(await waiting()).toMatch(/waits for a worker/);
});

test('what was withdrawn or erased is not called what has not begun yet', async () => {
  await commands.database.grant.updateMany({ data: { state: 'withdrawn' } });
  expect(await commands.nightkeep('backup', '--user', 'alice')).toBe(1);
  expect(commands.complaints.at(-1)).toMatch(/none of these has a consent that can be used\. See: nightkeep users/);
  await commands.database.repository.deleteMany({ where: { user: { username: 'alice' } } });
  for (const argv of [['snapshots'], ['restore', '--to', join(commands.folder, 'restored')]]) {
    expect(await commands.nightkeep(...argv, '--user', 'alice')).toBe(1);
    expect(commands.complaints.at(-1)).toMatch(/nothing was backed up yet, or everything was erased/);
  }
});

test('goes on with the others where one cannot be moved, and says why', async () => {
  const { location } = await commands.database.repository.findFirstOrThrow({ where: { user: { username: 'alice' } } });
  server.files.set(`backups/people/${location}/config`, Buffer.from('of somebody else'));
  expect(await json(3, 'store', 'move', '--all', '--to', bucket())).toMatchObject([
    { user: 'alice', error: expect.stringContaining('There is another repository') },
    { user: 'bob', moved: { copied: 3 } },
  ]);
});

/** These do not open repositories: for whom they fail, rows are not as they were left, or the store is away for everybody. */
const openingNone = ['keys confirm', 'store lost'];
const forEverybody = Object.keys(allCommands).filter(
  (name) => !openingNone.includes(name) && 'all' in (allCommands[name]?.options ?? {}),
);

test.each(forEverybody)(
  '%s --all goes on after somebody for whom it fails, and names them at the end',
  async (name) => {
    const alice = { user: { username: 'alice' } };
    const { location } = await commands.database.repository.findFirstOrThrow({ where: alice });
    const config = join(commands.folder, 'store', location, 'config');
    await chmod(config, 0o600);
    await writeFile(config, 'damaged');
    // A backup is queued whatever the repository is like, but not by a plan that is not as it was left.
    if (name === 'backup') await commands.database.plan.updateMany({ where: alice, data: { seal: Buffer.alloc(32) } });
    const argv = [...name.split(' '), ...(name === 'store move' ? ['--to', bucket(), '--delete-old'] : [])];
    expect(await json(3, ...argv, '--all')).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ user: 'alice', error: expect.any(String) }),
        expect.objectContaining({ user: 'bob' }),
      ]),
    );
    expect(commands.complaints).toEqual([expect.stringMatching(/^nightkeep: alice: /)]);
    await commands.nightkeep(...argv, '--all');
    expect(commands.said[0]).toMatch(/^bob: /);
    expect(await commands.nightkeep(...argv, '--user', 'alice')).toBe(1);
    await commands.database.user.deleteMany({ where: { username: 'bob' } });
    expect(await json(1, ...argv, '--all')).toEqual([{ user: 'alice', error: expect.any(String) }]);
  },
);

test.each([
  [['--user', 'alice'], /--to URL, or --delete-old/],
  [['--to', 's3://x'], /--user NAME or --all/],
  [['--all', '--to', 'https://x'], /--to is not a usable address/],
])('%j is refused with the cure', async (options, words) => {
  expect(await commands.nightkeep('store', 'move', ...options)).toBe(2);
  expect(commands.complaints.join('')).toMatch(words);
});

test('a bucket without a key is refused before anything is written', async () => {
  vi.stubEnv('STORE_KEYS', 'other tester a-secret-of-the-tests');
  expect(await commands.nightkeep('store', 'move', '--all', '--to', bucket())).toBe(1);
  expect(commands.complaints.join('')).toMatch(/STORE_KEYS has no key for the bucket backups/);
  expect(server.files.size).toBe(0);
});

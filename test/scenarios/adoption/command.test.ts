import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { AppError } from '../../../src/errors.ts';
import { writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { cheapScryptCosts, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';
import { keyLine } from '../../support/harness/settings.ts';
import { startMemoryS3 } from '../../support/servers/memory-s3.ts';

let opened: AsyncDisposableStack;
let commands: CommandFixture;
let user: { id: string; issuer: string; subject: string };
let file: string;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  user = await commands.database.user.update({ where: { id: userId }, data: { username: 'alice' } });
  await using resources = await openFromEnvironment();
  await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
  await writeCards(resources);
  file = join(commands.folder, 'recovery-key');
  await writeFile(file, `${(await revealRecoveryKey(resources, userId)).recoveryKey.toUpperCase()}\n`);
});
afterEach(() => opened.disposeAsync());

const lose = async () => void (await commands.database.user.deleteMany());
const json = async (code: number, ...argv: string[]) => {
  expect(await commands.nightkeep('adopt', ...argv, '--json')).toBe(code);
  return JSON.parse(commands.said.join(''));
};
/** Another keyring on the same, empty database. */
const loseKeyring = async () => {
  await lose();
  await commands.database.canary.deleteMany();
  vi.stubEnv('KEYRING', keyLine('new'));
};
const signIn = async () => {
  const { id, issuer, subject } = user;
  await commands.database.user.create({ data: { id, issuer, subject, username: 'alice', createdAt: new Date() } });
  await using resources = await openFromEnvironment();
  await sealRows(resources);
};

test('a search that Ctrl-C stops says so, and does not say that there is nothing', async () => {
  await lose();
  const stopped = vi.spyOn(AbortSignal.prototype, 'throwIfAborted').mockImplementationOnce(() => {
    process.emit('SIGINT', 'SIGINT');
    throw new AppError('run/stopped', 'Stopped.', { detail: { signal: 'SIGINT' } });
  });
  expect(await commands.nightkeep('adopt')).toBe(130);
  stopped.mockRestore();
  expect(commands.said).toEqual(['None was looked at.']);
  expect(commands.complaints.at(-1)).toContain('there are more in the store');
  expect(await json(0)).toMatchObject([{ state: 'adopted' }]);
});

test('says whose repositories lie in the store, takes them over, and knows them then', async () => {
  expect(await json(0)).toMatchObject([{ state: 'known' }]);
  await lose();
  expect(await commands.nightkeep('adopt', '--dry-run')).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^alice \(\S+\): would be adopted, 0 snapshots$/)]);
  expect(await commands.database.user.count()).toBe(0);
  expect(await json(0)).toMatchObject([{ state: 'adopted', owner: { subject: user.subject } }]);
  expect(await commands.database.audit.findMany({ where: { act: 'repository-adopted' } })).toMatchObject([
    { by: expect.stringMatching(/^command:/), userId: user.id },
  ]);
});

test.each([
  ['2026-03-05T22:30:00.123456789-05:00', '2026-03-06 03:30 UTC'],
  ['2026-03-06T00:10:00+05:45', '2026-03-05 18:25 UTC'],
])('tells the last snapshot, which was taken at %s by the clocks of its person, as %s', async (taken, told) => {
  {
    await using resources = await openFromEnvironment();
    const { repository } = await openPersonRepository(resources, user.id);
    await writeSnapshot(repository, { files: {} }, taken, 'nightkeep');
  }
  await lose();
  expect(await commands.nightkeep('adopt', '--dry-run')).toBe(0);
  expect(commands.said).toEqual([
    expect.stringMatching(/^alice \(\S+\): would be adopted, 1 snapshot, the last of .+$/),
  ]);
  expect(commands.said[0]).toContain(`the last of ${told}`);
});

test('ends with 3 where the keyring is another one, and takes the recovery key of somebody who signed in', async () => {
  await loseKeyring();
  expect(await json(3)).toMatchObject([{ state: 'refused', problem: expect.stringContaining('does not hold') }]);
  const { location } = (await json(3))[0];
  expect(await commands.nightkeep('adopt', '--user', 'alice', '--recovery-key-file', file)).toBe(1);
  expect(commands.complaints.join('')).toContain('must have signed in once');
  await signIn();
  expect(await json(0, '--user', 'alice', '--recovery-key-file', file, '--folder', location)).toMatchObject([
    { state: 'adopted', location },
  ]);
  expect(await json(0)).toMatchObject([{ state: 'known' }]);
  expect(await commands.database.repository.findMany()).toMatchObject([{ userId: user.id, location }]);
});

test('tells a wrong recovery key from a store without such a repository', async () => {
  await loseKeyring();
  await signIn();
  await writeFile(file, 'aaaaa-bbbbb-ccccc-ddddd-eeeee-fffff');
  const by = ['adopt', '--user', 'alice', '--recovery-key-file', file];
  expect(await commands.nightkeep(...by)).toBe(1);
  expect(commands.complaints.join('')).toContain('opens none of them');
  expect(await commands.nightkeep(...by, '--folder', 'nowhere')).toBe(1);
  expect(commands.complaints.join('')).toContain('no such repository');
  for (const malformed of ['', 'aaaaa-bbbbb', 'my dog is called Rex']) {
    await writeFile(file, malformed);
    for (const options of [by, [...by, '--folder', 'nowhere']]) {
      expect(await commands.nightkeep(...options)).toBe(1);
      expect(commands.complaints.at(-1)).toContain('That is not a recovery key');
    }
  }
  expect(await commands.database.repository.count()).toBe(0);
});

test('takes over what was moved to another store, which is named, and does not take an old copy for it', async () => {
  const server = opened.use(await startMemoryS3());
  vi.stubEnv('STORE_KEYS', 'tester a-secret-of-the-tests');
  const bucket = `s3://backups/people?endpoint=${server.origin}`;
  expect(await commands.nightkeep('store', 'move', '--all', '--to', bucket)).toBe(0);
  await lose();
  expect(await json(3)).toMatchObject([{ state: 'refused', problem: expect.stringContaining('No card') }]);
  expect(await json(0, '--store', bucket)).toMatchObject([{ state: 'adopted' }]);
  expect(await commands.nightkeep('check', '--all')).toBe(0);
  expect((await commands.database.repository.findFirstOrThrow()).store).toContain('s3://backups/people?');
});

test('of an empty store says that it is empty, and of one that is not there that it is not', async () => {
  await lose();
  const empty = join(commands.folder, 'empty');
  expect(await commands.nightkeep('adopt', '--store', `file://${empty}`, '--dry-run')).toBe(1);
  expect(commands.complaints.join('')).toContain(`There is no folder ${empty}`);
  await mkdir(empty);
  expect(await commands.nightkeep('adopt', '--store', `file://${empty}`)).toBe(0);
  expect(commands.said).toEqual(['There is no repository in the store.']);
});

test.each([
  [['--user', 'alice'], /go with --recovery-key-file/],
  [['--recovery-key-file', 'x', '--dry-run', '--user', 'alice'], /do not go together/],
  [['--recovery-key-file', 'x'], /Say whose with --user/],
  [['--recovery-key-file', '/nowhere/at/all', '--user', 'alice'], /cannot be read/],
  [['--store', 'https://x'], /--store is not a usable address/],
])('%j is refused with the cure', async (options, words) => {
  expect(await commands.nightkeep('adopt', ...options)).toBe(2);
  expect(commands.complaints.join('')).toMatch(words);
});

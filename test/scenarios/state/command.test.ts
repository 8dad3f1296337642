import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { AppError } from '../../../src/errors.ts';
import { writeCards } from '../../../src/flows/adoption/keep-card.ts';
import { raiseMark } from '../../../src/flows/keys/marks.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { cheapScryptCosts } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';

let opened: AsyncDisposableStack;
let commands: CommandFixture;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
});
afterEach(() => opened.disposeAsync());

test('exports to a file, and imports it where the database is empty', async () => {
  await savePlan(commands.database);
  const file = join(commands.folder, 'state');
  expect(await commands.nightkeep('export', '--to', file)).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^Exported \d+ rows .*people agree again\.$/)]);
  expect(await commands.nightkeep('export', '--to', file, '--with-tokens', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject({ withTokens: true, rows: { users: 1, plans: 1 } });
  expect(await commands.nightkeep('import', '--from', file)).toBe(1);
  expect(commands.complaints.join('')).toContain('in use');
  const { url, database } = opened.use(await openDatabaseFixture());
  vi.stubEnv('DATABASE_URL', url);
  expect(await commands.nightkeep('import', '--from', file)).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^Imported \d+ rows.*those people agree again\.$/)]);
  expect(await database.plan.count()).toBe(1);
  expect(await database.audit.count({ where: { act: { in: ['state-exported', 'state-imported'] } } })).toBe(3);
  expect(await commands.nightkeep('plans')).toBe(0);
});

test.each(['--to', '--to-store'])(
  'an export %s that Ctrl-C stops leaves nothing, and keeps nobody from the next',
  async (way) => {
    await savePlan(commands.database);
    const argv = way === '--to' ? [way, join(commands.folder, 'state')] : [way];
    const before = await readdir(commands.folder, { recursive: true });
    const stopped = vi.spyOn(AbortSignal.prototype, 'throwIfAborted').mockImplementationOnce(() => {
      process.emit('SIGINT', 'SIGINT');
      throw new AppError('run/stopped', 'Stopped.', { detail: { signal: 'SIGINT' } });
    });
    expect(await commands.nightkeep('export', ...argv)).toBe(130);
    stopped.mockRestore();
    expect(await readdir(commands.folder, { recursive: true })).toEqual(before);
    expect(await commands.nightkeep('export', ...argv)).toBe(0);
  },
);

test('an import that Ctrl-C stops imports nothing, and keeps nobody from the next', async () => {
  await savePlan(commands.database);
  const file = join(commands.folder, 'state');
  expect(await commands.nightkeep('export', '--to', file)).toBe(0);
  const { url, database } = opened.use(await openDatabaseFixture());
  vi.stubEnv('DATABASE_URL', url);
  const stopped = vi.spyOn(AbortSignal.prototype, 'throwIfAborted').mockImplementationOnce(() => {
    process.emit('SIGINT', 'SIGINT');
    throw new AppError('run/stopped', 'Stopped.', { detail: { signal: 'SIGINT' } });
  });
  expect(await commands.nightkeep('import', '--from', file)).toBe(130);
  stopped.mockRestore();
  expect(commands.complaints.at(-1)).toBe('nightkeep: Stopped. Nothing was imported.\n');
  expect(await database.user.count()).toBe(0);
  expect(await commands.nightkeep('import', '--from', file)).toBe(0);
});

test.each([
  [[], /NOT DONE YET: the rows of 1 person were newer.*keys confirm --all accepts/, 1],
  [['--confirm'], /rows of 1 person were newer before, and are accepted/, 0],
])('says after an import with %j whose rows were newer before, and what that means', async (confirm, words, left) => {
  await savePlan(commands.database);
  const { id } = await commands.database.user.findFirstOrThrow();
  const file = join(commands.folder, 'state');
  await mkdir(join(commands.folder, 'store'));
  {
    await using resources = await openFromEnvironment();
    await sealRows(resources);
    await raiseMark(resources, id, { rows: { people: 7 }, first: true });
  }
  expect(await commands.nightkeep('export', '--to', file)).toBe(0);
  vi.stubEnv('DATABASE_URL', opened.use(await openDatabaseFixture()).url);
  expect(await commands.nightkeep('import', '--from', file, ...confirm)).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(words)]);
  expect(await commands.nightkeep('keys', 'confirm')).toBe(left);
  expect(await commands.nightkeep('import', '--list', '--confirm')).toBe(2);
});

test('exports into the store, lists what is there, and imports the newest where the database is empty', async () => {
  expect(await commands.nightkeep('import', '--list')).toBe(1);
  expect(commands.complaints.join('')).toContain('There is no folder');
  await mkdir(join(commands.folder, 'store'));
  expect(await commands.nightkeep('import', '--list')).toBe(0);
  expect(commands.said).toEqual(['There is no export in the store.']);
  expect(await commands.nightkeep('import', '--from-store', 'latest')).toBe(1);
  expect(commands.complaints.join('')).toContain('Without an export: nightkeep adopt');
  await savePlan(commands.database);
  expect(await commands.nightkeep('export', '--to-store')).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^Exported \d+ bytes .* has 1 export now\..*agree again\.$/)]);
  expect(await commands.nightkeep('export', '--to-store', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject({ kept: 2, overdue: 0 });
  expect(await commands.nightkeep('import', '--list', '--json')).toBe(0);
  const [newest, older] = JSON.parse(commands.said.join(''));
  expect([newest.name > older.name, newest.version]).toEqual([true, expect.any(String)]);
  const { url, database } = opened.use(await openDatabaseFixture());
  vi.stubEnv('DATABASE_URL', url);
  expect(await commands.nightkeep('import', '--from-store', 'latest')).toBe(0);
  expect(commands.said).toEqual([expect.stringContaining(`as they were at ${newest.name}. People are asked`)]);
  expect(await database.plan.count()).toBe(1);
});

test('says after an import of how many people the card in the store is newer, and takes over what it says', async () => {
  await savePlan(commands.database);
  const { id } = await commands.database.user.findFirstOrThrow();
  await using resources = await openFromEnvironment();
  await sealRows(resources);
  await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, id);
  expect(await commands.nightkeep('export', '--to-store')).toBe(0);
  await commands.database.repository.updateMany({ data: { eraseAt: new Date('2200-01-01T00:00:00Z') } });
  await sealRows(resources);
  await writeCards(resources);
  const { url, database } = opened.use(await openDatabaseFixture());
  vi.stubEnv('DATABASE_URL', url);
  expect(await commands.nightkeep('import', '--from-store', 'latest', '--confirm')).toBe(0);
  expect(commands.said).toEqual([expect.stringContaining('Of 1 person the card in the store is newer')]);
  expect(await database.repository.findMany()).toMatchObject([{ eraseAt: new Date('2200-01-01T00:00:00Z') }]);
});

test.each([
  [['export', '--to-store', '--with-tokens'], /no token is put into the store/],
  [['export', '--to-store', '--to', 'x'], /--to FILE, or the store/],
  [['import', '--list', '--from', 'x'], /--from-store latest/],
  [['import', '--from-store'], /needs a value/],
  [['export'], /--to FILE/],
  [['export', '--to', '/nowhere/at/all'], /cannot be written: ENOENT/],
  [['import'], /--from FILE/],
  [['import', '--from', '/nowhere/at/all'], /cannot be read: ENOENT\. Name one that is there/],
])('%j is refused with the cure', async (words, said) => {
  expect(await commands.nightkeep(...words)).toBe(2);
  expect(commands.complaints.join('')).toMatch(said);
});

test('a file that is no export is refused with the cure', async () => {
  expect(await commands.nightkeep('import', '--from', 'package.json')).toBe(1);
  expect(commands.complaints.join('')).toMatch(/not an export of Nightkeep\. Name a file that nightkeep export wrote/);
});

import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { savePlan } from '../../support/harness/nights.ts';

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
  expect(commands.said).toEqual([expect.stringMatching(/^Imported \d+ rows.*end a session/)]);
  expect(await database.plan.count()).toBe(1);
  expect(await database.audit.count({ where: { act: { in: ['state-exported', 'state-imported'] } } })).toBe(3);
  expect(await commands.nightkeep('plans')).toBe(0);
});

test.each([
  [['export'], /--to FILE/],
  [['export', '--to', '/nowhere/at/all'], /cannot be written: ENOENT/],
  [['import'], /--from FILE/],
  [['import', '--from', '/nowhere/at/all'], /cannot be read/],
])('%j is refused with the cure', async (words, said) => {
  expect(await commands.nightkeep(...words)).toBe(2);
  expect(commands.complaints.join('')).toMatch(said);
});

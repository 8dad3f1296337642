import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { cheapScryptCosts } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';

let commands: CommandFixture;
beforeEach(async () => {
  commands = await openCommandFixture({ issuer: 'https://idp.example' });
  for (const username of ['alice', 'bob']) {
    const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
    const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
    await commands.database.user.update({ where: { id: userId }, data: { username } });
    const sources = [{ kind: 'webdav', name: 'files', url: 'https://old.example/{sub}/' }];
    await commands.database.plan.update({ where: { id: planId }, data: { sources } });
    await using resources = await openFromEnvironment();
    await sealRows(resources);
    await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
  }
});
afterEach(() => commands[Symbol.asyncDispose]());

test('store lost gives up what the store holds nothing of, once it was said that it is lost, and nothing else', async () => {
  const [alice] = await commands.database.repository.findMany({ where: { user: { username: 'alice' } } });
  const store = join(commands.folder, 'store');
  expect(await readdir(store)).toContain(alice?.location);
  await rm(join(store, alice?.location ?? ''), { recursive: true });
  expect(await commands.nightkeep('store', 'lost', '--all', '--dry-run')).toBe(0);
  expect(commands.said).toEqual([
    'alice: the store holds nothing of it: would be given up',
    'bob: not given up: the store holds files of it',
  ]);
  expect(await commands.nightkeep('store', 'lost', '--all')).toBe(2);
  expect(await commands.database.repository.count()).toBe(2);
  expect(await commands.nightkeep('store', 'lost', '--all', '--yes', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toEqual([
    { user: 'alice', is: 'lost' },
    { user: 'bob', is: 'is there' },
  ]);
  expect(await commands.database.repository.count()).toBe(1);
});

test('files move lists whose files are concerned, moves them once, and says that nobody is left', async () => {
  const [old, fresh] = ['https://old.example/{sub}/', 'https://new.example/dav/{sub}/'];
  expect(await commands.nightkeep('files', 'move', old, fresh)).toBe(2);
  expect(commands.complaints.join('')).toContain('Set it to the new address first');
  vi.stubEnv('FILES_URL', fresh);
  expect(await commands.nightkeep('files', 'move', old, fresh, '--dry-run')).toBe(0);
  expect(commands.said.map((line) => line.split(/\s+/)[0]).toSorted()).toEqual(['USER', 'alice', 'bob']);
  expect(await commands.nightkeep('files', 'move', old, fresh, '--json')).toBe(0);
  const moved: { user: string; to: string }[] = JSON.parse(commands.said.join(''));
  expect(moved.map(({ user, to }) => [user, to.startsWith('https://new.example/dav/')]).toSorted()).toEqual([
    ['alice', true],
    ['bob', true],
  ]);
  expect(await commands.nightkeep('files', 'move', old, fresh)).toBe(1);
  expect(commands.complaints.join('')).toContain(`Nobody's files are at ${old}. Everybody's are at ${fresh}.`);
});

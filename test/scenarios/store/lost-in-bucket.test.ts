import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { cheapScryptCosts } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';
import { type MemoryS3, startMemoryS3 } from '../../support/servers/memory-s3.ts';

let opened: AsyncDisposableStack;
let commands: CommandFixture;
let server: MemoryS3;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  server = opened.use(await startMemoryS3());
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
  vi.stubEnv('STORE_KEYS', 'tester a-secret-of-the-tests');
  vi.stubEnv('STORE_URL', `s3://backups/people?endpoint=${server.origin}`);
  for (const username of ['alice', 'bob']) await makeRepository(username);
});
afterEach(() => opened.disposeAsync());

async function makeRepository(username: string) {
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  await commands.database.user.update({ where: { id: userId }, data: { username } });
  await using resources = await openFromEnvironment();
  await sealRows(resources);
  await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
}

/** Removes from the bucket what is at such a place. */
async function lose(username: string, isLost = (_key: string) => true) {
  const { location } = await commands.database.repository.findFirstOrThrow({ where: { user: { username } } });
  const keys = [...server.files.keys()].filter((name) => name.includes(`${location}/`) && isLost(name));
  expect(keys).not.toEqual([]);
  for (const name of keys) server.files.delete(name);
}
const lost = async (...argv: string[]) => ({
  code: await commands.nightkeep('store', 'lost', '--all', ...argv),
  said: commands.said,
});

test('of a bucket, what it holds nothing of is given up, and the next backup begins anew there', async () => {
  await lose('alice');
  await lose('bob', (name) => name.endsWith('/config'));
  expect(await lost('--dry-run')).toEqual({
    code: 0,
    said: ['alice: the store holds nothing of it: would be given up', 'bob: not given up: the store holds files of it'],
  });
  expect(await lost('--yes')).toEqual({
    code: 0,
    said: ['alice: given up; the next backup begins a new one', 'bob: not given up: the store holds files of it'],
  });
  const { id } = await commands.database.user.findFirstOrThrow({ where: { username: 'alice' } });
  await using resources = await openFromEnvironment();
  await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, id);
  const { location } = await commands.database.repository.findFirstOrThrow({ where: { userId: id } });
  expect([...server.files.keys()]).toContain(`backups/people/${location}/config`);
});

test('of a bucket that is not there, nobody’s repository is taken for lost', async () => {
  vi.stubEnv('STORE_URL', `s3://elsewhere/people?endpoint=${server.origin}`);
  for (const words of [['--dry-run'], ['--yes']]) expect(await lost(...words)).toEqual({ code: 1, said: [] });
  expect(commands.complaints.join('')).toMatch(/alice: .*bucket.*\n.*bob: .*bucket/);
  expect(await commands.database.repository.count()).toBe(2);
});

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCommand } from '../../../src/cli/run-command.ts';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

let opened: AsyncDisposableStack;
let database: Database;
let said: string[];
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  const { path } = opened.use(await temporaryFolder('protection'));
  database = opened.adopt(await openDatabase(test.url), (open) => open.$disconnect());
  const settings = {
    DATABASE_URL: test.url,
    DATA_DIR: path,
    OIDC_ISSUER: 'https://idp.example',
    OIDC_CLIENT_ID: 'nightkeep',
    OIDC_CLIENT_SECRET: 'secret',
    FILES_URL: 'https://cloud.example/',
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await opened.disposeAsync();
});

const nightkeep = (...argv: string[]) => {
  said = [];
  return runCommand(argv, { line: (text) => void said.push(text) });
};

/** Somebody of that name whose last run, a minute ago, was so. */
async function backedUp(username: string, run: { state?: 'partial'; alarm?: 'loss' } = {}): Promise<void> {
  const planId = await savePlan(database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId, grantId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  const sources = [{ kind: 'webdav', name: 'files', url: 'https://cloud.example/' }];
  await database.plan.update({ where: { id: planId }, data: { sources } });
  await database.user.update({ where: { id: userId }, data: { username } });
  await database.grant.update({ where: { id: grantId }, data: { idleDeadline: new Date('2200-01-01') } });
  const [id, at] = [randomUUID(), new Date(Date.now() - 60_000)];
  const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: at };
  const about = { id, planId, night: '2026-05-01', trigger: 'schedule', snapshotId: id };
  await database.run.create({ data: { ...about, ...times, state: 'succeeded', ...run } });
}

test('tells whose data is protected, why not, and who can mend it; grants tell the same', async () => {
  expect(await nightkeep('protection')).toBe(0);
  expect(said).toEqual(['Nobody has consented yet.']);
  await backedUp('alice');
  await backedUp('bob', { state: 'partial' });
  await savePlan(database, { grant: 'withdrawn' });
  expect(await nightkeep('protection')).toBe(0);
  expect(said).toEqual([
    expect.stringMatching(/^alice +protected +complete; complete as of \d{4}-\d\d-\d\d \d\d:\d\d UTC$/),
    expect.stringMatching(/^bob +partly +unreadable; the person can mend it; never complete$/),
  ]);
  expect(await nightkeep('protection', '--json')).toBe(0);
  expect(JSON.parse(said.join(''))).toMatchObject([
    { user: 'alice', verdict: 'protected', by: 'nobody' },
    { user: 'bob', verdict: 'partly', reason: 'unreadable', by: 'person' },
  ]);
  expect(await nightkeep('grants')).toBe(0);
  expect(said.toSorted()).toEqual([
    expect.stringMatching(/^alice .*; data: protected$/),
    expect.stringMatching(/^bob .*; data: partly$/),
  ]);
  expect(await nightkeep('protection', '--user', 'bob', '--json')).toBe(0);
  expect(JSON.parse(said.join(''))).toMatchObject({ user: 'bob', verdict: 'partly' });
});

test('an operator who looked at a great loss lets go of it, for one person', async () => {
  await backedUp('alice', { alarm: 'loss' });
  await backedUp('bob', { alarm: 'loss' });
  expect(await nightkeep('protection', '--looked')).toBe(2);
  expect(await nightkeep('protection', '--user', 'alice', '--looked')).toBe(0);
  expect(said).toEqual([expect.stringMatching(/^alice +protected/)]);
  expect(await nightkeep('protection', '--user', 'bob')).toBe(0);
  expect(said).toEqual([expect.stringMatching(/^bob +partly +great_loss; the person can mend it/)]);
  expect(await database.event.findMany({ where: { to: 'looked at' } })).toMatchObject([{ by: 'operator' }]);
});

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { saveAudit } from '../../../src/database/audit.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';

let commands: CommandFixture;
beforeEach(async () => {
  commands = await openCommandFixture({ issuer: 'https://idp.example' });
});
afterEach(() => commands[Symbol.asyncDispose]());

const nightkeep = (...argv: string[]) => commands.nightkeep(...argv);

/** Somebody of that name whose last run, a minute ago, was so. */
async function backedUp(username: string, run: { state?: 'partial'; alarm?: 'loss' } = {}): Promise<void> {
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId, grantId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  const sources = [{ kind: 'webdav', name: 'files', url: 'https://cloud.example/' }];
  await commands.database.plan.update({ where: { id: planId }, data: { sources } });
  await commands.database.user.update({ where: { id: userId }, data: { username } });
  await commands.database.grant.update({ where: { id: grantId }, data: { idleDeadline: new Date('2200-01-01') } });
  const [id, at] = [randomUUID(), new Date(Date.now() - 60_000)];
  const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: at };
  const about = { id, planId, night: '2026-05-01', trigger: 'schedule', snapshotId: id };
  await commands.database.run.create({ data: { ...about, ...times, state: 'succeeded', ...run } });
}

test('tells whose data is protected, why not, and who can mend it; grants tell the same', async () => {
  expect(await nightkeep('protection')).toBe(0);
  expect(commands.said).toEqual(['Nobody has a consent here that was not withdrawn.']);
  await savePlan(commands.database, { grant: 'withdrawn' });
  expect(await nightkeep('protection')).toBe(0);
  expect(commands.said).toEqual(['Nobody has a consent here that was not withdrawn.']);
  await backedUp('alice');
  await backedUp('bob', { state: 'partial' });
  await savePlan(commands.database, { grant: 'withdrawn' });
  expect(await nightkeep('protection')).toBe(0);
  expect(commands.said).toEqual([
    expect.stringMatching(/^USER +DATA +REASON +MENDED BY +COMPLETE AS OF$/),
    expect.stringMatching(/^alice +protected +complete +\d{4}-\d\d-\d\d \d\d:\d\d UTC$/),
    expect.stringMatching(/^bob +partly +unreadable +person +never$/),
  ]);
  expect(await nightkeep('protection', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject([
    { user: 'alice', verdict: 'protected', by: 'nobody' },
    { user: 'bob', verdict: 'partly', reason: 'unreadable', by: 'person' },
  ]);
  expect(await nightkeep('grants')).toBe(0);
  expect(commands.said.toSorted()).toEqual([
    expect.stringMatching(/^USER +CONSENT +DATA +ENDS UNUSED +ENDS ANYWAY$/),
    expect.stringMatching(/^alice +active +protected /),
    expect.stringMatching(/^bob +active +partly /),
  ]);
  expect(await nightkeep('protection', '--user', 'bob', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject({ user: 'bob', verdict: 'partly' });
});

test('tells since when operators have paused the night, where a backup is due', async () => {
  const { database } = commands;
  await backedUp('alice');
  await database.plan.updateMany({ data: { nextDueAt: new Date('2026-01-01') } });
  await saveAudit(database, { at: new Date('2026-05-03T20:00:00Z'), by: 'operator:x', act: 'night-paused' });
  expect(await nightkeep('protection', '--user', 'alice')).toBe(0);
  expect(commands.said).toEqual([
    expect.stringMatching(
      /^alice: protected, paused_for_all at least since 2026-05-03 20:00 UTC; the operator can fix it; complete as of /,
    ),
  ]);
});

test('an operator who looked at a great loss lets go of it, for one person', async () => {
  await backedUp('alice', { alarm: 'loss' });
  await backedUp('bob', { alarm: 'loss' });
  expect(await nightkeep('protection')).toBe(0);
  const doubted = expect.stringMatching(/ +partly +great_loss +person +in doubt since \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
  expect(commands.said.slice(1)).toEqual([doubted, doubted]);
  expect(await nightkeep('protection', '--looked')).toBe(2);
  expect(await nightkeep('protection', '--user', 'alice', '--looked')).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^alice: protected, complete; complete as of /)]);
  expect(await nightkeep('protection', '--user', 'bob')).toBe(0);
  expect(commands.said).toEqual([
    expect.stringMatching(/^bob: partly, great_loss; the person can fix it; in doubt since /),
  ]);
  expect(await commands.database.event.findMany({ where: { to: 'looked at' } })).toMatchObject([
    { by: expect.stringMatching(/^command:.+@/) },
  ]);
});

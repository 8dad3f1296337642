import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { eventually } from '../../support/harness/nightkeep.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';

let commands: CommandFixture;
beforeAll(async () => {
  commands = await openCommandFixture({ issuer: 'https://idp.example' });
  await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  await using resources = await openFromEnvironment();
  await sealRows(resources);
});
afterAll(() => commands?.[Symbol.asyncDispose]());

test('whoever stops waiting with Ctrl-C is told that the backup goes on without the command', async () => {
  const { run } = commands.database;
  const ended = commands.nightkeep('backup', '--all', '--wait');
  await eventually(
    async () => (await run.count({ where: { state: 'queued' } })) === 1 && commands.complaints.length > 0,
  );
  process.emit('SIGINT', 'SIGINT');
  expect(await ended).toBe(130);
  expect(commands.said).toEqual([expect.stringMatching(/: queued \(waits for a worker\), run [\w-]{36}$/)]);
  expect(commands.complaints.at(-1)).toBe(
    'nightkeep: Stopped waiting. What is queued or running goes on without this command: nightkeep runs shows it.\n',
  );
  expect(await run.count({ where: { state: 'queued' } })).toBe(1);
});

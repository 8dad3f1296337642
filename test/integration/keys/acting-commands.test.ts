import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commandNames, loadCommands } from '../../../src/cli/commands.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { addUnseenRepository, enterWith } from '../../support/harness/keys.ts';
import { keyLine } from '../../support/harness/settings.ts';

/** Every command that takes a person, by what it has them for: `{key}` stands for a file, `{folder}` for a folder. */
const commandsOfPeople: Readonly<Record<string, 'exempt' | Partial<Record<'acting' | 'looking', readonly string[]>>>> =
  {
    backup: { acting: ['--user', '--all'] },
    protection: { acting: ['--looked --user'], looking: ['--user'] },
    snapshots: { looking: ['--user'] },
    restore: { acting: ['--to {folder} --user'] },
    diff: { acting: ['latest latest --user'] },
    find: { acting: ['*.txt --user'] },
    dump: { acting: ['latest /files --user'] },
    forget: { acting: ['--user', '--all'], looking: ['--dry-run --user'] },
    prune: { acting: ['--user', '--all'], looking: ['--dry-run --user'] },
    check: { looking: ['--user'] },
    stats: { looking: ['--user'] },
    repair: { acting: ['--user', '--all'], looking: ['--dry-run --user'] },
    'repair keys': { acting: ['--user'] },
    'repair snapshots': { acting: ['--user', '--all'], looking: ['--dry-run --user'] },
    'store move': { acting: ['--to file://{folder} --user', '--to file://{folder} --all'] },
    'store lost': { acting: ['--yes --user', '--yes --all'], looking: ['--dry-run --user'] },
    adopt: { acting: ['--recovery-key-file {key} --user'] },
    grants: { acting: ['--ask-again --user'] },
    withdraw: { acting: ['--yes --user'] },
    runs: { looking: ['--user'] },
    plans: { looking: ['--user'] },
    'plans choose': { acting: ['--sources files --user'] },
    audit: { looking: ['--user'] },
    /** Of the provider. */
    'enroll password': 'exempt',
    /** What is meant is a part of a name. */
    users: 'exempt',
    /** The cure. */
    'keys confirm': 'exempt',
  };

const linesOf = (use: 'acting' | 'looking') =>
  Object.entries(commandsOfPeople).flatMap(([name, uses]) =>
    uses === 'exempt' ? [] : (uses[use] ?? []).map((rest) => `${name} ${rest}`),
  );

let commands: CommandFixture;
let userId: string;

/** A thief has given the row of a person, who has a consent, a plan and a repository, the name of another. */
beforeEach(async () => {
  const [issuer, keyring, at] = ['https://id.example', keyLine('one'), new Date()];
  commands = await openCommandFixture({ issuer, keyring });
  const { database } = commands;
  userId = randomUUID();
  const grantId = randomUUID();
  await database.user.create({ data: { id: userId, issuer, subject: 'eve', createdAt: at } });
  await addUnseenRepository({ database, keyring: await enterWith({ database }, keyring) }, userId);
  const grant = { clientId: 'nightkeep', scope: 'openid', lastExchangedAt: at, nextExchangeAt: at, idleDeadline: at };
  await database.grant.create({ data: { id: grantId, userId, issuer, subject: 'eve', createdAt: at, ...grant } });
  const night = { zone: 'UTC', windowStart: '00:00', windowEnd: '23:59', nextNight: '2026-01-01', nextDueAt: at };
  const plan = { id: randomUUID(), userId, grantId, retention: {}, createdAt: at, ...night };
  await database.plan.create({ data: { ...plan, sources: [{ name: 'files', url: 'https://files.example/eve/' }] } });
  expect(await commands.nightkeep('keys', 'confirm', '--user', userId)).toBe(0);
  await database.user.update({ where: { id: userId }, data: { username: 'alice' } });
  await writeFile(join(commands.folder, 'key'), 'ABCDE-FGHIJ');
  await mkdir(join(commands.folder, 'store'));
});
afterEach(() => commands[Symbol.asyncDispose]());

function run(line: string): Promise<number> {
  const { folder } = commands;
  const words = line.replace('{key}', join(folder, 'key')).replace('{folder}', join(folder, 'new')).split(' ');
  return commands.nightkeep(...words, ...(line.endsWith('--user') ? ['alice'] : []));
}

const records = async () =>
  Promise.all([commands.database.audit.count(), commands.database.run.count(), commands.database.event.count()]);

test('every command that takes a person is known here', async () => {
  const all = await loadCommands();
  const taking = commandNames.filter((name) => Object.hasOwn(all[name]?.options ?? {}, 'user'));
  expect(taking.toSorted()).toEqual(Object.keys(commandsOfPeople).toSorted());
});

describe('for a person whose row is not as Nightkeep left it', () => {
  test('what would act refuses, and leaves nothing on record', async () => {
    const before = await records();
    for (const line of linesOf('acting')) {
      commands.complaints.length = 0;
      expect([line, await run(line)]).toEqual([line, 1]);
      expect([line, commands.complaints.join('')]).toEqual([
        line,
        expect.stringContaining(`Rows of the person ${userId} are not as Nightkeep left them (people).`),
      ]);
    }
    expect(await records()).toEqual(before);
  });

  test('what only looks goes on, and says so', async () => {
    for (const line of linesOf('looking')) {
      commands.complaints.length = 0;
      await run(line);
      expect([line, commands.complaints[0]]).toEqual([line, expect.stringContaining('are not as Nightkeep left them')]);
    }
  });
});

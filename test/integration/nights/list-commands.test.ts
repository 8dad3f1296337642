import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCommand } from '../../../src/cli/run-command.ts';
import { silentLog } from '../../../src/log.ts';
import { queuePrefix } from '../../../src/queues/connection.ts';
import { openQueues } from '../../../src/queues/queues.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { secretName } from '../../support/harness/operators.ts';
import { keyLine } from '../../support/harness/settings.ts';

let commands: CommandFixture;
beforeAll(async () => {
  commands = await openCommandFixture({ issuer: 'https://idp.example' });
  await person('alice\u001b[31m\u202e', ['failed', 'partial', 'queued']);
  await person('bob', ['succeeded']);
});
afterAll(() => commands[Symbol.asyncDispose]());

async function person(
  username: string,
  states: readonly ('failed' | 'partial' | 'queued' | 'succeeded')[],
): Promise<void> {
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  await commands.database.user.update({ where: { id: userId }, data: { username, name: 'A person' } });
  const path = `files/${secretName}`;
  for (const [index, state] of states.entries()) {
    const at = new Date(Date.now() - (index + 1) * 3_600_000);
    await commands.database.run.create({
      data: {
        ...{
          id: randomUUID(),
          planId,
          night: `2026-05-0${index + 1}`,
          trigger: 'schedule',
          state,
          dueAt: at,
          queuedAt: at,
        },
        ...(state !== 'queued' && { startedAt: at, finishedAt: at }),
        ...(state === 'failed' && { errorCode: 'source/unavailable' }),
        ...{ problems: [{ path, code: 'source/gone', message: path, kept: false }], problemCount: 1 },
        message: `No ${path} here.`,
      },
    });
  }
}

const nightkeep = async (...argv: string[]) => {
  expect(await commands.nightkeep(...argv)).toBe(0);
  return commands.said;
};
/** What was said on standard error meanwhile. */
const complained = async (...argv: string[]) => {
  const before = commands.complaints.length;
  await nightkeep(...argv);
  return commands.complaints.slice(before).join('');
};
const json = async (...argv: string[]) => JSON.parse((await nightkeep(...argv, '--json')).join(''));

test.each(['users', 'plans', 'runs'])('%s says where it shows less than there is, and only there', async (name) => {
  const all = await json(name);
  expect(all.length).toBeGreaterThan(1);
  for (const extra of [[], ['--json']]) {
    expect(await complained(name, ...extra)).toBe('');
    expect(await complained(name, '--limit', String(all.length), ...extra)).toBe('');
    expect(await complained(name, '--limit', String(all.length - 1), ...extra)).toContain(
      `Only ${all.length - 1} ${all.length === 2 ? 'is' : 'are'} shown, and there are more`,
    );
  }
  expect(await json(name, '--limit', '1')).toHaveLength(1);
});

test.each(['status', 'users', 'plans', 'runs', 'queue', 'audit', 'grants', 'protection', 'circuits', 'keys'])(
  '%s tells no name of a file, fits the terminal, and sends it nothing to obey',
  async (name) => {
    const plain = (await nightkeep(name)).join('\n');
    const asJson = (await nightkeep(name, '--json')).join('\n');
    for (const text of [plain, asJson]) {
      expect(text).not.toContain('Divorce');
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
    expect(() => JSON.parse(asJson)).not.toThrow();
    if (name === 'status') return;
    const lines: string[] = [];
    expect(await runCommand([name], { line: (text) => void lines.push(...text.split('\n')), columns: 80 })).toBe(0);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const whole = new Set(plain.split(/\s+/));
    const narrow: string[] = [];
    expect(await runCommand([name], { line: (text) => void narrow.push(text), columns: 40 })).toBe(0);
    const shown = new Set(narrow.join('\n').split(/\s+/));
    expect([...whole].filter((word) => !shown.has(word))).toEqual([]);
  },
);

test('runs are found by person, state and time, with names, and not only ids', async () => {
  expect(await nightkeep('runs', '--user', 'bob')).toEqual([
    expect.stringMatching(/^NIGHT +USER +STATE +CAUSE +NOT READ +STARTED +RUN$/),
    expect.stringMatching(/^2026-05-01 +bob +succeeded +1 /),
  ]);
  expect(await json('runs', '--state', 'failed', '--limit', '50')).toMatchObject([
    { user: 'alice\u001b[31m\u202e', state: 'failed', errorCode: 'source/unavailable', problemCount: 1 },
  ]);
  expect((await nightkeep('runs', '--state', 'failed'))[1]).toContain('alice\\x1b[31m\\u202e');
  expect(await json('runs', '--since', '2h')).toHaveLength(2);
  expect(await json('runs', '--limit', '1')).toHaveLength(1);
  expect(await json('runs', '--user', 'bob', '--state', 'partial')).toEqual([]);
});

test('users and plans are listed with names', async () => {
  expect(await json('users', '--user', 'BO')).toMatchObject([{ username: 'bob', name: 'A person', state: 'active' }]);
  expect(await json('users', '--state', 'withdrawn')).toEqual([]);
  expect(await json('plans', '--user', 'bob')).toMatchObject([{ user: 'bob', paused: false, goesOn: true }]);
  expect(await nightkeep('plans')).toHaveLength(3);
});

test('the queue is paused, resumed and drained, and the audit says by whom', async () => {
  expect(await json('queue', '--pause', '--reason', 'the disk is full')).toMatchObject({
    paused: true,
    by: { by: { kind: 'command' }, reason: 'the disk is full' },
  });
  const { id: runId } = await commands.database.run.findFirstOrThrow({ where: { state: 'queued' } });
  await using queues = await openQueues({ postgresUrl: commands.url, prefix: queuePrefix, log: silentLog });
  await queues.backUps.enqueue([{ runId, attempt: 0 }]);
  expect(await nightkeep('queue')).toEqual([
    expect.any(String),
    'Waiting 1, in hand 0, delayed 0.',
    expect.stringMatching(/^STATE +QUEUED +USER /),
    expect.stringMatching(/^waiting +.* UTC +alice\\x1b\[31m\\u202e +2026-05-03 +0 +run-/),
  ]);
  expect((await nightkeep('queue'))[0]).toMatch(/It is paused by command \S+ since .*: the disk is full\.$/m);
  expect(await json('queue', '--resume')).toMatchObject({ paused: false, by: null });
  await nightkeep('queue', '--drain', '--yes');
  expect(await json('runs', '--state', 'skipped')).toHaveLength(1);
  expect(await complained('audit', '--limit', '2')).toContain('Only 2 are shown');
  expect((await json('audit', '--by', 'command')).map(({ act }: { act: string }) => act)).toEqual([
    'night-drained',
    'night-resumed',
    'night-paused',
  ]);
});

test('the status counts people, consents and runs', async () => {
  expect(await json('status')).toMatchObject({
    lastSuccessAt: expect.any(String),
    grants: { active: 2 },
    runs: { succeeded: 1, partial: 1, failed: 1 },
    openCircuits: [],
    operatorsTold: null,
    verification: { oldestAt: null, damaged: 0, gone: 0, unverified: 0, pending: 0 },
  });
});

test.each([
  [['runs', '--state', 'faild'], 'did you mean failed?'],
  [['runs', '--limit', 'many'], 'write a number such as 50'],
  [['runs', '--since', 'yesterday'], 'write it as 14d or 12h'],
  [['queue', '--pause', '--drain'], 'do not go together'],
  [['audit', '--act', 'key-shwn'], 'did you mean key-shown?'],
])('what is written wrong is told with the cure: %o', async (argv, complaint) => {
  expect(await commands.nightkeep(...argv)).toBe(2);
  expect(commands.complaints.at(-1)).toContain(complaint);
});

describe('while Redis is away', () => {
  beforeAll(() => void vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:1'));
  afterAll(() => void vi.stubEnv('REDIS_URL', undefined));

  test.each([
    'status',
    'users',
    'plans',
    'runs',
    'audit',
    'grants',
    'protection',
    'circuits',
    'store',
    'keys',
    'keys confirm',
  ])('%s tells what the database knows', async (name) => void (await nightkeep(...name.split(' '))));

  test.each(['repair snapshots --all', 'export --to-store', 'adopt --dry-run', 'import --list'])(
    '%s works, which needs database and store alone',
    async (words) => void (await nightkeep(...words.split(' '))),
  );

  test('a key that nothing is sealed under is retired, and a wrong command says what is wrong with it', async () => {
    const keyring = process.env.KEYRING ?? '';
    vi.stubEnv('KEYRING', `${keyring}\n${keyLine('two')}`);
    await nightkeep('keys', 'retire', 'two');
    vi.stubEnv('KEYRING', keyring);
    expect(await commands.nightkeep('repair', 'keys', '--user', 'nobody')).toBe(1);
    expect(commands.complaints.at(-1)).toContain('Nobody here is called "nobody"');
    expect(await commands.nightkeep('queue')).toBe(1);
    expect(commands.complaints.at(-1)).toContain('The queue in Redis does not answer');
  });
});

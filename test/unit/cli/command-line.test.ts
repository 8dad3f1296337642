import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadCommands } from '../../../src/cli/commands.ts';
import { parse } from '../../../src/cli/parse.ts';
import { runCommand } from '../../../src/cli/run-command.ts';

const commands = await loadCommands();
let complaints: string[];
beforeEach(() => {
  complaints = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => complaints.push(String(line)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function nightkeep(line: string) {
  const said: string[] = [];
  const code = await runCommand(line === '' ? [] : line.split(' '), { line: (text) => said.push(text) });
  return { code, said: said.join('\n'), complaint: complaints.join('') };
}

describe('help', () => {
  test.each(Object.keys(commands))('of %s explains its options and exit codes', async (name) => {
    const { code, said } = await nightkeep(`${name} --help`);
    expect(code).toBe(0);
    expect(said).toMatch(new RegExp(`^Usage: nightkeep ${name}\\b`));
    const { options, operands = {} } = commands[name] ?? expect.unreachable();
    for (const option of Object.keys(options)) expect(said).toMatch(new RegExp(`^  --${option}( \\S+)? {2,}\\S`, 'm'));
    for (const operand of Object.keys(operands))
      expect(said).toMatch(new RegExp(`^  ${operand.toUpperCase()} +\\S`, 'm'));
    expect(said).toMatch(/^Exit codes:\n {2}0 .+\n {2}1 .+\n {2}2 /m);
    expect((await nightkeep(`help ${name}`)).said).toBe(said);
    expect((await nightkeep(`${name} -h`)).said).toBe(said);
  });

  test.each(Object.entries(commands))(
    'the usage of %s names each of its options, and README names it',
    (name, command) => {
      const named = [...command.usage.matchAll(/--([\w-]+)/g)].map(([, option]) => option);
      expect(named.toSorted()).toEqual(Object.keys(command.options).toSorted());
      expect(readFileSync('README.md', 'utf8')).toContain(`\n    nightkeep ${name} ${command.usage}\n`);
    },
  );

  test('of the whole lists every command, and ends with 2 where nothing was asked', async () => {
    const { code, said } = await nightkeep('--help');
    expect(code).toBe(0);
    for (const [name, { usage }] of Object.entries(commands)) expect(said).toContain(`  nightkeep ${name} ${usage}`);
    expect(await nightkeep('')).toMatchObject({ code: 2, said });
    expect(await nightkeep('help')).toMatchObject({ code: 0, said });
  });

  test('of a group lists its commands', async () => {
    expect((await nightkeep('enroll --help')).said.match(/nightkeep enroll \w+/g)).toHaveLength(3);
    expect((await nightkeep('help keys')).said).toContain('  nightkeep keys retire ID');
  });
});

test('the version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(await nightkeep('--version')).toMatchObject({ code: 0, said: `nightkeep ${version}` });
});

describe('a command line that is wrong is refused with what was meant, or how it is written', () => {
  test.each([
    ['strat', 'There is no command "strat". Did you mean: nightkeep start?'],
    ['bakcup --all', 'There is no command "bakcup". Did you mean: nightkeep backup?'],
    ['key rotate', 'There is no command "key". Did you mean: nightkeep keys rotate?'],
    ['keys rotat', 'There is no command "keys rotat". Did you mean: nightkeep keys rotate?'],
    ['enroll', 'There is no command "enroll". See: nightkeep help enroll'],
    ['enroll devcie', 'There is no command "enroll devcie". Did you mean: nightkeep enroll device?'],
    ['cook', 'There is no command "cook". See: nightkeep help'],
    ['--json doctor', 'The command comes first, then its options, as in: nightkeep doctor --json'],
    ['doctor --jsn', 'There is no option --jsn. Did you mean --json?\nUsage: nightkeep doctor [--json]'],
    ['doctor -j', 'There is no option -j.\nUsage: nightkeep doctor [--json]'],
    ['doctor now', '"now" is one word too many.\nUsage: nightkeep doctor [--json]'],
    ['doctor --json=yes', '--json takes no value.\nUsage: nightkeep doctor [--json]'],
    ['keys retire', 'ID is missing.\nUsage: nightkeep keys retire ID [--json]'],
    ['snapshots --user', '--user needs a value: --user NAME.\nUsage: nightkeep snapshots --user NAME [--json]'],
    ['snapshots --user --json', '--user needs a value: --user NAME.\nUsage: nightkeep snapshots --user NAME [--json]'],
    ['snapshots --user a --user b', '--user is given twice.\nUsage: nightkeep snapshots --user NAME [--json]'],
    ['snapshots', 'Say whose with --user NAME.'],
    ['restore --to folder', 'Say whose with --user NAME.'],
    ['enroll password --yes', 'Say whose consent it is with --user NAME.'],
    ['backup', 'Say either --user NAME or --all.'],
    ['backup --all --user alice', 'Say either --user NAME or --all.'],
    ['forget --dry-run', 'Say either --user NAME or --all.'],
    ['repair --all --user alice', 'Say either --user NAME or --all.'],
    ['prune', 'Say either --user NAME or --all.'],
    ['check --all --user alice', 'Say either --user NAME or --all.'],
    ['check --all --read-data --read-data-subset 1/7', '--read-data and --read-data-subset do not go together.'],
    ['check --all --read-data-subset 8/7', '--read-data-subset is "8/7": write it as 1/30, up to 256 parts.'],
    ['check --all --read-data-subset 0/7', '--read-data-subset is "0/7": write it as 1/30, up to 256 parts.'],
    ['restore --user alice', 'Name the folder to restore into with --to DIR.'],
    ['grants --expiring 1d --forecast 2d', '--forecast and --expiring do not go together.'],
    ['grants --forecast 2d --state active', '--forecast and --state do not go together.'],
    ['grants --ask-again --forecast 2d', '--forecast and --ask-again do not go together.'],
    ['grants --ask-again', 'Say whose grant to ask for with --user NAME.'],
    ['grants --user alice', '--user goes with --ask-again only.'],
    ['grants --expiring soon', '--expiring is "soon": write it as 14d, at most 9999d.'],
    ['grants --state dead', '--state is "dead": choose one of active, suspect, needs_consent, withdrawn.'],
    ['start --roles cook', 'There is no role "cook": roles are web and worker.'],
  ])('%s', async (line, told) => {
    expect(await nightkeep(line)).toEqual({ code: 2, said: '', complaint: `nightkeep: ${told}\n` });
  });
});

test('a value may begin with a dash where it is joined to its option, and an operand behind --', () => {
  const { snapshots, 'keys retire': retire } = commands;
  if (snapshots === undefined || retire === undefined) expect.unreachable();
  expect(parse('snapshots', snapshots, ['--user=-x', '--json'])).toEqual({ user: '-x', json: true });
  expect(parse('keys retire', retire, ['--', '--json'])).toEqual({ id: '--json' });
});

describe('settings', () => {
  beforeEach(() => {
    for (const [name, value] of Object.entries({ OIDC_ISSUER: 'https://id.example', OIDC_CLIENT_ID: 'nightkeep' }))
      vi.stubEnv(name, value);
    vi.stubEnv('OIDC_CLIENT_SECRET', 'not-told');
    vi.stubEnv('FILES_URL', 'https://cloud.example/{sub}/');
  });

  test('that are right are listed, for people and for programs, without secrets', async () => {
    const { code, said, complaint } = await nightkeep('settings');
    expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
    expect(said).toMatch(/^OIDC_ISSUER +https:\/\/id\.example {2}\(environment\)$/m);
    expect(said).toMatch(/^REDIS_URL +\(none: the queue is in PostgreSQL\)$/m);
    const listed = JSON.parse((await nightkeep('settings --json')).said);
    expect(listed).toContainEqual({ name: 'OIDC_CLIENT_SECRET', value: '[hidden]', from: 'environment' });
    expect(said + JSON.stringify(listed)).not.toContain('not-told');
  });

  test.each([
    ['KEYRING', 'k1:short', 'The keyring cannot be used: key 1 is not written like id:key.'],
    ['OIDC_PRIVATE_KEY', 'no key', 'OIDC_PRIVATE_KEY holds no private key in PEM.'],
  ])('that hold a key which is none are wrong as well: %s', async (setting, value, told) => {
    vi.stubEnv(setting, value);
    const { code, said, complaint } = await nightkeep('settings');
    expect(code).toBe(2);
    expect(complaint).toContain(`Wrong: ${told} `);
    expect(said).toMatch(new RegExp(`^${setting} +\\[hidden\\] {2}\\(environment, wrong\\)$`, 'm'));
    const listed = JSON.parse((await nightkeep('settings --json')).said);
    expect(listed).toContainEqual(expect.objectContaining({ name: setting, fault: expect.stringContaining(told) }));
    expect(said + complaint).not.toContain(value);
  });

  test('that are wrong or misspelt are told of on standard error, and the exit code is 2', async () => {
    vi.stubEnv('PORT', 'x');
    vi.stubEnv('OIDC_CLIENT_SECRET', undefined);
    vi.stubEnv('OIDC_SECRET', 'not-told');
    const { code, said, complaint } = await nightkeep('settings');
    expect(code).toBe(2);
    expect(said).toMatch(/^PORT +x {2}\(environment, wrong\)$/m);
    expect(complaint.split('\n')).toEqual([
      'Warning: OIDC_SECRET is not a setting and changes nothing. See: nightkeep settings',
      'Wrong: OIDC_CLIENT_SECRET is missing: client_secret_basic needs it (or OIDC_CLIENT_SECRET_FILE).',
      'Wrong: PORT is "x": it must be a whole number from 0 to 65535.',
      '',
    ]);
  });
});

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import type { Environment } from '../../src/config/environment.ts';
import { texts } from '../../src/web/texts/en.ts';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { eventsOf, expectPlainWords, nightkeep } from '../support/harness/nightkeep.ts';
import { consent } from '../support/harness/service-fixture.ts';
import { keyLine } from '../support/harness/settings.ts';
import type { Visitor } from '../support/realms/realm.ts';
import { openTestDatabase } from '../support/servers/postgres.ts';
import { listenSilently } from '../support/servers/silent-port.ts';

const password = 'not-to-be-told';

let installation: Installation;
let visitor: Visitor;
let kept: readonly string[];
/** Nightkeep was in use: a person consented and was backed up. */
beforeAll(async () => {
  installation = await openInstallation();
  await using service = await installation.start();
  visitor = await consent(installation, alice);
  service.signal('SIGTERM');
  await service.ended;
  kept = await installation.kept();
});
afterAll(() => installation?.[Symbol.asyncDispose]());

/** Refused with words and code, no secret told, nothing changed. */
async function expectRefusal(words: readonly string[], changes: Environment, code: number, told: RegExp) {
  const ended = await installation.run(words, changes);
  expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(told) });
  const keyring = installation.settings.KEYRING ?? '';
  expectPlainWords(ended, [
    password,
    keyring.slice(keyring.indexOf(':') + 1),
    installation.settings.OIDC_CLIENT_SECRET ?? '-',
  ]);
  expect(await installation.kept()).toEqual(kept);
}

describe('a command line that is wrong is refused with 2', () => {
  const wrong: [string, RegExp][] = [
    ['strat', /^nightkeep: There is no command "strat"\. Did you mean: nightkeep start\?\n$/],
    ['cook', /^nightkeep: There is no command "cook"\. See: nightkeep help\n$/],
    [
      'start --rolls web',
      /^nightkeep: There is no option --rolls\. Did you mean --roles\?\nUsage: nightkeep start \[--roles web,worker\]\n$/,
    ],
    ['start now', /^nightkeep: "now" is one word too many\.\nUsage: nightkeep start \[--roles web,worker\]\n$/],
    ['start --roles cook', /^nightkeep: There is no role "cook": roles are web and worker\.\n$/],
    [
      'start --roles=',
      /^nightkeep: --roles needs a value: --roles web,worker\.\nUsage: nightkeep start \[--roles web,worker\]\n$/,
    ],
    ['migrate all', /^nightkeep: "all" is one word too many\.\nUsage: nightkeep migrate \[--json\]\n$/],
  ];
  test.each(wrong)('nightkeep %s', (line, told) => expectRefusal(line.split(' '), {}, 2, told));
});

describe('a setting that is wrong is refused with 2 and the cure', () => {
  const all = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'];
  const missing = Object.fromEntries(all.map((name) => [name, '']));
  const lines = all.map((name) => `${name} is missing: [^\\n]+\\n`);
  const wrong: [string, Environment, RegExp][] = [
    ['all that is missing, at once', missing, new RegExp(`^nightkeep: ${lines.join('')}$`)],
    [
      'a value',
      { PORT: 'x', ZONE: 'Mars' },
      /^nightkeep: PORT is "x": [^\n]+\nZONE is "Mars", [^\n]+ write it as Europe\/Berlin\.\n$/,
    ],
    [
      'a database of another kind',
      { DATABASE_URL: `mysql://nk:${password}@127.0.0.1/x` },
      /^nightkeep: DATABASE_URL is not .+ postgres:\/\//,
    ],
    [
      'a store on another machine',
      { STORE_URL: 'file://there/store' },
      /^nightkeep: STORE_URL is "file:\/\/there\/store", .+ write it as file:\/\/\//,
    ],
    [
      'an address that is not of this machine',
      { HOST: '203.0.113.7' },
      /^nightkeep: [^\n]+ 203\.0\.113\.7:\d+: [^\n]+ Correct HOST\.\n$/,
    ],
  ];
  test.each(wrong)('%s', (_, changes, told) => expectRefusal(['start'], changes, 2, told));

  test('a port that is taken', async () => {
    using taken = await listenSilently();
    const told = new RegExp(
      `:${taken.port}: another program listens there already\\. End it, or choose another PORT\\.\n$`,
    );
    await expectRefusal(['start'], { PORT: String(taken.port) }, 2, told);
  });

  test('a folder for data that is a file', async () => {
    const path = join(installation.folder, 'a file');
    await writeFile(path, '');
    const told =
      /^nightkeep: The keyring cannot be made in .+: E[A-Z]+\. Make DATA_DIR a folder that this user may write to\.\n$/;
    await expectRefusal(['start'], { DATA_DIR: path, KEYRING: '' }, 2, told);
  });
});

describe('a keyring that is not that of the database is refused with 2', () => {
  const told =
    /^nightkeep: The keyring is not the one [^\n]+ key one is missing or has changed\. Put the right KEYRING back\.\n$/;
  test('another key of the same name', () => expectRefusal(['start'], { KEYRING: keyLine('one') }, 2, told));
  test('another key', () => expectRefusal(['start'], { KEYRING: keyLine('other') }, 2, told));
  test('none, on a machine that has no DATA_DIR yet', () =>
    expectRefusal(['start'], { KEYRING: '', DATA_DIR: join(installation.folder, 'new machine') }, 2, told));
  test('one that is no keyring', () =>
    expectRefusal(
      ['start'],
      { KEYRING: password },
      2,
      /^nightkeep: The keyring cannot be used: [^\n]+ Write one key a line as id:key/,
    ));
});

describe('a database that is not ready is refused with 1', () => {
  test('nobody there', () => {
    const told =
      /^nightkeep: Nothing answers where DATABASE_URL points\. Start PostgreSQL, or correct host and port[^\n]+\n$/;
    return expectRefusal(['start'], { DATABASE_URL: `postgres://nk:${password}@127.0.0.1:1/x` }, 1, told);
  });

  test.each(['start', 'migrate'])('one that does not exist, told by %s with the command that makes it', (command) => {
    const url = new URL(installation.settings.DATABASE_URL ?? '');
    url.pathname = '/nowhere';
    const told = /^nightkeep: The database "nowhere" does not exist\. Create it with: createdb nowhere\. [^\n]+\n$/;
    return expectRefusal([command], { DATABASE_URL: url.href }, 1, told);
  });

  test('migrate asks for no other setting', async () => {
    const others = Object.keys(installation.settings).filter((name) => name !== 'DATABASE_URL');
    const none = Object.fromEntries(others.map((name) => [name, undefined]));
    const stdout = 'Nothing to apply.\n';
    expect(await installation.run(['migrate'], none)).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('one that was never migrated, until it is', async () => {
    await using empty = await openTestDatabase({ empty: true });
    const there = { DATABASE_URL: empty.url, DATA_DIR: join(installation.folder, 'other') };
    await expectRefusal(
      ['start'],
      there,
      1,
      /^nightkeep: The database lacks \d+ migrations? [^\n]+ Run: nightkeep migrate\n$/,
    );
    expect(await installation.run(['migrate'], there)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Applied \d/),
    });
    const record = await installation.run(['audit', '--act', 'database-migrated', '--json'], there);
    expect(JSON.parse(record.stdout)).toMatchObject([
      { by: { kind: 'command' }, about: expect.stringMatching(/^\d{14}_/) },
    ]);
    await using service = await installation.start(there);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect({ code, events: eventsOf(stderr) }).toEqual({ code: 0, events: [] });
  });
});

describe('.env in the folder', () => {
  const path = () => join(installation.here, '.env');
  afterEach(() => rm(path(), { recursive: true, force: true }));

  test('is read, and the environment wins over it', async () => {
    await writeFile(path(), 'PUBLIC_URL=http://from-the-file.example\nPORT=from the file\n');
    await expectRefusal(['start'], { PORT: undefined }, 2, /^nightkeep: PORT is "from the file": /);
    await using service = await installation.start({ PUBLIC_URL: undefined });
    expect(service.stdout).toMatch(/\nBrowsers reach it at http:\/\/from-the-file\.example\/\n/);
    service.signal('SIGTERM');
    const { code, stderr } = await service.ended;
    expect({ code, events: eventsOf(stderr) }).toEqual({ code: 0, events: [] });
  });

  test('is refused where it is a folder', async () => {
    await mkdir(path());
    await expectRefusal(
      ['start'],
      {},
      2,
      /^nightkeep: \.env cannot be read\. Make it a file that this user may read\.\n$/,
    );
  });
});

test('after all of that a good start works as if nothing had been', async () => {
  await using service = await installation.start();
  await visitor.open(installation.url.href);
  await visitor.press(texts.home.now);
  await installation.atRest();
  const runs = await installation.database.run.findMany();
  expect(runs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
  service.signal('SIGTERM');
  expect(await service.ended).toMatchObject({ code: 0 });
});

test('a limit of 64 open files is enough for a command: what it reads is not opened all at once', async () => {
  const limited = ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'];
  await using command = nightkeep(['status'], installation.settings, installation.here, limited);
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
});

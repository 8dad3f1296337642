import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commandNames } from '../../../src/cli/commands.ts';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { cheapScrypt, cheapScryptCosts, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';
import { startEndpoint } from '../../unit/oidc/endpoint.ts';

/** It sets the title of the terminal, clears it, forges a line, turns the direction of writing and takes a line back. */
const hostile =
  'eve\u001b]0;owned\u0007\u001b[2J\nnightkeep: forged\u202egnp.exe\u2066\u061c\u2028\rtaken\u009b31m\u0085';
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/;

let opened: AsyncDisposableStack;
let commands: CommandFixture;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const published: Record<string, unknown> = {};
  const provider = opened.use(await startEndpoint(published));
  published.device_authorization_endpoint = `${provider.origin}/device`;
  provider.answer = ({ path }) => {
    if (path !== '/device') return { status: 400, body: { error: 'access_denied', error_description: hostile } };
    const codes = { device_code: 'd', user_code: hostile, verification_uri: `${provider.origin}/${hostile}` };
    return { status: 200, body: { ...codes, expires_in: 60, interval: 1 } };
  };
  commands = opened.use(await openCommandFixture({ issuer: provider.origin }));
  const { database } = commands;
  const planId = await savePlan(database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await database.plan.findUniqueOrThrow({ where: { id: planId } });
  await using resources = await openFromEnvironment();
  await database.user.update({ where: { id: userId }, data: { username: hostile, name: hostile } });
  await sealRows(resources);
  const { repository } = await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
  const names = { username: hostile, hostname: hostile, clock: resources.clock, scrypt: cheapScrypt };
  await repository.addKey('of somebody else', names);
  const [one, two] = [Buffer.from('one'), Buffer.from('two')];
  await writeSnapshot(repository, { files: { [hostile]: one, [`${hostile}folder`]: { [hostile]: one } } });
  await writeSnapshot(repository, { files: { [hostile]: two } }, '2026-01-03T03:04:05+01:00');
  const at = new Date();
  await database.run.create({
    data: {
      ...{
        id: randomUUID(),
        planId,
        night: '2026-05-01',
        trigger: 'schedule',
        state: 'failed',
        dueAt: at,
        queuedAt: at,
        finishedAt: at,
      },
      ...{ errorCode: 'source/unavailable', message: hostile, problemCount: 1 },
      problems: [{ path: hostile, code: 'source/gone', message: hostile, kept: false }],
    },
  });
});
afterAll(() => opened.disposeAsync());

const ofEve = ['--user', hostile];
/** What is run of each command; each once more with --json. None only where nothing that others chose is printed. */
const lines: Record<string, string[] | 'prints settings and addresses of its own'> = {
  start: 'prints settings and addresses of its own',
  settings: [],
  doctor: [],
  migrate: [],
  backup: ofEve,
  protection: ofEve,
  snapshots: ofEve,
  restore: [...ofEve, '--to'],
  diff: ['latest', 'latest', ...ofEve],
  find: ['forged', ...ofEve],
  dump: ['latest', `files/${hostile}`, ...ofEve],
  forget: [...ofEve, '--dry-run'],
  prune: [...ofEve, '--dry-run'],
  check: [...ofEve, '--read-data'],
  stats: ofEve,
  repair: [...ofEve, '--dry-run'],
  'repair keys': ofEve,
  'repair snapshots': [...ofEve, '--dry-run'],
  store: ofEve,
  'store move': [...ofEve, '--to'],
  'store lost': [...ofEve, '--dry-run'],
  adopt: ['--dry-run'],
  export: ['--to'],
  import: ['--list'],
  'enroll device': ['--yes'],
  'enroll password': [...ofEve, '--yes'],
  'enroll service': ['--yes'],
  grants: [],
  circuits: ['--trust', hostile],
  'provider move': [hostile, 'https://id.example'],
  'files move': [hostile, 'https://cloud.example'],
  keys: [],
  'keys rotate': [],
  'keys retire': [hostile],
  'keys confirm': [],
  heal: [],
  status: [],
  users: [],
  plans: [],
  'plans choose': [...ofEve, '--sources', 'files', '--reason', hostile],
  runs: [],
  queue: ['--pause', '--reason', hostile],
  audit: [],
  withdraw: [...ofEve, '--yes', '--reason', hostile],
};

test('there is a row for each command', () => {
  expect(Object.keys(lines).toSorted()).toEqual(commandNames.toSorted());
});

/** Commands that name the person or a file: they have to show the name, or this would show nothing. A code of a provider is refused where it is no plain text. */
const shows = ['find', 'forget', 'stats', 'check', 'protection', 'users', 'runs', 'plans', 'audit'];

test.each(Object.entries(lines).filter(([, given]) => Array.isArray(given)))(
  'nothing that %s prints commands a terminal, forges a line or turns the direction of writing',
  async (name, given) => {
    for (const json of [[], ['--json']]) {
      const written = vi.spyOn(process.stdout, 'write').mockImplementation((_, done: unknown) => {
        if (typeof done === 'function') done();
        return true;
      });
      vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(['a password']) as typeof process.stdin);
      commands.complaints.length = 0;
      const last = given.at(-1);
      const place = join(commands.folder, `${name}${json.length}`);
      const to = last === '--to' ? [name === 'store move' ? `file://${place}/${hostile}` : place] : [];
      const argv = [...name.split(' '), ...given, ...to, ...(name === 'dump' ? [] : json)];
      await commands.nightkeep(...argv).finally(() => written.mockRestore());
      const complaints = commands.complaints.join('');
      for (const line of commands.said) expect(line).not.toMatch(/\n/);
      for (const text of [...commands.said, complaints]) expect(text).not.toMatch(obeyed);
      expect(
        [...commands.said, ...complaints.split('\n')].filter((line) => line.startsWith('nightkeep: forged')),
      ).toEqual([]);
      if (shows.includes(name)) expect([...commands.said, complaints].join('\n')).toMatch(/eve(\\\\?x1b|\\u001b)/);
    }
  },
);

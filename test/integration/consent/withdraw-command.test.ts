import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { type DemoProvider, startProvider } from '../../../demo/provider/provider.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { type Database, openDatabase } from '../../../src/database/client.ts';
import { texts } from '../../../src/web/texts.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

const client = {
  id: 'nightkeep',
  name: 'Nightkeep',
  authentication: 'client_secret_basic' as const,
  secret: 'a-secret.of_characters~',
  redirectUris: ['http://localhost:3000/callback'],
  directAccess: true,
  consentRequired: false,
};
let opened: AsyncDisposableStack;
let database: Database;
let provider: DemoProvider;
let said: string[];
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  database = opened.adopt(await openDatabase(test.url), (open) => open.$disconnect());
  const { path } = opened.use(await temporaryFolder('withdraw'));
  const people = [{ ...alice, password: 'sesame' }];
  provider = opened.adopt(await startProvider({ clients: [client], people }), (one) => one.stop());
  const settings = {
    DATABASE_URL: test.url,
    DATA_DIR: path,
    FILES_URL: 'https://cloud.example/{sub}/',
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: client.secret,
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(['sesame\n']) as typeof process.stdin);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes', '--json')).toBe(0);
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
const lives = () => provider.admin.offlineSessions({ username: 'alice' }).length;

test('an operator ends the consent of somebody who cannot sign in any more, here and at the provider', async () => {
  provider.admin.setUser('alice', { enabled: false });
  expect(await nightkeep('withdraw', '--user', 'alice')).toBe(2);
  expect(await database.grant.findFirstOrThrow()).toMatchObject({ state: 'active' });
  expect(await nightkeep('withdraw', '--user', 'alice', '--yes')).toBe(0);
  expect(said).toEqual(['The consent of alice has ended here. The provider ended the token too.']);
  expect(lives()).toBe(0);
  expect(await database.grant.findFirstOrThrow()).toMatchObject({
    state: 'withdrawn',
    reason: 'withdrawn_by_operator',
  });
  expect(await database.event.findFirstOrThrow({ where: { to: 'withdrawn' } })).toMatchObject({ by: 'operator' });
  expect(texts.protection.consent.withdrawn_by_operator.happened).toContain('operator');
  expect(await nightkeep('withdraw', '--user', 'alice', '--yes')).toBe(1);
  expect(await nightkeep('withdraw', '--user', 'nobody', '--yes')).toBe(1);
});

test('a provider that is away is told later, and the answer says so', async () => {
  await provider.down();
  expect(await nightkeep('withdraw', '--user', 'alice', '--yes', '--json')).toBe(0);
  expect(JSON.parse(said.join(''))).toMatchObject({ user: 'alice', state: 'withdrawn', tokens: 'outstanding' });
  await provider.up();
  expect(lives()).toBe(1);
  expect(await nightkeep('heal')).toBe(0);
  expect(lives()).toBe(0);
});

test.each([
  ['without a name', ['--yes']],
  ['with a choice that there is not', ['--user', 'alice', '--snapshots', '7', '--yes']],
  ['with a word too many', ['--user', 'alice', 'bob', '--yes']],
])('refuses a command line %s, and ends nothing', async (_, argv) => {
  expect(await nightkeep('withdraw', ...argv)).toBe(2);
  expect(await database.grant.findFirstOrThrow()).toMatchObject({ state: 'active' });
});

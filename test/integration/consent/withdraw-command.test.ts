import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { type DemoProvider, startProvider } from '../../../demo/provider/provider.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';

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
let commands: CommandFixture;
let provider: DemoProvider;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const people = [{ ...alice, password: 'sesame' }];
  provider = opened.adopt(await startProvider({ clients: [client], people }), (one) => one.stop());
  const { secret } = client;
  commands = opened.use(
    await openCommandFixture({ issuer: provider.issuer, secret, filesUrl: 'https://cloud.example/{sub}/' }),
  );
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(['sesame\n']) as typeof process.stdin);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes', '--json')).toBe(0);
});
afterEach(() => opened.disposeAsync());

const nightkeep = (...argv: string[]) => commands.nightkeep(...argv);
const lives = () => provider.admin.offlineSessions({ username: 'alice' }).length;

test('an operator ends the consent of somebody who cannot sign in any more, here and at the provider', async () => {
  provider.admin.setUser('alice', { enabled: false });
  expect(await nightkeep('withdraw', '--user', 'alice')).toBe(2);
  expect(await commands.database.grant.findFirstOrThrow()).toMatchObject({ state: 'active' });
  expect(await nightkeep('withdraw', '--user', 'alice', '--reason', 'she left\u001b[2J', '--yes')).toBe(0);
  expect(commands.said).toEqual(['The consent of alice has ended here. The provider ended the token too.']);
  expect(lives()).toBe(0);
  expect(await commands.database.grant.findFirstOrThrow()).toMatchObject({
    state: 'withdrawn',
    reason: 'withdrawn_by_operator',
  });
  expect(await commands.database.event.findFirstOrThrow({ where: { to: 'withdrawn' } })).toMatchObject({
    by: expect.stringMatching(/^command:.+@/),
  });
  expect(await nightkeep('audit', '--user', 'alice', '--act', 'consent-withdrawn')).toBe(0);
  expect(commands.said).toEqual([
    expect.stringMatching(/^WHEN +BY +ACT +ON +ABOUT +WHY$/),
    expect.stringMatching(/ command \S+@\S+ +consent-withdrawn +alice +withdrawn_by_operator +she left\\x1b\[2J$/),
  ]);
  expect(texts.protection.consent.withdrawn_by_operator.happened).toContain('operator');
  expect(await nightkeep('withdraw', '--user', 'alice', '--yes')).toBe(1);
  expect(await nightkeep('withdraw', '--user', 'nobody', '--yes')).toBe(1);
});

test('a provider that is away is told later, and the answer says so', async () => {
  await provider.down();
  expect(await nightkeep('withdraw', '--user', 'alice', '--yes', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject({
    user: 'alice',
    state: 'withdrawn',
    tokens: 'outstanding',
  });
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
  expect(await commands.database.grant.findFirstOrThrow()).toMatchObject({ state: 'active' });
});

test('commands that put no run into the queue work while Redis is away, and others say what is', async () => {
  vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:9/0');
  expect(await nightkeep('enroll', 'service', '--yes')).toBe(1);
  expect(commands.complaints.join('')).toMatch(/queue|Redis/);
  expect(await nightkeep('withdraw', '--user', 'alice', '--yes')).toBe(0);
  expect(await commands.database.grant.findFirstOrThrow()).toMatchObject({ state: 'withdrawn' });
  expect(lives()).toBe(0);
  const away = ['https://old.example/{sub}/', 'https://cloud.example/{sub}/'];
  expect(await nightkeep('files', 'move', ...away)).toBe(1);
  expect(commands.complaints.join('')).toContain(`Nobody's files are at ${away[0]}`);
  expect(await nightkeep('provider', 'move', 'https://old.example', provider.issuer, '--dry-run')).not.toBe(0);
  expect(commands.complaints.join('')).toContain('Nobody here belongs to the issuer https://old.example');
});

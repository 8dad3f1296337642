import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openBrowser } from '../../../demo/browser/browser.ts';
import { alice, people } from '../../../demo/people.ts';
import { type DemoProvider, startProvider } from '../../../demo/provider/provider.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { type Agreement, isReworded, readRecord } from '../../../src/flows/consent/agreement.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';

const client = {
  id: 'nightkeep',
  name: 'Nightkeep',
  authentication: 'client_secret_basic' as const,
  secret: 'secret',
  redirectUris: ['http://localhost:3000/callback'],
  directAccess: true,
  consentRequired: false,
};
const password = 'open, sesame ☾';
let opened: AsyncDisposableStack;
let commands: CommandFixture;
let provider: DemoProvider;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const persons = people.map((person) => (person === alice ? { ...person, password } : person));
  const options = { devicePollingSeconds: 1 };
  provider = opened.adopt(await startProvider({ clients: [client], people: persons, options }), (one) => one.stop());
  commands = opened.use(await openCommandFixture({ issuer: provider.issuer, secret: client.secret }));
});
afterEach(() => opened.disposeAsync());

const nightkeep = (...argv: string[]) => commands.nightkeep(...argv);
const pipeIn = (text: string) =>
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from([text]) as typeof process.stdin);

/** A terminal at which these are typed, one after the other, each once it is asked for. */
function typeIn(...lines: string[]): void {
  const keyboard = Object.assign(new PassThrough(), { isTTY: true, setRawMode: vi.fn() });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(keyboard as unknown as typeof process.stdin);
  vi.mocked(process.stderr.write).mockImplementation((line) => {
    commands.complaints.push(String(line));
    if (/[?:)] $/.test(String(line))) keyboard.write(lines.shift() ?? '');
    return true;
  });
}

test('a provider that does not answer is named with the reason', async () => {
  await provider.down();
  pipeIn(`${password}\n`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes', '--json')).toBe(1);
  expect(commands.complaints.join('')).toMatch(/^nightkeep: The OpenID provider does not answer.* \(ECONNREFUSED\)\n$/);
});

test('a password from a pipe enrolls, and is to be found nowhere afterwards', async () => {
  pipeIn(`${password}\n`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes', '--json')).toBe(0);
  const told: unknown = JSON.parse(commands.said.join(''));
  const grant = await commands.database.grant.findFirstOrThrow();
  expect(told).toMatchObject({
    user: 'alice',
    subject: alice.subject,
    grantId: grant.id,
    state: 'active',
    renewed: false,
  });
  expect(told).toMatchObject({ terms: { facts: { files: 'https://cloud.example/{preferred_username}/' } } });
  expect(await commands.database.consent.findFirstOrThrow()).toMatchObject({ method: 'password' });
  const tables = await commands.database.$queryRaw<{ name: string }[]>`
    SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
    WHERE table_schema IN ('public', 'nightkeep') AND table_type = 'BASE TABLE'`;
  const rows = await Promise.all(
    tables.map(({ name }) => commands.database.$queryRawUnsafe(`SELECT t::text FROM ${name} t`)),
  );
  expect(tables.length).toBeGreaterThan(10);
  const everything = JSON.stringify([rows, commands.said, commands.complaints]);
  expect(everything).toContain('alice@demo.example');
  expect(everything).not.toContain('sesame');
});

test('whoever has a plan already agrees to its hours, is told of them, and the record has the same', async () => {
  pipeIn(`${password}\n`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes')).toBe(0);
  const plan = await commands.database.plan.findFirstOrThrow();
  const { windowStart: start, windowEnd: end, zone } = plan;
  expect(commands.said.at(-1)).toBe(`Their nights are between ${start} and ${end} (${zone}).`);
  await commands.database.plan.updateMany({ data: { windowStart: '22:30', windowEnd: '02:15', zone: 'Asia/Tokyo' } });
  pipeIn(`${password}\n`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes')).toBe(0);
  expect(commands.said.at(-1)).toBe('Their nights are between 22:30 and 02:15 (Asia/Tokyo), as their plan has it.');
  expect(commands.said.join('\n')).toContain('If you have nights here already, their hours stay as they are.');
  const [first, second] = await commands.database.consent.findMany({ orderBy: { agreedAt: 'asc' } });
  expect(first?.terms).toMatchObject({ facts: { window: { start, end, zone } } });
  for (const { terms } of [first, second].filter((one) => one !== undefined)) {
    expect(commands.said.join('\n')).toContain(readRecord(terms).agreement?.sentences[1]?.says);
    expect(isReworded(readRecord(terms).agreement as Agreement)).toBe(false);
  }
  expect(second?.terms).toMatchObject({ facts: { window: { start: '22:30', end: '02:15', zone: 'Asia/Tokyo' } } });
  pipeIn(`${password}\n`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject({
    renewed: true,
    window: { start: '22:30', end: '02:15', zone: 'Asia/Tokyo' },
  });
});

test('a password is typed without being shown, after the terms were agreed to', async () => {
  typeIn('yes\n', `open, sesameX\u007f ☾\r`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice')).toBe(0);
  expect(commands.said.join('\n')).toContain('https://cloud.example/{preferred_username}/');
  expect(commands.said.at(-2)).toMatch(/^Enrolled alice\. The token is sealed/);
  expect(commands.complaints).toContain('Password of alice at the provider: ');
  expect([...commands.said, ...commands.complaints].join('\n')).not.toContain('sesame');
  const { stdin } = process;
  expect(vi.mocked(stdin.setRawMode).mock.calls).toEqual([[true], [false]]);
});

test('nothing is asked of the provider where the terms are not agreed to', async () => {
  typeIn('no\n');
  expect(await nightkeep('enroll', 'password', '--user', 'alice')).toBe(1);
  pipeIn(`${password}\n`);
  expect(await nightkeep('enroll', 'password', '--user', 'alice')).toBe(2);
  expect(await nightkeep('enroll', 'service', '--json')).toBe(2);
  expect(commands.complaints.join('')).toContain('Confirm with --yes');
  expect(await commands.database.user.count()).toBe(0);
});

test('Ctrl-C, an empty password and a missing name change nothing', async () => {
  typeIn('y\n', 'open\u0003');
  expect(await nightkeep('enroll', 'password', '--user', 'alice')).toBe(2);
  pipeIn('\n');
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes')).toBe(2);
  expect(await nightkeep('enroll', 'password', '--yes')).toBe(2);
  expect(await commands.database.user.count()).toBe(0);
});

test('a refusal says why and what mends it, with exit code 1', async () => {
  provider.admin.setClient(client.id, { directAccess: false });
  pipeIn(password);
  expect(await nightkeep('enroll', 'password', '--user', 'alice', '--yes')).toBe(1);
  expect(commands.complaints.join('')).toContain('Direct access grants');
  expect(await nightkeep('enroll', 'service', '--yes')).toBe(1);
  expect(commands.complaints.join('')).toContain('Service accounts roles');
});

test('another device is shown the code and a QR code that leads to it', async () => {
  provider.admin.setClient(client.id, { consentRequired: true });
  const shown = Promise.withResolvers<void>();
  const said: string[] = [];
  const running = runCommand(['enroll', 'device', '--yes'], {
    line: (text) => {
      said.push(text);
      if (text.startsWith('The code is valid until')) shown.resolve();
    },
  });
  await shown.promise;
  const told = said.join('\n');
  expect(told).toContain(`Open ${provider.issuer}/device on another device, type the code`);
  expect(told).toMatch(/█{10,}/);
  const [, code = ''] = /type the code {2}(\S+)/.exec(told) ?? [];
  await sayNo(code);
  expect(await running).toBe(1);
  expect(commands.complaints.join('')).toContain('said no');
});

async function sayNo(code: string): Promise<void> {
  await using browser = openBrowser();
  const page = await browser.submit(
    await browser.open(`${provider.issuer}/device`),
    { button: 'Go on' },
    { user_code: code },
  );
  await browser.submit(page, { button: 'No' });
}

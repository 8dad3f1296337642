import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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

describe('what is backed up', () => {
  const calendarsUrl = 'https://cloud.example/dav/';
  const mailUrl = 'imaps://{preferred_username}@imap.example';
  beforeEach(() => {
    vi.stubEnv('CALENDARS_URL', calendarsUrl);
    vi.stubEnv('MAIL_URL', mailUrl);
  });
  const enroll = async (...more: string[]) => {
    pipeIn(`${password}\n`);
    return nightkeep('enroll', 'password', '--user', 'alice', '--yes', ...more);
  };
  const json = async (...argv: string[]) => {
    expect(await nightkeep(...argv, '--json')).toBe(0);
    return JSON.parse(commands.said.join(''));
  };
  const namesInPlan = async () => {
    const { sources } = await commands.database.plan.findFirstOrThrow();
    return (sources as { name: string }[]).map(({ name }) => name);
  };

  test('is all that the settings name, unless other is said', async () => {
    expect(await enroll()).toBe(0);
    expect(commands.said.join('\n')).toContain(`your calendars at ${calendarsUrl}, and your mail at ${mailUrl}.`);
    expect(commands.said.join('\n')).not.toContain('What is left out');
    expect(await namesInPlan()).toEqual(['files', 'calendars', 'mail']);
  });

  test('is what --sources names: the terms say so, and the record does', async () => {
    expect(await enroll('--sources', 'mail, files')).toBe(0);
    const said = commands.said.join('\n');
    expect(said).toContain(`your mail at ${mailUrl}. They are only read`);
    expect(said).toMatch(/What is left out +Your calendars\. Nothing of that is read unless you agree to it later\./);
    expect(await namesInPlan()).toEqual(['files', 'mail']);
    const { terms } = await commands.database.consent.findFirstOrThrow();
    const { agreement, facts } = readRecord(terms);
    expect(agreement?.sentences.map(({ says }) => says).join()).toContain('Your calendars. Nothing of that');
    expect(facts).toMatchObject({ leftOut: ['calendars'] });
    expect(agreement && isReworded(agreement)).toBe(false);
    expect(await json('plans')).toMatchObject([{ user: 'alice', sources: ['files', 'mail'] }]);
    expect(await json('users')).toMatchObject([{ username: 'alice', sources: ['files', 'mail'] }]);
    expect(await nightkeep('plans')).toBe(0);
    expect(commands.said.join('\n')).toMatch(/BACKED UP[\s\S]*files, mail/);
  });

  test('is told with --json', async () => {
    expect(await enroll('--sources', 'mail', '--json')).toBe(0);
    expect(JSON.parse(commands.said.join(''))).toMatchObject({
      sources: ['mail'],
      terms: { facts: { mail: mailUrl } },
    });
  });

  test.each([
    ['files,music', '--sources names "music": it takes files, calendars, contacts, mail'],
    [',', '--sources names ""'],
    ['contacts', '--sources names contacts, and CONTACTS_URL is not set'],
  ])('is refused where it cannot be: %j', async (names, words) => {
    expect(await enroll('--sources', names)).toBe(2);
    expect(commands.complaints.join('')).toContain(words);
    expect(await commands.database.user.count()).toBe(0);
  });

  test('is chosen later by an operator, of what the person has agreed to, and stands in the audit', async () => {
    expect(await enroll('--sources', 'files,mail')).toBe(0);
    const choose = (names: string, ...more: string[]) =>
      nightkeep('plans', 'choose', '--user', 'alice', '--sources', names, ...more);
    expect(await choose('files', '--reason', 'no mailbox')).toBe(0);
    expect(commands.said).toEqual([
      'Backed up of alice: files. It counts from the next backup on. They read it on their pages.',
    ]);
    expect(await choose('files')).toBe(0);
    expect(commands.said).toEqual(['Backed up of alice: files. It was so already.']);
    expect(await namesInPlan()).toEqual(['files']);
    expect(await commands.database.audit.findMany({ where: { act: 'sources-chosen' } })).toMatchObject([
      { by: expect.stringMatching(/^command:/), about: 'files', reason: 'no mailbox' },
    ]);
    expect(await json('plans', 'choose', '--user', 'alice', '--sources', 'files,mail')).toEqual({
      user: 'alice',
      sources: ['files', 'mail'],
      changed: true,
    });
    expect(await choose('files,calendars')).toBe(1);
    expect(commands.complaints.join('')).toContain('alice has agreed to files, mail and to nothing else.');
    expect(await namesInPlan()).toEqual(['files', 'mail']);
    expect(await nightkeep('plans', 'choose', '--user', 'alice')).toBe(2);
    expect(await nightkeep('plans', 'choose', '--sources', 'files')).toBe(2);
    expect(await nightkeep('withdraw', '--user', 'alice', '--yes')).toBe(0);
    expect(await choose('files')).toBe(1);
    expect(commands.complaints.join('')).toContain('alice has no consent to choose from.');
  });

  test('is not chosen for somebody whose rows were altered', async () => {
    expect(await enroll()).toBe(0);
    await commands.database.plan.updateMany({ data: { seal: null } });
    expect(await nightkeep('plans', 'choose', '--user', 'alice', '--sources', 'files')).toBe(1);
    expect(await namesInPlan()).toEqual(['files', 'calendars', 'mail']);
  });
});

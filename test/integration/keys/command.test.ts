import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runCommand } from '../../../src/cli/run-command.ts';
import { openDatabase } from '../../../src/database/client.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { seal } from '../../../src/vault/seal.ts';
import { addRepository, enterWith } from '../../support/harness/keys.ts';
import { keyLine } from '../../support/harness/settings.ts';
import { openTestDatabase } from '../../support/servers/postgres.ts';

let opened: AsyncDisposableStack;
let folder: string;
let said: string[];
let complaints: string[];
const [one, two] = [keyLine('one'), keyLine('two')];

/** Nightkeep with one repository that is sealed under the key one, while the keyring has two in front. */
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  folder = opened.adopt(await mkdtemp(join(tmpdir(), 'nightkeep-keys-')), (made) => rm(made, { recursive: true }));
  const database = opened.adopt(await openDatabase(test.url), (open) => open.$disconnect());
  const user = { id: randomUUID(), issuer: 'https://id.example', subject: 'alice', createdAt: new Date() };
  await database.user.create({ data: user });
  await addRepository({ database, keyring: await enterWith({ database }, one) }, user.id);
  const settings = {
    DATABASE_URL: test.url,
    DATA_DIR: folder,
    KEYRING: `${two}\n${one}`,
    OIDC_ISSUER: user.issuer,
    OIDC_CLIENT_ID: 'nightkeep',
    OIDC_CLIENT_SECRET: 'secret',
    FILES_URL: 'https://cloud.example/',
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  complaints = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => complaints.push(String(line)) > 0);
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

test('a key is rolled: listed, rotated away with progress, retired, and then missed by nobody', async () => {
  expect(await nightkeep('keys')).toBe(0);
  expect(said).toEqual([
    expect.stringMatching(/^two +seals +in front since \d{4}-\d\d-\d\d +nothing is sealed under it$/),
    expect.stringMatching(/^one +opens +in front since .* repository passwords: 1, recovery keys: 1$/),
  ]);
  expect(await nightkeep('keys', 'retire', 'one')).toBe(1);
  expect(complaints.join('')).toContain('it still seals repository passwords: 1, recovery keys: 1');
  expect(await nightkeep('keys', 'rotate', '--json')).toBe(0);
  expect(JSON.parse(said.join(''))).toEqual({ key: 'two', resealed: 2, broken: 0 });
  expect(await nightkeep('keys', 'rotate')).toBe(0);
  expect(said).toEqual(['Sealed 0 values under two.']);
  expect(await nightkeep('keys', 'retire', 'one')).toBe(0);
  vi.stubEnv('KEYRING', two);
  expect(await nightkeep('keys', '--json')).toBe(0);
  expect(JSON.parse(said.join(''))).toMatchObject([
    { id: 'two', state: 'sealing', sealed: { 'repository passwords': 1, 'recovery keys': 1 } },
  ]);
});

test('a sealed file in the spool keeps its key in the ring', async () => {
  expect(await nightkeep('keys', 'rotate')).toBe(0);
  expect(said).toEqual(['Sealed 2 values under two.']);
  expect(complaints).toEqual(['1 of 2 sealed under two\n', '2 of 2 sealed under two\n']);
  await mkdir(join(folder, 'spool'));
  const { sealed } = seal(parseKeyring(one), { purpose: 'spooled answer', owner: 'x' }, 'an answer');
  await writeFile(join(folder, 'spool', `${randomUUID()}.sealed`), sealed);
  expect(await nightkeep('keys', 'retire', 'one')).toBe(1);
  expect(complaints.join('')).toContain('it still seals spooled answers: 1. Run: nightkeep heal');
});

test('a start without a key that is needed is refused with the cure', async () => {
  vi.stubEnv('KEYRING', two);
  expect(await nightkeep('keys')).toBe(2);
  expect(complaints.join('')).toContain('key one is missing or another one. Put the right KEYRING back.');
});

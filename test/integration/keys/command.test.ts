import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { raiseMark } from '../../../src/flows/keys/marks.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { seal } from '../../../src/vault/seal.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { addUnseenRepository, enterWith } from '../../support/harness/keys.ts';
import { sealRows } from '../../support/harness/row-seals.ts';
import { keyLine } from '../../support/harness/settings.ts';

let commands: CommandFixture;
const [one, two] = [keyLine('one'), keyLine('two')];

/** Nightkeep with one repository that is sealed under the key one, while the keyring has two in front. */
beforeEach(async () => {
  const issuer = 'https://id.example';
  commands = await openCommandFixture({ issuer, keyring: `${two}\n${one}` });
  const { database } = commands;
  const user = { id: randomUUID(), issuer, subject: 'alice', createdAt: new Date() };
  await database.user.create({ data: user });
  await addUnseenRepository({ database, keyring: await enterWith({ database }, one) }, user.id);
});
afterEach(() => commands[Symbol.asyncDispose]());

const nightkeep = (...argv: string[]) => commands.nightkeep(...argv);

test('a key is rolled: listed, rotated away with progress, retired, and then missed by nobody', async () => {
  expect(await nightkeep('keys')).toBe(0);
  expect(commands.said).toEqual([
    expect.stringMatching(/^KEY +STATE +IN FRONT SINCE +SEALS$/),
    expect.stringMatching(/^two +seals +\d{4}-\d\d-\d\d +nothing$/),
    expect.stringMatching(/^one +opens +\d{4}-\d\d-\d\d +repository passwords: 1, recovery keys: 1, people: 1$/),
  ]);
  expect(await nightkeep('keys', 'retire', 'one')).toBe(1);
  expect(commands.complaints.join('')).toContain('it still seals repository passwords: 1, recovery keys: 1, people: 1');
  expect(await nightkeep('keys', 'rotate', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toEqual({ key: 'two', resealed: 3, broken: 0, cards: 0, cardsFailed: 0 });
  expect(await nightkeep('keys', 'rotate')).toBe(0);
  expect(commands.said).toEqual(['Sealed 0 values and 0 cards under two.']);
  expect(await nightkeep('keys', 'retire', 'one')).toBe(0);
  vi.stubEnv('KEYRING', two);
  expect(await nightkeep('keys', '--json')).toBe(0);
  expect(JSON.parse(commands.said.join(''))).toMatchObject([
    { id: 'two', state: 'sealing', sealed: { 'repository passwords': 1, 'recovery keys': 1, people: 1 } },
  ]);
});

test('a sealed file in the spool keeps its key in the ring', async () => {
  expect(await nightkeep('keys', 'rotate')).toBe(0);
  expect(commands.said).toEqual(['Sealed 3 values and 0 cards under two.']);
  expect(commands.complaints).toEqual([1, 2, 3].map((done) => `${done} of 3 sealed under two\n`));
  await mkdir(join(commands.folder, 'spool'));
  const { sealed } = seal(parseKeyring(one), { purpose: 'spooled answer', owner: 'x' }, 'an answer');
  await writeFile(join(commands.folder, 'spool', `${randomUUID()}.sealed`), sealed);
  expect(await nightkeep('keys', 'retire', 'one')).toBe(1);
  expect(commands.complaints.join('')).toContain('it still seals spooled answers: 1. Run: nightkeep heal');
});

test('a start without a key that is needed is refused with the cure', async () => {
  vi.stubEnv('KEYRING', two);
  expect(await nightkeep('keys')).toBe(2);
  expect(commands.complaints.join('')).toContain('key one is missing or has changed. Put the right KEYRING back.');
});

test('rows that somebody changed are listed by keys confirm, and sealed as they are for one person, on record', async () => {
  const { database } = commands;
  const { id } = await database.user.findFirstOrThrow();
  expect(await nightkeep('keys', 'confirm')).toBe(0);
  expect(commands.said).toEqual(['Every row is as Nightkeep left it.']);
  await database.$executeRaw`UPDATE users SET subject = 'bob' WHERE id = ${id}::uuid`;
  expect(await nightkeep('keys', 'confirm')).toBe(1);
  expect(commands.said).toEqual([expect.stringMatching(new RegExp(`^people of ${id}: \\{.*"subject":"bob"`))]);
  expect(await nightkeep('keys', 'confirm', '--user', 'alice')).toBe(2);
  expect(await nightkeep('keys', 'confirm', '--user', '00000000-0000-4000-8000-000000000000')).toBe(1);
  expect(commands.complaints.at(-1)).toMatch(/Nobody here has the id 0{8}/);
  expect(await nightkeep('keys', 'confirm', '--user', id)).toBe(0);
  expect(commands.said).toEqual([expect.stringMatching(/^people of .*"subject":"bob".*: confirmed$/)]);
  expect(
    await database.audit.findMany({ where: { act: 'rows-confirmed' }, select: { userId: true, by: true } }),
  ).toEqual([{ userId: id, by: expect.stringMatching(/^command:/) }]);
  expect(await nightkeep('keys', 'confirm')).toBe(0);
  await database.$executeRaw`UPDATE repositories SET location = 'elsewhere' WHERE user_id = ${id}::uuid`;
  expect(await nightkeep('keys', 'confirm', '--json')).toBe(1);
  expect(JSON.parse(commands.said.join(''))).toMatchObject([{ kind: 'repository passwords', userId: id }]);
  expect(await nightkeep('keys', 'confirm', '--user', id)).toBe(1);
  expect(commands.said).toEqual([expect.stringContaining('not confirmed: its password is sealed for another owner')]);
});

test('older rows that were put back are listed by keys confirm, and accepted for everybody with --all', async () => {
  const { database } = commands;
  const { id, seal } = await database.user.findFirstOrThrow();
  await using resources = await openFromEnvironment();
  await raiseMark(resources, id, { rows: { people: 7 }, first: true });
  expect(await nightkeep('keys', 'confirm')).toBe(1);
  expect(commands.said).toEqual([`older rows of ${id}: people`]);
  expect(await nightkeep('keys', 'confirm', '--all', '--user', id)).toBe(2);
  expect(await nightkeep('keys', 'confirm', '--all')).toBe(0);
  expect(commands.said).toEqual([`older rows of ${id}: people: confirmed`]);
  expect(await nightkeep('keys', 'confirm')).toBe(0);
  expect((await database.user.findFirstOrThrow()).seal).toEqual(seal);
});

test('keys confirm goes on after a mark that cannot be read, says whose it is, and fails at its end', async () => {
  const { database } = commands;
  const { id, issuer, username, createdAt } = await database.user.findFirstOrThrow();
  await using resources = await openFromEnvironment();
  const people = ['00000000-0000-4000-8000-000000000001', id, 'ffffffff-ffff-4fff-8fff-ffffffffffff'];
  for (const person of people) {
    if (person !== id)
      await database.user.create({ data: { id: person, issuer, subject: person, username, createdAt } });
    await raiseMark(resources, person, { rows: { people: 7 }, first: true });
  }
  await sealRows(resources);
  const marks = join(commands.folder, 'store', `nightkeep-mark-${people[0]}`, 'marks');
  const [mark = ''] = await readdir(marks);
  const damages = [
    async () => writeFile(join(marks, mark), 'nothing of ours'),
    async () => {
      await rm(join(marks, mark));
      await mkdir(join(marks, mark));
    },
  ];
  for (const damage of damages) {
    await damage();
    await using fresh = await openFromEnvironment();
    for (const person of people.slice(1)) await raiseMark(fresh, person, { rows: { people: 9 } });
    for (const options of [['--all'], []]) {
      expect(await nightkeep('keys', 'confirm', ...options)).toBe(1);
      expect(commands.said).toEqual([
        expect.stringContaining(`mark of ${people[0]}: `),
        ...(options.length > 0 ? people.slice(1).map((person) => `older rows of ${person}: people: confirmed`) : []),
      ]);
    }
  }
});

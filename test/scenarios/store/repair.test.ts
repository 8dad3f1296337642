import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { revealRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { pathOf } from '../../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { cheapScryptCosts, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';
import { sealRows } from '../../support/harness/row-seals.ts';

let opened: AsyncDisposableStack;
let commands: CommandFixture;
let place: TemporaryFolder;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  place = opened.use(await temporaryFolder('repair'));
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
  vi.stubEnv('STORE_URL', `file:${place.path}`);
});
afterEach(() => opened.disposeAsync());

/** A person with two snapshots; the folder of their repository, and the pack of data of the first. */
async function addPerson(username: string) {
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  await commands.database.user.update({ where: { id: userId }, data: { username } });
  await using resources = await openFromEnvironment();
  await sealRows(resources);
  const { repository } = await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
  const { packs, id } = await writeSnapshot(repository, { 'secret.txt': Buffer.from('old'), sub: {} });
  await writeSnapshot(repository, { 'secret.txt': Buffer.from('new') });
  return { folder: repository.backend.location, pack: packs[0]?.id ?? '', snapshot: id };
}

const json = async (code: number, ...argv: string[]) => {
  expect(await commands.nightkeep(...argv, '--json')).toBe(code);
  return JSON.parse(commands.said.join(''));
};

test('mends one person or all, says what is lost without names of files, and puts it on record', async () => {
  const alice = await addPerson('alice');
  await addPerson('bob');
  await rm(join(alice.folder, pathOf('data', alice.pack)));
  expect(await json(1, 'check', '--all')).toMatchObject([{ findings: [{ kind: 'pack-missing' }] }, { findings: [] }]);
  expect(await commands.nightkeep('check', '--user', 'alice')).toBe(1);
  expect(commands.said.at(-1)).toMatch(/ is missing\. It affects 1 file or folder in 1 snapshot\.$/);
  const foretold = await json(3, 'repair', '--user', 'alice', '--dry-run');
  expect(foretold).toMatchObject([{ dryRun: true, packsMissing: [alice.pack], blobsLost: 1 }]);
  expect(await commands.nightkeep('repair', '--all')).toBe(3);
  expect(commands.said.join('\n')).toBe(
    [
      'alice: 1 pack is gone, 1 blob lost',
      `  1 file of 1 snapshot cannot be restored; what the server still has of that is read again by the next backup, where one comes. Until then stock restic restores nothing of this snapshot; nightkeep repair snapshots makes it anew without what is lost. Snapshots: ${alice.snapshot.slice(0, 8)}`,
      'bob: nothing to repair',
    ].join('\n'),
  );
  expect(await json(3, 'repair', '--user', 'alice')).toMatchObject([
    { packsMissing: [], filesLost: 1, incompleteSnapshots: [alice.snapshot] },
  ]);
  expect(commands.said.join('')).not.toContain('secret');
  expect(await commands.database.audit.count({ where: { act: 'repository-repaired' } })).toBe(1);
});

test('a check names snapshots of nights that are gone, and says of them no names of files', async () => {
  const { folder, snapshot } = await addPerson('alice');
  const plan = await commands.database.plan.findFirstOrThrow();
  const at = new Date('2026-05-04T02:00:00Z');
  const run = {
    planId: plan.id,
    night: '2026-05-04',
    trigger: 'schedule',
    state: 'succeeded',
    snapshotId: snapshot,
  } as const;
  const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: at };
  await commands.database.run.create({ data: { id: randomUUID(), ...run, ...times } });
  expect(await json(0, 'check', '--all')).toMatchObject([{ findings: [] }]);
  await rm(join(folder, pathOf('snapshot', snapshot)));
  expect(await json(1, 'check', '--all')).toMatchObject([
    { findings: [{ kind: 'snapshot-missing', message: expect.stringContaining(`snapshots/${snapshot} is gone`) }] },
  ]);
  await commands.database.run.updateMany({ data: { snapshotForgottenAt: at } });
  expect(await json(0, 'check', '--all')).toMatchObject([{ findings: [] }]);
});

test('makes snapshots anew without what is lost, beside the originals or in their place, so that nothing is damaged any more', async () => {
  const { folder, snapshot, pack } = await addPerson('alice');
  const { id: planId } = await commands.database.plan.findFirstOrThrow();
  const at = new Date('2026-05-04T02:00:00Z');
  const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: at };
  const run = { id: randomUUID(), planId, night: '2026-05-04', trigger: 'schedule', snapshotId: snapshot } as const;
  await commands.database.run.create({ data: { ...run, ...times, state: 'succeeded' } });
  await rm(join(folder, pathOf('data', pack)));
  expect(await json(3, 'repair', '--all')).toMatchObject([{ incompleteSnapshots: [snapshot] }]);
  const lost = { id: snapshot, filesLost: 1, foldersLost: 0, isLost: false };
  expect(await json(0, 'repair', 'snapshots', '--all', '--dry-run')).toMatchObject([
    { snapshots: [{ ...lost, repaired: null }] },
  ]);
  const [{ snapshots }] = await json(0, 'repair', 'snapshots', '--user', 'alice');
  expect(snapshots).toMatchObject([{ ...lost, repaired: expect.any(String) }]);
  expect(await json(1, 'check', '--all')).toMatchObject([{ snapshots: 3 }]);
  expect(await commands.nightkeep('repair', 'snapshots', '--user', 'alice', '--forget')).toBe(0);
  expect(commands.said.join('\n')).toBe(
    [
      'alice: 1 snapshot was incomplete, and is removed.',
      `  ${snapshot.slice(0, 8)}: 1 file and 0 folders are lost; without them it is ${snapshots[0].repaired.slice(0, 8)}`,
    ].join('\n'),
  );
  expect(await json(0, 'check', '--all', '--read-data')).toMatchObject([{ snapshots: 2, findings: [] }]);
  expect(await commands.database.run.findFirst()).toMatchObject({ snapshotId: snapshots[0].repaired });
  expect(await commands.database.audit.count({ where: { act: 'repository-repaired' } })).toBe(3);
  expect(await json(0, 'repair', 'snapshots', '--all', '--forget')).toMatchObject([{ snapshots: [] }]);
});

describe('key files', () => {
  const recoveryKeyOf = async () => {
    await using resources = await openFromEnvironment();
    const { userId } = await commands.database.repository.findFirstOrThrow();
    return (await revealRecoveryKey(resources, userId)).recoveryKey;
  };
  const recoveryFile = async () => (await commands.database.repository.findFirstOrThrow()).recoveryKeyFile ?? '';
  const damage = {
    removed: (path: string) => rm(path),
    damaged: async (path: string) => {
      const bytes = await readFile(path);
      await rm(path);
      await writeFile(path, bytes.toString().replace('"data":"', '"data":"AAAA'));
    },
  };

  test.each(Object.entries(damage))(
    'of the recovery key that was %s is named by a check, and made anew',
    async (_, damaged) => {
      const { folder } = await addPerson('alice');
      const key = await recoveryKeyOf();
      expect(await json(0, 'repair', 'keys', '--user', 'alice')).toMatchObject({ service: 'whole', recovery: 'whole' });
      await damaged(join(folder, 'keys', await recoveryFile()));
      const named = expect.stringContaining(`The key file ${await recoveryFile()} is`);
      expect(await json(1, 'check', '--all')).toMatchObject([{ findings: [{ message: named }] }]);
      await commands.database.repository.updateMany({ data: { sealedRecoveryKey: null } });
      expect(await commands.nightkeep('repair', 'keys', '--user', 'alice')).toBe(1);
      expect(commands.complaints.join('')).toContain('make a new one on their page');
      const file = join(place.path, 'key');
      await writeFile(file, 'abcde-fghjk');
      expect(await commands.nightkeep('repair', 'keys', '--user', 'alice', '--recovery-key-file', file)).toBe(1);
      expect(commands.complaints.join('')).toContain('six groups of five');
      await writeFile(file, `${key}\n`);
      expect(await json(0, 'repair', 'keys', '--user', 'alice', '--recovery-key-file', file)).toMatchObject({
        service: 'whole',
        recovery: 'anew',
      });
      expect(await json(0, 'check', '--all')).toMatchObject([{ findings: [] }]);
      const { keyId } = await openRepository(openLocalBackend(folder), key);
      expect(keyId).toBe(await recoveryFile());
      expect(await commands.database.audit.count({ where: { act: 'key-files-mended' } })).toBe(1);
    },
  );

  test.each(Object.entries(damage))(
    'of Nightkeep that was %s is said to be, and made anew by the recovery key',
    async (_, damaged) => {
      const { folder } = await addPerson('alice');
      const key = await recoveryKeyOf();
      const [own = ''] = (await readdir(join(folder, 'keys'))).filter((name) => name !== '');
      const other = await recoveryFile();
      const ours = own === other ? ((await readdir(join(folder, 'keys')))[1] ?? '') : own;
      await damaged(join(folder, 'keys', ours));
      expect(await commands.nightkeep('check', '--user', 'alice')).toBe(1);
      expect(commands.complaints.join('')).toContain('nightkeep repair keys');
      await commands.database.repository.updateMany({ data: { sealedRecoveryKey: null } });
      const file = join(place.path, 'key');
      await writeFile(file, 'aaaaa-bbbbb-ccccc-ddddd-eeeee-fffff');
      const withKey = ['repair', 'keys', '--user', 'alice', '--recovery-key-file', file];
      expect(await commands.nightkeep('repair', 'keys', '--user', 'alice')).toBe(1);
      expect(commands.complaints.join('')).toContain('Its person has the recovery key');
      expect(await commands.nightkeep(...withKey)).toBe(1);
      expect(commands.complaints.join('')).toContain('opens with this password');
      await writeFile(file, key);
      expect(await json(0, ...withKey)).toMatchObject({ service: 'anew', recovery: 'whole' });
      expect(await json(0, 'check', '--all')).toMatchObject([{ findings: [] }]);
      expect((await readdir(join(folder, 'keys'))).includes(ours)).toBe(false);
    },
  );
});

const wounds: [string, (path: string) => Promise<unknown>][] = [
  ['cut', async (path) => replaced(path, (await readFile(path)).subarray(9))],
  ['empty', async (path) => replaced(path, Buffer.of())],
  ['longer than any', async (path) => replaced(path, Buffer.alloc(16 * 1024 * 1024 + 1))],
  ['a copy under another name', async (path) => copyFile(path, join(dirname(path), 'ab'.repeat(32)))],
  ['an empty folder', async (path) => replaced(path, undefined)],
  [
    'a link that leads nowhere',
    async (path) => {
      await rm(path);
      await symlink('nowhere', path);
    },
  ],
];
async function replaced(path: string, bytes: Buffer | undefined): Promise<void> {
  await rm(path);
  if (bytes === undefined) await mkdir(path);
  else await writeFile(path, bytes);
}

test.each(wounds)(
  'a snapshot that is %s is named, and goes by the cure that is named, so that snapshots and data can go again',
  async (how, hurt) => {
    const { folder, snapshot } = await addPerson('alice');
    const hurtId = how.startsWith('a copy') ? 'ab'.repeat(32) : snapshot;
    await hurt(join(folder, pathOf('snapshot', snapshot)));
    const named = expect.stringMatching(new RegExp(`${hurtId} .*nightkeep repair snapshots --forget removes it`));
    expect(await json(1, 'check', '--all')).toMatchObject([{ findings: [{ message: named }] }]);
    expect(await commands.nightkeep('prune', '--user', 'alice')).toBe(1);
    expect(commands.complaints.at(-1)).toEqual(named);
    const lost = { snapshots: [{ id: hurtId, isLost: true, repaired: null }] };
    for (const looking of [['--dry-run'], []])
      expect(await json(0, 'repair', 'snapshots', '--user', 'alice', ...looking)).toMatchObject([lost]);
    expect(await json(0, 'repair', 'snapshots', '--user', 'alice', '--forget')).toMatchObject([lost]);
    expect(await json(0, 'check', '--all', '--read-data')).toMatchObject([
      { findings: [], snapshots: hurtId === snapshot ? 1 : 2 },
    ]);
    expect(await commands.nightkeep('prune', '--user', 'alice')).toBe(0);
  },
);

describe('key files that are in the way', () => {
  const ownFile = async (folder: string) => {
    await using resources = await openFromEnvironment();
    const { userId } = await commands.database.repository.findFirstOrThrow();
    const { repository } = await openPersonRepository(resources, userId);
    return join(folder, 'keys', repository.keyId);
  };
  const stray = 'ab'.repeat(32);

  test.each([
    ['Nightkeep’s own, renamed', (own: string, other: string) => rename(own, other), 'anew'],
    ['a copy of Nightkeep’s own', (own: string, other: string) => copyFile(own, other), 'whole'],
    [
      'one that was cut',
      async (own: string, other: string) => writeFile(other, (await readFile(own)).subarray(9)),
      'whole',
    ],
    ['one that is empty', (_: string, other: string) => writeFile(other, ''), 'whole'],
    ['an empty folder', (_: string, other: string) => mkdir(other), 'whole'],
    ['a link that leads nowhere', (_: string, other: string) => symlink('nowhere', other), 'whole'],
  ])('%s: the cure that a check names removes it', async (_, hurt, service) => {
    const { folder } = await addPerson('alice');
    const own = await ownFile(folder);
    await hurt(own, join(dirname(own), stray));
    expect(await json(1, 'check', '--all')).toMatchObject([
      {
        findings: [
          {
            message: expect.stringMatching(
              new RegExp(`The key file ${stray} (is not what|cannot be).*nightkeep repair keys`),
            ),
          },
        ],
      },
    ]);
    expect(await json(0, 'repair', 'keys', '--user', 'alice')).toMatchObject({
      service,
      recovery: 'whole',
      removed: 1,
    });
    expect(await json(0, 'check', '--all')).toMatchObject([{ findings: [] }]);
    expect(await json(0, 'repair', 'keys', '--user', 'alice')).toMatchObject({ service: 'whole', removed: 0 });
    expect(await commands.database.audit.count({ where: { act: 'key-files-mended' } })).toBe(1);
  });

  test('a folder that is not empty keeps no other key from opening and being written again, and is named', async () => {
    const { folder } = await addPerson('alice');
    const own = await ownFile(folder);
    await rm(own);
    await mkdir(join(own, 'of somebody'), { recursive: true });
    expect(await json(0, 'repair', 'keys', '--user', 'alice')).toMatchObject({ service: 'anew', removed: 0 });
    const named = expect.stringContaining(`The key file ${basename(own)} cannot be read`);
    expect(await json(1, 'check', '--all')).toMatchObject([{ findings: [{ message: named }] }]);
    await rm(own, { recursive: true });
    expect(await json(0, 'check', '--all')).toMatchObject([{ findings: [] }]);
  });
});

test('finds damage inside of packs with --read-data, and copies them first where it is told to', async () => {
  const { folder, pack } = await addPerson('alice');
  const backend = openLocalBackend(folder);
  const bytes = await backend.load('data', pack);
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  await backend.remove('data', pack);
  await backend.save('data', pack, bytes);
  expect(await json(0, 'repair', '--all')).toMatchObject([{ packsReplaced: [] }]);
  const kept = join(place.path, 'kept');
  expect(await json(3, 'repair', '--all', '--read-data', '--keep', kept)).toMatchObject([
    { packsReplaced: [pack], blobsSaved: 0, blobsLost: 1 },
  ]);
  expect(await readdir(kept)).toEqual([pack]);
  expect(await json(1, 'check', '--all', '--read-data')).toMatchObject([{ findings: [{ kind: 'blob-missing' }] }]);
});

test('refuses where the disk seems not to be mounted', async () => {
  const { folder } = await addPerson('alice');
  await rm(join(folder, 'data'), { recursive: true });
  expect(await commands.nightkeep('repair', '--all')).toBe(1);
  expect(commands.complaints.join('')).toMatch(/Mount the disk/);
  expect(await json(3, 'repair', '--all', '--packs-are-gone')).toMatchObject([{ filesLost: 2 }]);
});

import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { findRepository } from '../../../src/database/repositories/repositories.ts';
import { findVerification, hastenVerification } from '../../../src/database/repositories/verifications.ts';
import { numbersIn } from '../../../src/domain/run-counts.ts';
import { dayMs } from '../../../src/durations.ts';
import { reissueRecoveryKey } from '../../../src/flows/keys/recovery-key.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { verifyDue } from '../../../src/flows/verification/verify-due.ts';
import type { BlobType } from '../../../src/store/format/ids.ts';
import { openPassword } from '../../../src/vault/row-seals.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { untilNoon } from '../../support/fixtures/noon.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { file, folder, type HostileNode } from '../../support/servers/hostile-webdav.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const t = texts.protection.nights;
let fixture: ConsentFixture;
let guest: Guest;
let planId: string;
let userId: string;
beforeEach(async () => {
  fixture = await openConsentFixture();
  fixture.custody.pass(untilNoon(fixture.resources.clock.now()));
  guest = await signInAs(fixture, alice);
  await guest.consent();
  const { database, clock } = fixture.resources;
  const plan = await database.plan.findFirstOrThrow();
  [planId, userId] = [plan.id, plan.userId];
  const nextDueAt = new Date(clock.now().getTime() + 300 * dayMs);
  await database.plan.updateMany({ data: { nextDueAt } });
  await database.run.deleteMany();
});
afterEach(() => fixture[Symbol.asyncDispose]());

type Files = Readonly<Record<string, string>>;
const text = (length = 4_000) => randomBytes(length).toString('base64');
const some = (count: number, name: string): Files =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}-${n}.txt`, text()]));

/** The day after: what is there is backed up, as a worker does it. */
async function night(files: Files) {
  fixture.custody.pass(dayMs);
  const nodes: Record<string, HostileNode> = {};
  for (const [name, content] of Object.entries(files)) nodes[name] = file(content);
  fixture.files.root.children = folder({ 'top.txt': file('top'), sub: folder(nodes) }).children ?? new Map();
  const run = await fixture.backUp(planId);
  expect(run.state).toBe('succeeded');
  const { clock, database } = fixture.resources;
  await hastenVerification(database, { userId, at: clock.now() });
  return { id: run.snapshotId ?? '', files, counts: run.counts };
}

/** An hour later, out of turn. */
const verify = async () => {
  const { signal } = new AbortController();
  fixture.custody.pass(3_600_000);
  const nextAt = fixture.resources.clock.now();
  await fixture.resources.database.verification.updateMany({ data: { nextAt } });
  await verifyDue({ ...fixture.resources, config: { ...fixture.resources.config, verifyDays: 1 } }, { signal });
  guest = await signInAs(fixture, alice);
  return findVerification(fixture.resources.database, userId);
};

const home = async () => /<h1>(.*?)<\/h1>/.exec(await guest.text('/'))?.[1];
const shows = async (address: string, words: string) => (await guest.text(address)).includes(words);

/** Packs of one kind, the largest first. */
async function packsOf(type: BlobType): Promise<string[]> {
  const { repository } = await openPersonRepository(fixture.resources, userId);
  await repository.loadIndex();
  const packs = [...repository.index.packs()].filter(({ blobs }) => blobs[0]?.type === type);
  return packs.toSorted((a, b) => b.blobs.length - a.blobs.length).map(({ id }) => id);
}

async function repositoryFolder(): Promise<string> {
  const { location } = await openPersonRepository(fixture.resources, userId);
  return location;
}
const pathOf = async (id: string) => join(await repositoryFolder(), 'data', id.slice(0, 2), id);

async function replace(id: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const path = await pathOf(id);
  const bytes = await readFile(path);
  await rm(path, { force: true });
  await writeFile(path, change(bytes));
}

const damages: [string, (ids: string[]) => Promise<void>][] = [
  ['deleted', async ([id = '']) => rm(await pathOf(id), { force: true })],
  [
    'flipped',
    ([id = '']) =>
      replace(id, (bytes) => {
        bytes[Math.floor(bytes.length / 3)] = (bytes[Math.floor(bytes.length / 3)] ?? 0) ^ 4;
        return bytes;
      }),
  ],
  ['cut', ([id = '']) => replace(id, (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2)))],
];

/** Stock restic finds nothing wrong, and restores each of these snapshots as its files were. */
async function judgedByRestic(nights: readonly { id: string; files: Files }[]): Promise<void> {
  const { database, keyring } = fixture.resources;
  const row = await findRepository(database, userId);
  if (row === null) throw new Error('There is no repository.');
  const password = openPassword(keyring, row);
  const stock = { repository: await repositoryFolder(), password };
  expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
  for (const { id, files } of nights) {
    await using target = await temporaryFolder('restored');
    await restic(stock, 'restore', id, '--target', target.path);
    for (const [name, content] of Object.entries(files))
      expect(await readFile(join(target.path, 'files', 'sub', name), 'utf8')).toBe(content);
  }
}

describe.skipIf(resticProgram === undefined)('in the middle of three nights', () => {
  test.each(
    (['data', 'tree'] as const).flatMap((type) => damages.map(([how, damage]) => [type, how, damage] as const)),
  )(
    'a pack of %s is %s: it is found and named, home says so, the next night heals it, and all nights are whole',
    async (type, _, damage) => {
      const files = some(8, 'letter');
      const first = await night(files);
      const more = type === 'data' ? { ...files, ...some(3, 'new') } : files;
      const second = await night(more);
      const before = await verify();
      expect(before).toMatchObject({ verifiedAt: before?.checkedAt, damageState: null });
      expect(await home()).toBe(texts.home.protected);
      await damage(await packsOf(type));
      const found = await verify();
      expect(found).toMatchObject({ damageState: 'healing', verifiedAt: before?.verifiedAt });
      expect(await home()).toBe(texts.home.partly);
      expect(await shows('/', t.damaged.happened)).toBe(true);
      for (const { path } of found?.damage?.files ?? [])
        expect(await shows('/verification', basename(path))).toBe(true);
      expect(found?.damage?.files).not.toEqual([]);
      const third = await night(more);
      const healed = await verify();
      expect(healed).toMatchObject({ damageState: null, damage: null, clearedAt: healed?.checkedAt });
      expect(healed?.verifiedAt).toEqual(healed?.checkedAt);
      expect(await home()).toBe(texts.home.protected);
      await judgedByRestic([first, second, third]);
    },
  );

  test('a pack is damaged that no verification was to read yet: the night finds it, and the next verification and night heal it', async () => {
    const files = some(8, 'letter');
    const first = await night(files);
    const clean = await night(files);
    expect(clean.counts).toMatchObject({ entriesChecked: 9, entriesRestored: 9 });
    await verify();
    expect(await shows('/verification', texts.verification.compared)).toBe(true);
    const [pack = ''] = await packsOf('data');
    await replace(pack, (bytes) => bytes.fill(0, 0, 2_000));
    const { clock, database } = fixture.resources;
    await database.verification.updateMany({ data: { nextAt: new Date(clock.now().getTime() + 30 * dayMs) } });
    const { counts } = await night(files);
    expect(counts).toMatchObject({ entriesChecked: 9 });
    expect(numbersIn(counts).entriesRestored ?? 0).toBeLessThan(9);
    const doubted = await findVerification(database, userId);
    expect(doubted?.damagedPacks).toEqual([pack]);
    expect(doubted?.nextAt.getTime()).toBeLessThanOrEqual(clock.now().getTime());
    await verifyDue(fixture.resources, { signal: new AbortController().signal });
    expect(await findVerification(database, userId)).toMatchObject({ damageState: 'healing' });
    const third = await night(files);
    expect(await verify()).toMatchObject({ damageState: null });
    await judgedByRestic([first, third]);
  });

  test('two packs are swapped: their headers say what they hold, and nothing is lost', async () => {
    const files = some(8, 'letter');
    const first = await night(files);
    const [[data = ''], [tree = '']] = [await packsOf('data'), await packsOf('tree')];
    const [one, two] = [await readFile(await pathOf(data)), await readFile(await pathOf(tree))];
    await replace(data, () => two);
    await replace(tree, () => one);
    const mended = await verify();
    expect(mended).toMatchObject({ damageState: null, damagedPacks: [], verifiedAt: mended?.checkedAt });
    const { database } = fixture.resources;
    expect(await database.audit.findFirst({ where: { act: 'repository-repaired' } })).toMatchObject({ by: 'schedule' });
    await judgedByRestic([first]);
  });

  test('a pack has another name: its header says what it holds, and stock restic finds it whole under its own', async () => {
    const files = some(8, 'letter');
    const first = await night(files);
    const [pack = ''] = await packsOf('data');
    const bytes = await readFile(await pathOf(pack));
    await rm(await pathOf(pack));
    const other = `${pack.slice(0, 2)}${'ab'.repeat(31)}`;
    await writeFile(await pathOf(other), bytes);
    expect(await verify()).toMatchObject({ damageState: null, damagedPacks: [] });
    await judgedByRestic([first]);
  });

  test('what the source does not have any more is said to be lost, file by file and night by night, until somebody has looked', async () => {
    const old = { 'diary.txt': text(60_000), ...some(4, 'letter') };
    const first = await night(old);
    const packs = await packsOf('data');
    const now = { ...old, 'diary.txt': text(60_000) };
    await night(now);
    await verify();
    for (const pack of packs) await rm(await pathOf(pack));
    const found = await verify();
    expect(found?.damageState).toBe('healing');
    expect(found?.damage?.files.map(({ path }) => path)).toContain('/files/sub/letter-0.txt');
    await night(now);
    const lost = await verify();
    expect(lost).toMatchObject({
      damageState: 'lost',
      damage: { files: [{ path: '/files/sub/diary.txt', snapshots: [first.id] }] },
    });
    expect(await shows('/', t.lost.happened)).toBe(true);
    expect(await shows('/verification', 'diary.txt')).toBe(true);
    expect(await shows('/verification', 'letter-0')).toBe(false);
    await night(now);
    expect(await verify()).toMatchObject({ damageState: 'lost', foundAt: lost?.foundAt });
    await guest.post('/verification/looked', { found: lost?.foundAt?.toISOString() ?? '' });
    expect(await home()).toBe(texts.home.protected);
    await night(now);
    const after = await verify();
    expect(after).toMatchObject({ damageState: 'accepted', verifiedAt: after?.checkedAt });
    expect(await shows('/verification', 'diary.txt')).toBe(true);
  });

  test('the file of the recovery key goes: its person is told, and a new key mends it', async () => {
    await night(some(3, 'letter'));
    const row = await findRepository(fixture.resources.database, userId);
    await rm(join(await repositoryFolder(), 'keys', row?.recoveryKeyFile ?? ''));
    expect(await verify()).toMatchObject({ damageState: 'key', verifiedAt: null });
    expect(await shows('/', t.key_damaged.happened)).toBe(true);
    await reissueRecoveryKey(fixture.resources, userId);
    expect((await findRepository(fixture.resources.database, userId))?.recoveryKeyFile).not.toBe(row?.recoveryKeyFile);
    expect(await verify()).toMatchObject({ damageState: null, verifiedAt: expect.any(Date) });
    expect(await home()).toBe(texts.home.protected);
  });
});

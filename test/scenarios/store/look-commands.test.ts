import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openFromEnvironment } from '../../../src/cli/open-resources.ts';
import { ensurePersonRepository } from '../../../src/flows/nights/ensure-person-repository.ts';
import { cheapScryptCosts, type Folder, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type CommandFixture, openCommandFixture } from '../../support/harness/commands.ts';
import { savePlan } from '../../support/harness/nights.ts';

const run = promisify(execFile);
let opened: AsyncDisposableStack;
let commands: CommandFixture;
let ids: string[];
let spoil: (id: string) => Promise<void>;
let write: (folder: Folder) => Promise<Awaited<ReturnType<typeof writeSnapshot>>>;
let spoilPack: (id: string) => Promise<void>;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  commands = opened.use(await openCommandFixture({ issuer: 'https://idp.example' }));
  const planId = await savePlan(commands.database, { nextDueAt: '2200-01-01T00:00:00Z' });
  const { userId } = await commands.database.plan.findUniqueOrThrow({ where: { id: planId } });
  await commands.database.user.update({ where: { id: userId }, data: { username: 'alice' } });
  await using resources = await openFromEnvironment();
  const { repository } = await ensurePersonRepository({ ...resources, scrypt: cheapScryptCosts }, userId);
  const first = { files: { 'a.txt': Buffer.from('first'), gone: { 'Letter.txt': Buffer.from('dear') } } };
  const second = { files: { 'a.txt': Buffer.from('second'), new: { b: Buffer.from('b') } } };
  ids = [
    (await writeSnapshot(repository, first)).id,
    (await writeSnapshot(repository, second, '2026-01-03T03:04:05+01:00')).id,
  ];
  const spoilFile = (type: 'snapshot' | 'data') => async (id: string) => {
    const bytes = await repository.backend.load(type, id);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await repository.backend.remove(type, id);
    await repository.backend.save(type, id, bytes);
  };
  [spoil, spoilPack] = [spoilFile('snapshot'), spoilFile('data')];
  write = (folder) => writeSnapshot(repository, folder);
});
afterEach(() => opened.disposeAsync());

const acts = async () =>
  (await commands.database.audit.findMany({ orderBy: { at: 'asc' } })).map(({ act, by }) => [act, by.split(':')[0]]);
const [first, second] = [() => ids[0] ?? '', () => ids[1] ?? ''];

describe('diff', () => {
  test('says what differs between two snapshots, and goes into the audit', async () => {
    expect(await commands.nightkeep('diff', first().slice(0, 8), 'latest', '--user', 'alice')).toBe(0);
    expect(commands.said).toEqual([
      'M    /files/a.txt',
      '-    /files/gone/',
      '-    /files/gone/Letter.txt',
      '+    /files/new/',
      '+    /files/new/b',
    ]);
    expect(await acts()).toEqual([['names-read', 'command']]);
    expect(await commands.nightkeep('diff', second(), second(), '--user', 'alice')).toBe(0);
    expect(commands.said).toEqual(['Nothing differs.']);
    expect(await commands.nightkeep('diff', first(), second(), '--user', 'alice', '--json')).toBe(0);
    expect(JSON.parse(commands.said.join(''))[0]).toEqual({
      modifier: 'M',
      path: '/files/a.txt',
      type: 'file',
      size: 6,
    });
  });
});

describe('find', () => {
  test('finds a name in whichever snapshot it was last, and goes into the audit', async () => {
    expect(await commands.nightkeep('find', 'letter', '--user', 'alice', '--json')).toBe(0);
    expect(JSON.parse(commands.said.join(''))).toMatchObject([{ path: '/files/gone/Letter.txt', snapshot: first() }]);
    expect(await acts()).toEqual([['names-read', 'command']]);
    expect(await commands.nightkeep('find', 'a.txt', '--user', 'alice', '--json')).toBe(0);
    expect(JSON.parse(commands.said.join(''))).toMatchObject([{ path: '/files/a.txt', snapshot: second() }]);
    expect(await commands.nightkeep('find', 'letter', '--user', 'alice', '--path', 'files/new')).toBe(0);
    expect(commands.said).toEqual(['Nothing is called so.']);
  });

  test('says that a snapshot cannot be read, and looks through the others', async () => {
    await spoil(second());
    expect(await commands.nightkeep('find', 'letter', '--user', 'alice', '--json')).toBe(3);
    expect(JSON.parse(commands.said.join(''))).toHaveLength(1);
    expect(commands.complaints.join('')).toContain(second().slice(0, 8));
  });
});

describe('dump', () => {
  const dump = async (...argv: string[]) => {
    const parts: Buffer[] = [];
    const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((bytes, ...rest: unknown[]) => {
      parts.push(typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes));
      for (const done of rest) if (typeof done === 'function') done();
      return true;
    });
    const code = await commands.nightkeep('dump', ...argv, '--user', 'alice').finally(() => stdout.mockRestore());
    return { code, bytes: Buffer.concat(parts) };
  };

  test('writes a file, and goes into the audit', async () => {
    expect(await dump(first(), '/files/a.txt')).toEqual({ code: 0, bytes: Buffer.from('first') });
    expect((await dump('latest', 'files/a.txt')).bytes.toString()).toBe('second');
    expect(await acts()).toEqual([
      ['files-restored', 'command'],
      ['files-restored', 'command'],
    ]);
  });

  test('writes a folder as a tar or a zip', async () => {
    const tar = await dump(first(), '/');
    expect(tar.bytes.subarray(257, 262).toString()).toBe('ustar');
    expect(tar.bytes.includes('files/gone/Letter.txt')).toBe(true);
    const zip = await dump(first(), 'files/gone', '--archive', 'zip');
    expect(zip.bytes.subarray(0, 2).toString()).toBe('PK');
    expect(zip.bytes.includes('files/gone/Letter.txt')).toBe(true);
  });

  test.each(['tar', 'zip'])('says what a %s lacks, and ends with 3', async (archive) => {
    const times = { mtime: '2026-01-01T00:00:00Z', atime: '2026-01-01T00:00:00Z', ctime: '2026-01-01T00:00:00Z' };
    const { id } = await write({
      'a.txt': Buffer.from('whole'),
      socket: { node: { name: 'socket', type: 'socket', mode: 0o600, uid: 0, gid: 0, ...times } },
    });
    const { code, bytes } = await dump(id, '/', '--archive', archive);
    expect([code, bytes.includes('whole'), bytes.includes('socket')]).toEqual([3, true, false]);
    expect(commands.complaints.join('')).toContain('Left out: socket: ');
  });

  test.each(['tar', 'zip'])('ends with 1 at damage, in the middle of the %s', async (archive) => {
    const { id, packs } = await write({ 'a.txt': Buffer.from('to be damaged'), b: Buffer.from('whole') });
    await spoilPack(packs[0]?.id ?? '');
    const { code, bytes } = await dump(id, '/', '--archive', archive);
    expect([code, bytes.includes(Buffer.from('PK\x05\x06')), bytes.includes('NOT RESTORED')]).toEqual([
      1,
      false,
      false,
    ]);
    expect(commands.complaints.join('')).toContain('damaged');
    const place = join(commands.folder, `damaged.${archive}`);
    await writeFile(place, bytes);
    const judge = archive === 'tar' ? run('tar', ['-tf', place]) : run('unzip', ['-tq', place]);
    await expect(judge).rejects.toThrow();
  });

  test.each([
    [['latest', 'files/nothing'], 'is not there'],
    [
      ['ffffffff', '/'],
      'no snapshot whose id begins so: give 4 hex digits or more of one that nightkeep snapshots lists',
    ],
    [['latest', '/', '--archive', 'rar'], 'choose one of tar, zip'],
  ])('says what is wrong with %j', async (argv, words) => {
    const { code, bytes } = await dump(...argv);
    expect([code > 0, bytes.length]).toEqual([true, 0]);
    expect(commands.complaints.join('')).toContain(words);
  });
});

describe('restore', () => {
  test('goes on with one that was broken off, and refuses to where nothing is said of what is there', async () => {
    const to = join(commands.folder, 'restored');
    await mkdir(join(to, 'files'), { recursive: true });
    await writeFile(join(to, 'files', 'a.txt'), 'mine');
    expect(await commands.nightkeep('restore', '--user', 'alice', '--to', to)).toBe(1);
    expect(commands.complaints.join('')).toContain('--overwrite if-changed');
    expect(await commands.nightkeep('restore', '--user', 'alice', '--to', to, '--overwrite', 'never')).toBe(0);
    expect(commands.said.join()).toContain('1 file was there and stayed.');
    expect(await readFile(join(to, 'files', 'a.txt'), 'utf8')).toBe('mine');
    expect(await readFile(join(to, 'files', 'new', 'b'), 'utf8')).toBe('b');
    expect(await commands.nightkeep('restore', '--user', 'alice', '--to', to, '--overwrite', 'always')).toBe(0);
    expect(await readFile(join(to, 'files', 'a.txt'), 'utf8')).toBe('second');
    expect(await commands.nightkeep('restore', '--user', 'alice', '--to', to, '--overwrite', 'if-never')).toBe(2);
  });

  test('takes no older snapshot for the latest while one cannot be read', async () => {
    await spoil(second());
    const to = join(commands.folder, 'restored');
    expect(await commands.nightkeep('restore', '--user', 'alice', '--to', to)).toBe(1);
    expect(commands.complaints.join('')).toContain('name the snapshot that is meant');
    expect(await commands.nightkeep('restore', '--user', 'alice', '--to', to, '--snapshot', first())).toBe(0);
    expect(await readFile(join(to, 'files', 'a.txt'), 'utf8')).toBe('first');
  });
});

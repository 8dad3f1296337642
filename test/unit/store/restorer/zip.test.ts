import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { nameFromBytes, shownName } from '../../../../src/file-name.ts';
import type { TreeId } from '../../../../src/store/format/ids.ts';
import { openOddNames, portableName } from '../../../../src/store/restorer/odd-names.ts';
import { zipFolder } from '../../../../src/store/restorer/zip.ts';
import {
  centralHeader,
  dataDescriptor,
  endOfDirectory,
  localHeader,
} from '../../../../src/store/restorer/zip-records.ts';
import { zipNotes as notes } from '../../../../src/web/texts/en.ts';
import { type MemoryBackend, openMemoryBackend } from '../../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writeSnapshot } from '../../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../../../support/servers/programs.ts';

const unzip = requireProgram('unzip', 'apt-get install unzip');
const run = promisify(execFile);
const big = [randomBytes(900_000), Buffer.alloc(2_000_000, 'text '), randomBytes(5)];
const folder: Folder = {
  'a.txt': Buffer.alloc(5000, 'first '),
  'big.bin': big,
  'random.bin': randomBytes(3000),
  empty: Buffer.of(),
  sub: { 'grüße 😀': Buffer.from('second'), deeper: { c: Buffer.from('third') }, nothing: {} },
};

async function zipped(
  content: Folder,
  options: { path?: string; corrupt?: (backend: MemoryBackend, pack: string) => void } = {},
) {
  const backend = openMemoryBackend();
  const repository = await newRepository(backend);
  const { id, packs } = await writeSnapshot(repository, content);
  options.corrupt?.(backend, packs[0]?.id ?? '');
  return zipFolder(repository, await repository.loadSnapshot(id), options.path ?? '', { notes });
}

async function unpack(zip: AsyncIterable<Uint8Array>) {
  const place = await temporaryFolder('zip');
  const file = join(place.path, 'a.zip');
  await pipeline(zip, createWriteStream(file));
  await run('unzip', ['-tq', file], { env: { ...process.env, TZ: 'UTC' } });
  await run('unzip', ['-q', file, '-d', join(place.path, 'out')], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return { out: join(place.path, 'out'), [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** PK and 7, 8: what stands before the sizes that follow a file. */
const descriptor = Buffer.from([0x50, 0x4b, 7, 8]);

const corruptBlob = (offset: number) => (backend: MemoryBackend, pack: string) => {
  backend.files.get(`data/${pack.slice(0, 2)}/${pack}`)?.bytes.fill(0, offset, offset + 10);
};

describe.skipIf(unzip === undefined)('a folder as a zip file', () => {
  test('unpacks to the folder, with names, permissions and times', async () => {
    await using unpacked = await unpack(await zipped(folder));
    const names = await readdir(unpacked.out, { recursive: true });
    expect(names.sort()).toEqual(
      [
        'a.txt',
        'big.bin',
        'empty',
        'random.bin',
        'sub',
        'sub/deeper',
        'sub/deeper/c',
        'sub/grüße 😀',
        'sub/nothing',
      ].sort(),
    );
    expect((await readFile(join(unpacked.out, 'big.bin'))).equals(Buffer.concat(big))).toBe(true);
    expect((await readFile(join(unpacked.out, 'a.txt'))).equals(Buffer.alloc(5000, 'first '))).toBe(true);
    expect(await readFile(join(unpacked.out, 'sub/grüße 😀'), 'utf8')).toBe('second');
    const stats = await lstat(join(unpacked.out, 'sub/deeper/c'));
    expect([stats.mode & 0o777, stats.mtimeMs]).toEqual([0o644, Date.parse('2026-01-02T03:04:05Z')]);
  });

  test('may be a folder within, even an empty one', async () => {
    await using inner = await unpack(await zipped(folder, { path: 'sub/deeper' }));
    expect(await readdir(inner.out)).toEqual(['c']);
    const empty = Buffer.concat(await Array.fromAsync(await zipped(folder, { path: 'sub/nothing' })));
    expect(empty.length).toBe(22);
  });

  test('leaves a damaged small file out, and says so inside', async () => {
    await using unpacked = await unpack(await zipped(folder, { corrupt: corruptBlob(30) }));
    const names = await readdir(unpacked.out);
    expect(names).not.toContain('a.txt');
    expect(names).toContain('big.bin');
    expect(await readFile(join(unpacked.out, 'NOT RESTORED.txt'), 'utf8')).toContain(
      'a.txt: damaged in the backup. The pack',
    );
  });

  test.each([0, 1, 2])('leaves out a large file whose part %i is damaged, and says so inside', async (part) => {
    const parts = [randomBytes(1_100_000), randomBytes(900_000), randomBytes(800_000)];
    const before = parts.slice(0, part).reduce((sum, { length }) => sum + length + 32, 0);
    const content = { big: parts, 'after.txt': Buffer.alloc(4000, 'after '), sub: { deep: Buffer.from('deep') } };
    const whole = Buffer.concat(await Array.fromAsync(await zipped(content, { corrupt: corruptBlob(before + 50) })));
    await using unpacked = await unpack(Readable.from([whole]));
    expect((await readdir(unpacked.out, { recursive: true })).sort()).toEqual(
      ['NOT RESTORED.txt', 'after.txt', 'sub', 'sub/deep'].sort(),
    );
    expect(await readFile(join(unpacked.out, 'NOT RESTORED.txt'), 'utf8')).toContain(
      'big: damaged in the backup. The pack',
    );
    expect(whole.readUInt32LE(whole.indexOf(descriptor) + 4)).not.toBe(crc32(Buffer.concat(parts.slice(0, part))));
  });

  test('holds two files that print alike as two, and a file of the name of its own note', async () => {
    const twin = nameFromBytes(Buffer.from([0x61, 0xff]));
    const other = nameFromBytes(Buffer.from([0x61, 0xfe]));
    expect(twin).not.toBe(other);
    const alike = { [twin]: Buffer.from('one'), [other]: Buffer.from('two'), [shownName(twin)]: Buffer.from('three') };
    const content = { dir: { ...alike, 'a.txt': Buffer.alloc(3000, 'x') }, 'NOT RESTORED.txt': Buffer.from('mine') };
    const damaged = { corrupt: corruptBlob(3 + 3 + 5 + 3 * 32 + 20) };
    await using unpacked = await unpack(await zipped(content, damaged));
    const names = await readdir(join(unpacked.out, 'dir'));
    expect(names.filter((name) => name !== 'a.txt').sort()).toEqual(
      [shownName(twin), `${shownName(twin)} (2)`, `${shownName(twin)} (3)`].sort(),
    );
    expect(await readFile(join(unpacked.out, 'dir', shownName(twin)), 'utf8')).toBe('three');
    expect(await readFile(join(unpacked.out, 'NOT RESTORED.txt'), 'utf8')).toBe('mine');
    expect(await readFile(join(unpacked.out, 'NOT RESTORED.txt (2)'), 'utf8')).toContain('a.txt');
  });

  test('writes what Windows takes for another place or a device otherwise, says so inside, and unpacks below its folder', async () => {
    const odd = [
      '..\\..\\evil.exe',
      'C:\\evil.exe',
      '\\\\host\\share',
      'NUL',
      'aux.txt',
      '.. ',
      'bell\u0007',
      'a_b',
      'a\\b',
      'evil.exe:Zone.Identifier',
      'b.txt::$DATA',
    ];
    const content: Folder = {
      dir: Object.fromEntries(odd.map((name) => [name, Buffer.from(name)])),
      'C:x': Buffer.from('drive'),
    };
    await using unpacked = await unpack(await zipped(content));
    const names = await readdir(unpacked.out, { recursive: true });
    expect(names.sort()).toEqual(
      [
        ...['C_x', 'RENAMED.txt', 'dir', 'dir/.._.._evil.exe', 'dir/C__evil.exe', 'dir/__host_share', 'dir/_NUL'],
        ...['dir/_aux.txt', 'dir/___', 'dir/bell_', 'dir/a_b', 'dir/a_b (2)'],
        ...['dir/evil.exe_Zone.Identifier', 'dir/b.txt__$DATA'],
      ].sort(),
    );
    expect(await readFile(join(unpacked.out, 'dir/a_b'), 'utf8')).toBe('a_b');
    expect(await readFile(join(unpacked.out, 'dir/a_b (2)'), 'utf8')).toBe('a\\b');
    const note = await readFile(join(unpacked.out, 'RENAMED.txt'), 'utf8');
    expect(note.match(/^dir\/bell_: bell\\x07$/m)).not.toBeNull();
    expect(note).not.toContain('dir/a_b: ');
    expect(note.trim().split('\n')).toHaveLength(2 + 11);
  });

  test('names what not every system can hold in an entry of its own, with why, and has all of it', async () => {
    const long = `${'ж'.repeat(130)}.txt`;
    const names = ['A.txt', 'a.txt', 'caf\u00e9', 'cafe\u0301', 'why?', 'etc.', 'plain'];
    const folder = Object.fromEntries([...names, 'x'.repeat(255)].map((name) => [name, Buffer.from(name)]));
    const whole = Buffer.concat(
      await Array.fromAsync(await zipped({ dir: { ...folder, [long]: Buffer.from('long') }, DIR: {} })),
    );
    await using place = await temporaryFolder('zip');
    const file = join(place.path, 'a.zip');
    await writeFile(file, whole);
    const { stdout: note } = await run('unzip', ['-p', file, notes.odd.file], { encoding: 'utf8' });
    expect(note.trim().split('\n').slice(2).sort()).toEqual([
      'dir/a.txt: for Windows and macOS the same name as A.txt',
      'dir/caf\u00e9: for macOS the same name as cafe\u0301',
      'dir/etc.: not allowed on Windows',
      'dir/why?: not allowed on Windows',
      `dir/${long}: longer than the 255 bytes that Linux allows; Windows and macOS allow 255 characters`,
      'dir: for Windows and macOS the same name as DIR',
    ]);
    const { stdout: listed } = await run('unzip', ['-Z1', file], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
    expect(listed).toContain(`dir/${long}\n`);
  });

  test('has no such entry where every system can hold all names', async () => {
    const names = await readdir((await unpack(await zipped(folder))).out);
    expect(names).not.toContain(notes.odd.file);
  });

  test('takes no longer for names that become one than for others: each number is tried once', async () => {
    const odd = Array.from({ length: 2_000 }, (_, n) =>
      String.fromCharCode(1 + (n % 26), 1 + (Math.floor(n / 26) % 26), 1 + Math.floor(n / 676)),
    );
    const numbered = Array.from({ length: 1_000 }, (_, n) => `___ (${n + 2})`);
    const nodes = [...numbered, ...odd].map((name) => ({
      name,
      type: 'symlink',
      mode: 0,
      mtime: '2020-01-01T00:00:00Z',
      linktarget: 'x',
    }));
    const repository = { loadTree: async () => ({ nodes }), loadBlobs: async function* () {} } as unknown as Parameters<
      typeof zipFolder
    >[0];
    const [ofMaps, ofSets] = [vi.spyOn(Map.prototype, 'has'), vi.spyOn(Set.prototype, 'has')];
    const zip = Buffer.concat(await Array.fromAsync(zipFolder(repository, { tree: 'ab' as TreeId }, '/', { notes })));
    const asked = ofMaps.mock.calls.length + ofSets.mock.calls.length;
    for (const spy of [ofMaps, ofSets]) spy.mockRestore();
    expect(zip.includes('___ (3000)')).toBe(true);
    expect(asked).toBeLessThan(4 * nodes.length);
  });

  test('holds more entries than 16 bits count', async () => {
    const many: Folder = Object.fromEntries(Array.from({ length: 66_000 }, (_, n) => [`file ${n}`, Buffer.of()]));
    await using place = await temporaryFolder('zip');
    const file = join(place.path, 'a.zip');
    await pipeline(await zipped(many), createWriteStream(file));
    const { stdout } = await run('unzip', ['-t', file], { maxBuffer: 16 * 1024 * 1024 });
    expect(stdout.match(/ OK$/gm)).toHaveLength(66_000);
    expect(stdout).toContain('No errors detected');
  });
});

describe('a name in a zip', () => {
  test.each([
    ['plain.txt', 'plain.txt'],
    ['10:30 meeting.txt', '10:30 meeting.txt'],
    ['etc.', 'etc.'],
    ['console.log', 'console.log'],
    ['.hidden', '.hidden'],
    ['com10', 'com10'],
    ['grüße 😀', 'grüße 😀'],
    ['con', '_con'],
    ['COM1.tar.gz', '_COM1.tar.gz'],
    ['lpt\u00b2', '_lpt\u00b2'],
    ['nul .txt', '_nul .txt'],
    ['c:', 'c_'],
    ['a.txt:Zone.Identifier', 'a.txt_Zone.Identifier'],
    ['a.txt:$DATA', 'a.txt_$DATA'],
    ['a.txt:hidden:$DATA', 'a.txt_hidden_$DATA'],
    ['...', '___'],
    ['a\nb', 'a_b'],
    ['\u009b31m', '_31m'],
  ])('%j is written %j', (name, written) => {
    expect(portableName(name)).toBe(written);
  });
});

describe('of the names of a folder', () => {
  test.each([
    [['a', 'b', 'com10', 'console', '.hidden', 'x'.repeat(255), '\u00fc'.repeat(127)], []],
    [
      ['Case', 'case', 'CASE'],
      ['case: case like Case', 'CASE: case like Case'],
    ],
    [
      ['caf\u00e9', 'cafe\u0301', 'CAF\u00c9'],
      ['cafe\u0301: form like caf\u00e9', 'CAF\u00c9: case like caf\u00e9'],
    ],
    [['stra\u00dfe', 'strasse', 'STRASSE'], ['STRASSE: case like strasse']],
    [
      ['\u00fc'.repeat(128), '\u00fc'.repeat(128).toUpperCase()],
      ['long', 'case'],
    ],
    [
      ['CON', 'aux.txt', '_CON'],
      ['CON: renamed as _CON', 'aux.txt: renamed as _aux.txt', '_CON: case like _CON'],
    ],
    [['a<b', 'a>b', '10:30', 'a"b', 'a|b', 'a?b', 'a*b', 'a.', 'a '], Array(9).fill('windows')],
    [
      ['a..', 'A..'],
      ['windows', 'case'],
    ],
  ])('%j, what is odd is %j', (names, expected) => {
    const oddityOf = openOddNames();
    const found = names.flatMap((name) => {
      const oddity = oddityOf(name);
      if (oddity === undefined) return [];
      if ('like' in oddity) return [`${name}: ${oddity.why} like ${oddity.like}`];
      return 'as' in oddity ? [`${name}: renamed as ${oddity.as}`] : [oddity.why];
    });
    expect(found.length).toBe(expected.length);
    for (const [at, why] of expected.entries()) expect(found[at]).toContain(why);
  });
});

describe('a zip file', () => {
  test('of something that is no folder is refused', async () => {
    await expect(Array.fromAsync(await zipped(folder, { path: 'a.txt' }))).rejects.toMatchObject({
      code: 'repository/no-such-path',
    });
  });
});

describe('zip records', () => {
  const entry = { name: 'x', mode: 0o100644, mtime: 1_700_000_000, method: 'deflated' as const };
  const sizes = { crc: 7, packed: 5_000_000_000, size: 6_000_000_000 };

  test('give 64-bit numbers where they are needed, and only those', () => {
    expect(localHeader(entry, { large: true }).subarray(18, 26)).toEqual(Buffer.alloc(8, 0xff));
    expect(dataDescriptor(sizes, { large: true }).readBigUInt64LE(16)).toBe(6_000_000_000n);
    const central = centralHeader({ ...entry, ...sizes, offset: 17, described: true });
    expect(central.readUInt32LE(20)).toBe(0xffffffff);
    expect(central.readUInt32LE(42)).toBe(17);
    expect(central.subarray(-20).toString('hex')).toBe(
      `01001000${Buffer.from(new BigUint64Array([6_000_000_000n, 5_000_000_000n]).buffer).toString('hex')}`,
    );
    expect(centralHeader({ ...entry, crc: 0, packed: 1, size: 1, offset: 5e9, described: false }).length).toBe(
      46 + 1 + 9 + 12,
    );
    expect(endOfDirectory(1, 2, 3).length).toBe(22);
    expect(endOfDirectory(1, 5e9, 3).length).toBe(98);
    expect(endOfDirectory(65_535, 2, 3).length).toBe(98);
  });
});

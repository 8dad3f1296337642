import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { zipFolder } from '../../../../src/store/restorer/zip.ts';
import {
  centralHeader,
  dataDescriptor,
  endOfDirectory,
  localHeader,
} from '../../../../src/store/restorer/zip-records.ts';
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
  return zipFolder(repository, await repository.loadSnapshot(id), options.path ?? '');
}

async function unpack(zip: AsyncIterable<Uint8Array>) {
  const place = await temporaryFolder('zip');
  const file = join(place.path, 'a.zip');
  await pipeline(zip, createWriteStream(file));
  await run('unzip', ['-tq', file], { env: { ...process.env, TZ: 'UTC' } });
  await run('unzip', ['-q', file, '-d', join(place.path, 'out')], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return { out: join(place.path, 'out'), [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

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
    expect(await readFile(join(unpacked.out, 'NOT RESTORED.txt'), 'utf8')).toContain('a.txt: The pack');
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

describe('a zip file', () => {
  test('breaks off when a large file is damaged, so that nobody takes it for whole', async () => {
    const content = await zipped({ big: big }, { corrupt: corruptBlob(900_100) });
    await expect(Array.fromAsync(content)).rejects.toMatchObject({ code: 'repository/damaged' });
  });

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
    expect(localHeader(entry, undefined, true).subarray(18, 26)).toEqual(Buffer.alloc(8, 0xff));
    expect(dataDescriptor(sizes, true).readBigUInt64LE(16)).toBe(6_000_000_000n);
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

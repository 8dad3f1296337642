import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipFolder } from '../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writeSnapshot } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../../support/servers/programs.ts';

const run = promisify(execFile);
const bsdtar = requireProgram('bsdtar', 'apt-get install libarchive-tools');
const unzip = requireProgram('unzip', 'apt-get install unzip');
const options = { maxBuffer: 2 ** 26, env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' } };

/** What lists the names in a zip, and what unpacks it into a folder. */
const readers = [
  {
    name: 'bsdtar',
    program: bsdtar,
    list: (zip: string) => run(bsdtar ?? '', ['-tf', zip], options),
    unpack: (zip: string, to: string) => run(bsdtar ?? '', ['-xf', zip, '-C', to], options),
  },
  {
    name: 'bsdtar, as a stream',
    program: bsdtar,
    list: (zip: string) => run('sh', ['-c', 'bsdtar -tf - < "$1"', 'sh', zip], options),
    unpack: (zip: string, to: string) => run('sh', ['-c', 'bsdtar -xf - -C "$2" < "$1"', 'sh', zip, to], options),
  },
  {
    name: 'unzip',
    program: unzip,
    list: (zip: string) => run(unzip ?? '', ['-Z1', zip], options),
    unpack: (zip: string, to: string) => run(unzip ?? '', ['-q', zip, '-d', to], options),
  },
] as const;

const big = [randomBytes(1_500_000), Buffer.alloc(1_000_000, 'text ')];
const long = 'a name of many letters '.repeat(10).trim();
const few: Folder = {
  'grüße 😀.txt': Buffer.from('hello'),
  'big.bin': big,
  empty: Buffer.of(),
  sub: { [long]: { [long]: Buffer.from('deep') }, nothing: {} },
};
const tooLong = `${'ж'.repeat(130)}.txt`;
const odd: Folder = Object.fromEntries(
  ['A.txt', 'a.txt', 'why?', 'etc.', tooLong].map((name) => [name, Buffer.from(name)]),
);
/** More than 16 bits count. */
const count = 66_000;
const many: Folder = Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`, Buffer.from('the same')]));

let top: TemporaryFolder;
const zips = { few: '', odd: '', many: '' };
beforeAll(async () => {
  top = await temporaryFolder('zip-readers');
  for (const [name, content] of [['few', few] as const, ['odd', odd] as const, ['many', many] as const]) {
    const repository = await newRepository(openMemoryBackend());
    const { tree } = await writeSnapshot(repository, content);
    zips[name] = join(top.path, `${name}.zip`);
    await pipeline(zipFolder(repository, { tree }, '', { notes }), createWriteStream(zips[name]));
  }
});
afterAll(() => top[Symbol.asyncDispose]());

describe.each(readers)('a zip read by $name', ({ name, program, list, unpack }) => {
  test.skipIf(program === undefined)('has its names, contents, permissions and times', async () => {
    const to = join(top.path, name);
    await mkdir(to);
    await unpack(zips.few, to);
    expect(await readFile(join(to, 'grüße 😀.txt'), 'utf8')).toBe('hello');
    expect((await readFile(join(to, 'big.bin'))).equals(Buffer.concat(big))).toBe(true);
    expect(await readFile(join(to, 'sub', long, long), 'utf8')).toBe('deep');
    expect((await lstat(join(to, 'sub', 'nothing'))).isDirectory()).toBe(true);
    for (const file of ['big.bin', 'empty']) {
      const { mode, mtimeMs } = await lstat(join(to, file));
      // A reader of streams never sees the directory at the end, which has the permissions.
      if (name !== 'bsdtar, as a stream') expect(mode & 0o777).toBe(0o644);
      expect(mtimeMs).toBe(Date.parse('2026-01-02T03:04:05Z'));
    }
  });

  test.skipIf(program === undefined)('has all but what this system cannot hold, and names that', async () => {
    const to = join(top.path, `${name}, odd`);
    await mkdir(to);
    await unpack(zips.odd, to).catch(() => {});
    for (const name of ['A.txt', 'a.txt', 'why?', 'etc.']) expect(await readFile(join(to, name), 'utf8')).toBe(name);
    const note = await readFile(join(to, notes.odd.file), 'utf8');
    for (const name of ['a.txt', 'why?', 'etc.', tooLong]) expect(note).toContain(`\n${name}: `);
  });

  test.skipIf(program === undefined)('has more entries than 16 bits count', async () => {
    const names = (await list(zips.many)).stdout.split('\n').filter((line) => line !== '');
    expect(new Set(names).size).toBe(count);
  });
});

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect } from 'vitest';
import { portableName } from '../../../src/store/restorer/odd-names.ts';
import { zipFolder } from '../../../src/store/restorer/zip.ts';
import { zipNotes as notes } from '../../../src/web/texts/en.ts';
import { openMemoryBackend } from '../../support/fixtures/memory-backend.ts';
import { type Folder, newRepository, writeSnapshot } from '../../support/fixtures/repository.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../../support/servers/programs.ts';
import { property } from '../property.ts';

const names = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.constantFrom('NOT RESTORED.txt', 'C:\\x', '..\\a', 'a (2)', '-rf', 'ä'),
  )
  .map((name) => name.replace(/[/\0]/g, '_'))
  .filter((name) => !['.', '..', '__proto__', 'node'].includes(name));
const contents = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.string({ minLength: 1, maxLength: 8 }), fc.nat({ max: 400 }))
      .map(([text, times]) => Buffer.from(text.repeat(times))),
  },
  fc.integer({ min: 1024 * 1024 - 1, max: 1024 * 1024 + 2 }).map((length) => Buffer.alloc(length, 'big ')),
);
const { folder: folders } = fc.letrec<{ folder: Folder }>((tie) => ({
  folder: fc.dictionary(
    names,
    fc.oneof({ maxDepth: 3, depthSize: 'small' }, { weight: 4, arbitrary: contents }, tie('folder')),
    { maxKeys: 5 },
  ),
}));

/** What is in a zip file by its directory (APPNOTE 4.3.12): each name and content; a folder's is empty. */
function readZip(bytes: Buffer): Map<string, Buffer> {
  const end = bytes.length - 22;
  expect(bytes.readUInt32LE(end)).toBe(0x06054b50);
  const found = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    expect(bytes.readUInt32LE(at)).toBe(0x02014b50);
    const [method, crc, packed, size] = [
      bytes.readUInt16LE(at + 10),
      bytes.readUInt32LE(at + 16),
      bytes.readUInt32LE(at + 20),
      bytes.readUInt32LE(at + 24),
    ];
    const lengths = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const [ofName = 0] = lengths;
    const name = bytes.toString('utf8', at + 46, at + 46 + ofName);
    const local = bytes.readUInt32LE(at + 42);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const raw = bytes.subarray(from, from + packed);
    const content = method === 8 ? inflateRawSync(raw) : raw;
    expect([content.length, crc32(content)]).toEqual([size, crc]);
    found.set(name, content);
    at += 46 + lengths.reduce((sum, length) => sum + length, 0);
  }
  return found;
}

function* flat(folder: Folder, path = ''): Generator<[string, Buffer]> {
  for (const [name, item] of Object.entries(folder)) {
    if (Buffer.isBuffer(item)) yield [path + name, item];
    else {
      yield [`${path + name}/`, Buffer.of()];
      yield* flat(item as Folder, `${path + name}/`);
    }
  }
}

const unzip = requireProgram('unzip', 'apt-get install unzip');
const place = await temporaryFolder('fuzz-zip');
const file = join(place.path, 'a.zip');
const run = promisify(execFile);
const repository = await newRepository(openMemoryBackend());

export const zips = [
  property('a zip file holds what the folder did, and unzip finds it sound', folders, async (folder) => {
    const { id } = await writeSnapshot(repository, folder);
    const bytes = Buffer.concat(
      await Array.fromAsync(zipFolder(repository, await repository.loadSnapshot(id), '', { notes })),
    );
    const found = readZip(bytes);
    const expected = new Map(flat(folder));
    for (const name of found.keys()) expect(name).not.toMatch(/\\|^[A-Za-z]:|(^|\/)\.\.(\/|$)/);
    const isAsItWas = (path: string) => path.split('/').every((name) => portableName(name) === name);
    const renamed = [...expected.keys()].filter((path) => !isAsItWas(path));
    const hasOdd = [...found.keys()].some((path) => /[<>:"|?*]|[. ](?=\/|$)/.test(path));
    if (hasOdd) expect([...found.keys()]).toContain(notes.odd.file);
    const noteCount = (renamed.length > 0 ? 1 : 0) + (found.has(notes.odd.file) ? 1 : 0);
    expect(found.size).toBe(expected.size + noteCount);
    for (const [name, content] of expected)
      if (isAsItWas(name)) expect({ name, isWhole: found.get(name)?.equals(content) }).toEqual({ name, isWhole: true });
    if (unzip === undefined || found.size === 0) return;
    await writeFile(file, bytes);
    await run(unzip, ['-tqq', file]);
  }),
];

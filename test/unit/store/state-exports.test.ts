import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Backend } from '../../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { listExports, openExportWriter, readExportFiles, removeExportFiles } from '../../../src/store/state-exports.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

const now = new Date('2026-05-04T03:02:01.234Z');
const at = (days: number) => new Date(now.getTime() + days * 86_400_000);
const id = (digit: string) => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
let folder: TemporaryFolder;
let backend: Backend;
beforeEach(async () => {
  folder = await temporaryFolder('exports');
  backend = openLocalBackend(folder.path);
});
afterEach(() => folder[Symbol.asyncDispose]());

async function write(createdAt: Date, digit: string, ...pieces: Buffer[]) {
  const writer = openExportWriter(backend, { createdAt, id: id(digit) });
  for (const piece of pieces) await writer.write(piece);
  return writer.finish();
}
const moments = async () => (await listExports(backend, now)).whole.map(({ createdAt }) => createdAt);

test('an export comes back as it was written, in files of some megabytes, and is named by its moment', async () => {
  const pieces = Array.from({ length: 5 }, (_, n) => Buffer.alloc(4_000_000, n));
  expect(await write(now, 'a', ...pieces)).toBe(20_000_000);
  const { whole, leftovers } = await listExports(backend, now);
  expect(whole).toMatchObject([{ createdAt: now, id: id('a').replaceAll('-', ''), bytes: 20_000_000 }]);
  expect(whole[0]?.files).toHaveLength(2);
  expect(leftovers).toEqual([]);
  const read = whole[0] && Buffer.concat(await Array.fromAsync(readExportFiles(backend, whole[0])));
  expect(read?.equals(Buffer.concat(pieces))).toBe(true);
});

test('the newest stands first, and one of the future last', async () => {
  for (const [days, digit] of [
    [-2, 'a'],
    [400, 'b'],
    [0, 'c'],
    [-1, 'd'],
  ] as const)
    await write(at(days), digit, Buffer.of(1));
  expect(await moments()).toEqual([now, at(-1), at(-2), at(400)]);
});

test('one that was broken off before its end is no export, and neither is one that lacks a file in its middle', async () => {
  const writer = openExportWriter(backend, { createdAt: now, id: id('a') });
  for (let n = 0; n < 4; n += 1) await writer.write(Buffer.alloc(8_500_000));
  await write(at(-1), 'b', ...Array.from({ length: 4 }, () => Buffer.alloc(8_500_000)));
  const [{ files } = { files: [] }] = (await listExports(backend, now)).whole;
  await removeExportFiles(backend, files.slice(1, 2));
  await removeExportFiles(backend, files.slice(1, 2));
  const { whole, leftovers } = await listExports(backend, now);
  expect(whole).toEqual([]);
  expect(leftovers.map(({ createdAt }) => createdAt.getTime()).toSorted()).toEqual([
    ...Array(3).fill(at(-1).getTime()),
    ...Array(3).fill(now.getTime()),
  ]);
});

test('what is not called as an export is not taken for one', async () => {
  await backend.save('state', 'f'.repeat(64), Buffer.of(1));
  await backend.save('state', `99999999999999999${'0'.repeat(47)}`, Buffer.of(1));
  expect(await listExports(backend, now)).toEqual({ whole: [], leftovers: [] });
  expect(await readdir(join(folder.path, 'states'))).toHaveLength(2);
});

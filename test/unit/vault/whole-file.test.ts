import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileWhole } from '../../../src/vault/whole-file.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder('whole-file');
});
afterEach(() => folder[Symbol.asyncDispose]());

test.each([
  ['in a folder that is not there', 'nowhere/state', 'ENOENT'],
  ['below a file', 'a file/state', 'ENOTDIR'],
  ['where a folder is', 'a folder', 'EISDIR'],
  ['of a name that is too long', 'x'.repeat(250), 'ENAMETOOLONG'],
])('a file %s is refused with the cure, and nothing is left', async (_, name, code) => {
  await writeFile(join(folder.path, 'a file'), 'of somebody');
  await mkdir(join(folder.path, 'a folder'));
  const path = join(folder.path, name);
  await expect(writeFileWhole(path, async (sink) => sink(Buffer.from('x')))).rejects.toMatchObject({
    code: 'usage/invalid',
    message: `The file ${path} cannot be written: ${code}. Name one in a folder that is there and that this user may write to.`,
  });
  expect((await readdir(folder.path)).toSorted()).toEqual(['a file', 'a folder']);
});

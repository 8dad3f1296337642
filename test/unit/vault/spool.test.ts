import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSpool, type Spool } from '../../../src/vault/spool.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

let home: TemporaryFolder;
let folder: string;
let spool: Spool;
beforeEach(async () => {
  home = await temporaryFolder('spool');
  folder = join(home.path, 'spool');
  spool = openSpool(folder);
});
afterEach(() => home[Symbol.asyncDispose]());

const value = (text: string) => Buffer.from(text);
const texts = async (of = spool) =>
  (await of.list()).map(({ name, sealed }) => `${name}: ${Buffer.from(sealed).toString()}`);
const sizes = async () =>
  (await Promise.all((await readdir(folder)).map((file) => stat(join(folder, file))))).map(({ size }) => size);

test('what is kept is there for every process until it is dropped, for nobody but this user', async () => {
  await spool.keep('b', value('second'));
  await spool.keep('a', value('first'));
  await spool.flush('a');
  expect(await texts(openSpool(folder))).toEqual(['a: first', 'b: second']);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'a.sealed'))).mode & 0o777).toBe(0o600);
  await spool.drop('a');
  expect(await texts(openSpool(folder))).toEqual(['b: second']);
});

test('values come in the order of their names, which is that of their time', async () => {
  for (const name of ['b', 'c', 'a', 'd']) await spool.keep(name, value(name));
  expect((await spool.list()).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
});

test('a value that is gone already is dropped without harm, by whoever kept it and by others', async () => {
  await spool.keep('a', value('first'));
  await spool.drop('a');
  await spool.drop('a');
  await openSpool(folder).drop('a');
  for (const name of ['b', 'c']) await spool.keep(name, value(name));
  expect(await texts()).toEqual(['b: b', 'c: c']);
});

test('a file is emptied when its value is dropped, and used again for the next', async () => {
  await spool.keep('a', value('a long value'));
  await spool.drop('a');
  expect(await sizes()).toEqual([0]);
  const { ino } = await stat(join(folder, (await readdir(folder))[0] ?? ''));
  await spool.keep('b', value('short'));
  expect(await texts()).toEqual(['b: short']);
  expect((await stat(join(folder, 'b.sealed'))).ino).toBe(ino);
});

test('one that another process drops is gone for both, and dropping what is gone is harmless', async () => {
  await spool.keep('a', value('first'));
  const other = openSpool(folder);
  await other.drop('a');
  await spool.drop('a');
  await spool.drop('never-kept');
  await other.keep('b', value('of the other'));
  await spool.keep('c', value('of this one'));
  expect(await texts()).toEqual(['b: of the other', 'c: of this one']);
});

test('a folder, or a file to be used again, that somebody removed is made again', async () => {
  await spool.keep('a', value('first'));
  await spool.drop('a');
  await rm(folder, { recursive: true });
  await spool.keep('b', value('second'));
  expect(await texts()).toEqual(['b: second']);
});

test('a value that cannot be kept rejects and leaves nothing half written', async () => {
  await mkdir(join(folder, 'a.sealed', 'in the way'), { recursive: true });
  await expect(spool.keep('a', value('first'))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
  expect(await readdir(folder)).toEqual(['a.sealed']);
});

test('names are ids: none leads out of the folder', async () => {
  await expect(spool.keep('../a', value('first'))).rejects.toThrow('ids only');
  await expect(spool.drop('../a')).rejects.toThrow('ids only');
});

test('what processes left empty that are long gone is tidied away, and nothing else', async () => {
  const now = new Date();
  await spool.keep('kept', value('first'));
  await spool.keep('done', value('second'));
  await spool.drop('done');
  await writeFile(join(folder, 'old.spare'), '');
  await utimes(join(folder, 'old.spare'), now, new Date(now.getTime() - 2 * 3_600_000));
  await utimes(join(folder, 'kept.sealed'), now, new Date(now.getTime() - 2 * 3_600_000));
  await spool.tidy(now);
  const files = await readdir(folder);
  expect(files).toHaveLength(2);
  expect(files).toContain('kept.sealed');
  expect(files).not.toContain('old.spare');
  await openSpool(join(home.path, 'not there')).tidy(now);
});

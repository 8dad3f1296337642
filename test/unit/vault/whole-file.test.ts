import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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

test('a pipe or a device is refused, and stays', async () => {
  const pipe = join(folder.path, 'a pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  await symlink('/dev/null', join(folder.path, 'a device'));
  for (const name of ['a pipe', 'a device']) {
    const path = join(folder.path, name);
    await expect(writeFileWhole(path, async (sink) => sink(Buffer.from('x')))).rejects.toMatchObject({
      code: 'usage/invalid',
      message: `${path} is a device or a pipe, not a file: name a file.`,
    });
  }
  expect((await lstat(pipe)).isFIFO()).toBe(true);
  expect((await lstat('/dev/null')).isCharacterDevice()).toBe(true);
  expect((await readdir(folder.path)).toSorted()).toEqual(['a device', 'a pipe']);
});

test('a link stays one, and the file that it leads to is replaced', async () => {
  const [target, link] = [join(folder.path, 'target'), join(folder.path, 'link')];
  await writeFile(target, 'before');
  await symlink('target', link);
  await writeFileWhole(link, (sink) => sink(Buffer.from('after')));
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await readFile(target, 'utf8')).toBe('after');
});

test('where the system takes a part only of what is written, the rest is written too', async () => {
  const probe = await open(join(folder.path, 'probe'), 'w');
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const whole = handles.write;
  const write = vi.spyOn(handles, 'write').mockImplementation(function (this: FileHandle, bytes: Uint8Array) {
    return Reflect.apply(whole, this, [bytes.subarray(0, 3)]);
  } as typeof whole);
  const path = join(folder.path, 'state');
  await writeFileWhole(path, (sink) => sink(Buffer.from('all of it')));
  write.mockRestore();
  expect(await readFile(path, 'utf8')).toBe('all of it');
});

test('a disk that is full is said to be, and is no wrong command line', async () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' });
  const path = join(folder.path, 'state');
  await expect(writeFileWhole(path, () => Promise.reject(full))).rejects.toMatchObject({
    code: 'store/full',
    message: `The file ${path} cannot be written: ENOSPC. Make room there, or name one on a larger disk.`,
  });
  expect(await readdir(folder.path)).toEqual([]);
});

test('what a process that was killed had half written goes with the next one a day later, and nothing else does', async () => {
  const path = join(folder.path, 'state');
  const part = (name: string) => `${name}.${randomUUID()}.part`;
  const [abandoned, underWay, others] = [part('state'), part('state'), part('state.old')];
  const day = 86_400;
  for (const [name, age] of [
    [abandoned, day + 60],
    [underWay, day - 600],
    [others, 9 * day],
    ['state.part', 9 * day],
    ['state.1.part', 9 * day],
  ] as const) {
    await writeFile(join(folder.path, name), 'half');
    const at = Date.now() / 1000 - age;
    await utimes(join(folder.path, name), at, at);
  }
  await writeFileWhole(path, (sink) => sink(Buffer.from('whole')));
  expect((await readdir(folder.path)).toSorted()).toEqual(
    ['state', 'state.1.part', 'state.part', underWay, others].toSorted(),
  );
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { placePrograms, removeOtherPrograms } from '../../../src/database/server/placed-programs.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

/** What npm brings, in small: a package, its programs, and a folder of a database. */
async function openPackage(version: string, files: number) {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder('programs'));
  const [native, folder] = [join(path, 'package', 'native'), join(path, 'postgres')];
  await mkdir(join(native, 'bin'), { recursive: true });
  await mkdir(folder);
  await writeFile(join(path, 'package', 'package.json'), JSON.stringify({ version }));
  for (let file = 0; file < files; file += 1) await writeFile(join(native, `${file}`), 'x'.repeat(1_000));
  await writeFile(join(native, 'bin', 'initdb'), '#!/bin/sh\necho initdb');
  await chmod(join(native, 'bin', 'initdb'), 0o755);
  await symlink('initdb', join(native, 'bin', 'linked'));
  const closing = opened.move();
  return { native, folder, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** A process that places them, and prints where. */
function placing(native: string, folder: string) {
  const module = new URL('../../../src/database/server/placed-programs.ts', import.meta.url).href;
  const work = `const { placePrograms } = await import('${module}');
    process.stdout.write(await placePrograms(process.argv[1], process.argv[2]));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', work, native, folder]);
  let said = '';
  child.stdout.on('data', (words) => {
    said += words;
  });
  return { child, ended: once(child, 'close').then(([code]) => ({ code, said })) };
}

const namesIn = async (path: string) => (await readdir(path, { recursive: true })).sort();

test('programs are placed once by several processes at once, whole, as they are in the package', async () => {
  await using at = await openPackage('1.0.0', 300);
  const place = expect.stringMatching(/^programs-1\.0\.0-[0-9a-f]{8}$/);
  const ended = await Promise.all([1, 2].map(() => placing(at.native, at.folder).ended));
  expect(await readdir(at.folder)).toEqual([place]);
  const [name = ''] = await readdir(at.folder);
  for (const one of ended) expect(one).toEqual({ code: 0, said: join(at.folder, name) });
  expect(await namesIn(join(at.folder, name))).toEqual(await namesIn(at.native));
  expect(await readFile(join(at.folder, name, 'bin', 'linked'), 'utf8')).toContain('echo initdb');
  expect((await stat(join(at.folder, name, 'bin', 'initdb'))).mode & 0o777).toBe(0o755);
});

test('a process that is killed in the middle leaves nothing that the next one takes for the programs', async () => {
  await using at = await openPackage('1.0.0', 3_000);
  const begun = Promise.withResolvers<void>();
  const watching = watch(at.folder, () => begun.resolve());
  const killed = placing(at.native, at.folder);
  await begun.promise;
  watching.close();
  killed.child.kill('SIGKILL');
  expect(await killed.ended).toEqual({ code: null, said: '' });
  const [draft = ''] = await readdir(at.folder);
  expect(draft).toContain('.new-');
  expect((await namesIn(join(at.folder, draft))).length).toBeLessThan(3_000);

  const place = await placePrograms(at.native, at.folder);
  expect(await namesIn(place)).toEqual(await namesIn(at.native));
  await removeOtherPrograms(at.folder, join(place, 'bin', 'pg_ctl'));
  expect((await readdir(at.folder)).map((name) => join(at.folder, name))).toEqual([place]);
});

test('programs of another version, or with files that were missing, have another place, and those before go once a server runs', async () => {
  await using at = await openPackage('1.0.0', 1);
  await mkdir(join(at.folder, 'programs'));
  await mkdir(join(at.folder, 'data'));
  const places = [await placePrograms(at.native, at.folder)];
  await symlink('initdb', join(at.native, 'bin', 'missing'));
  places.push(await placePrograms(at.native, at.folder), await placePrograms(at.native, at.folder));
  await writeFile(join(at.native, '..', 'package.json'), JSON.stringify({ version: '1.0.1' }));
  places.push(await placePrograms(at.native, at.folder));
  expect([places.length, new Set(places).size]).toEqual([4, 3]);
  await removeOtherPrograms(at.folder, join(places[3] ?? '', 'bin', 'pg_ctl'));
  expect((await readdir(at.folder)).map((name) => join(at.folder, name))).toEqual([join(at.folder, 'data'), places[3]]);
  await removeOtherPrograms(at.folder, join(at.native, 'bin', 'pg_ctl'));
  expect(await readdir(at.folder)).toEqual(['data']);
});

test('what cannot be copied is told', async () => {
  await using at = await openPackage('1.0.0', 1);
  await expect(placePrograms(at.native, join(at.folder, 'data', 'none', '\0'))).rejects.toThrow();
  await expect(placePrograms(join(at.folder, 'nothing'), at.folder)).rejects.toThrow('ENOENT');
  expect(await readdir(at.folder)).toEqual([]);
});

import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { placeOnce } from '../../src/place-once.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';

test('a file is there whole or not at all, also where there is no room, and never over one that is there', async () => {
  await using folder = await temporaryFolder('place-once');
  const file = join(folder.path, 'password');
  const module = new URL('../../src/place-once.ts', import.meta.url).href;
  const place = `const { placeOnce } = await import('${module}'); placeOnce('${file}', 'one');`;
  const withoutRoom = ['-c', 'ulimit -f 0; exec "$0" --input-type=module --eval "$1"', process.execPath, place];
  await expect(promisify(execFile)('bash', withoutRoom)).rejects.toThrow('EFBIG');
  expect(await readdir(folder.path)).toEqual([]);
  for (const text of ['one', 'another']) placeOnce(file, text);
  expect(await readFile(file, 'utf8')).toBe('one');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder.path)).toEqual(['password']);
});

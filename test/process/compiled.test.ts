import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let own: string;
beforeEach(async () => {
  folder = await temporaryFolder('compiled');
  own = join(folder.path, `nightkeep-compiled-${process.getuid?.()}`);
});
afterEach(() => folder[Symbol.asyncDispose]());

/** A command whose temporary folder this is, under a umask that lets everybody do everything. */
function run(settings: NodeJS.ProcessEnv = {}): void {
  const { NODE_COMPILE_CACHE: _, ...environment } = process.env;
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', 'umask 000; exec "$0" "$@"', process.execPath, program, '--version'],
    {
      env: { ...environment, TMPDIR: folder.path, ...settings },
      encoding: 'utf8',
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

describe('what is compiled is kept for the next start, and run then, so that it lies', () => {
  test('in a folder of this user alone, whatever the umask', () => {
    run();
    expect(readdirSync(folder.path)).toEqual([`nightkeep-compiled-${process.getuid?.()}`]);
    expect(lstatSync(own).mode & 0o777).toBe(0o700);
    expect(readdirSync(own)).toHaveLength(1);
  });

  test('nowhere, if somebody else may write to the folder of that name', () => {
    mkdirSync(own);
    chmodSync(own, 0o770);
    run();
    expect(readdirSync(own)).toEqual([]);
  });

  test('nowhere, if a link of that name leads elsewhere', () => {
    const elsewhere = join(folder.path, 'elsewhere');
    mkdirSync(elsewhere, { mode: 0o700 });
    symlinkSync(elsewhere, own);
    run();
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test('where the operator says', () => {
    const named = join(folder.path, 'named');
    run({ NODE_COMPILE_CACHE: named });
    expect(readdirSync(folder.path)).toEqual(['named']);
  });
});

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { serviceFlags } from '../../support/fixtures/service-flags.ts';

const run = promisify(execFile);

/**
 * In MB, of a process that does nothing else. About 315, 285 and 750 are usual; how often garbage is collected depends on how fast the
 * processors are and moves it by 20, which says nothing about growth with the number of files: that would be a multiple.
 */
const most = { 'many folders': 360, 'one file': 360, 'one folder': 900 };

describe('the memory of the archiver stays bounded', () => {
  test.each([
    ['many folders', 100_000, 70_000_000],
    ['one folder', 100_000, 70_000_000],
    ['one file', 1, 4 * 1024 ** 3],
  ] as const)('with %s: %i files, %i bytes', async (name, entries, bytes) => {
    const child = join(import.meta.dirname, 'memory-child.ts');
    const { stdout } = await run(process.execPath, [...serviceFlags, child, name]);
    const { nights, rssMB } = JSON.parse(stdout);
    const [first, second] = nights;
    expect(first).toMatchObject({ entries, entriesRead: entries, bytesRead: bytes });
    expect(second).toMatchObject({ entries, entriesRead: 0, bytesRead: 0, tree: first.tree });
    expect(rssMB).toBeLessThan(most[name]);
  });
});

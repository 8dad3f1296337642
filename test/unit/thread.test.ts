import { execFile } from 'node:child_process';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('a thread takes compiled code from where its process has it, and leaves its own there', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'nightkeep-thread-'));
  const script = `
    import { startThread } from '${new URL('../../src/thread.ts', import.meta.url)}';
    startThread(new URL('${new URL('../../src/clock.ts', import.meta.url)}'), {});`;
  await promisify(execFile)(process.execPath, ['--eval', script], {
    env: { ...process.env, NODE_COMPILE_CACHE: folder.path },
  });

  const [ofThisNode, ...others] = await readdir(folder.path);
  expect(others).toEqual([]);
  const cached = await readdir(join(folder.path, ofThisNode ?? ''), { withFileTypes: true });
  expect(cached.length).toBeGreaterThan(1);
  expect(cached.filter((one) => !one.isFile())).toEqual([]);
});

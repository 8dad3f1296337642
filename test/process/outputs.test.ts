import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { nightkeep } from '../support/harness/nightkeep.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await openInstallation();
});
afterAll(() => installation?.[Symbol.asyncDispose]());

/** The command with a stream that leads to a disk without any room. */
const onFullDisk = (words: readonly string[], stream: 'stdout' | 'stderr') =>
  nightkeep(words, installation.settings, installation.here, [
    'sh',
    '-c',
    `exec "$0" "$@" ${stream === 'stdout' ? '>' : '2>'}/dev/full`,
  ]);

describe('where the disk of its answer is full', () => {
  test.each(['--version', 'help', 'settings --json', 'users', 'audit --json'])(
    '%s fails, and says so',
    async (line) => {
      await using command = onFullDisk(line.split(' '), 'stdout');
      const { code, stderr } = await command.ended;
      expect({ code, said: stderr.split('\n').filter((words) => !words.startsWith('Warning')) }).toEqual({
        code: 1,
        said: [expect.stringMatching(/^nightkeep: .* standard output.*: ENOSPC\.$/i), ''],
      });
    },
  );
});

test('where the disk of its log is full, the service works on, and ends well', async () => {
  await using service = onFullDisk(['start'], 'stderr');
  await service.started();
  // Each leaves a line in the log.
  for (let count = 0; count < 3; count++) {
    const { status } = await fetch(new URL('/backchannel-logout', installation.url), { method: 'POST' });
    expect(status).toBe(400);
  }
  expect(await (await fetch(new URL('/livez', installation.url))).text()).toBe('ok');
  service.signal('SIGTERM');
  expect((await service.ended).code).toBe(0);
});

test.each(['protection', 'check --all', 'status --json', 'backup --all'])(
  '%s makes no database where there is none, and finds nothing well in it',
  async (line) => {
    const { DATABASE_URL: _, ...settings } = installation.settings;
    const DATA_DIR = join(installation.folder, 'mistyped');
    await using command = nightkeep(line.split(' '), { ...settings, DATA_DIR }, installation.here);
    const { code, stdout, stderr } = await command.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`There is no database in ${DATA_DIR}/postgres yet, so nothing is known of anybody.`);
    expect(existsSync(DATA_DIR)).toBe(false);
  },
);

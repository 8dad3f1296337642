import { lstat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyReport, type FolderReport } from '../../../../src/store/restorer/report.ts';
import { openRest } from '../../../../src/store/restorer/set-rest.ts';
import { temporaryFolder } from '../../../support/fixtures/temporary-folder.ts';

const moment = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
const times = { atime: moment, mtime: moment };
const report = (): FolderReport => ({ ...emptyReport(), specials: 0, kept: 0, keptBytes: 0, inexact: 0 });

test('times to the nanosecond are gathered and set together, in between where they are many', async () => {
  await using folder = await temporaryFolder('rest');
  const mtimeOf = async (name: string) => (await lstat(join(folder.path, name), { bigint: true })).mtimeNs;
  await Promise.all(['a', 'b'].map((name) => writeFile(join(folder.path, name), name)));
  const before = [await mtimeOf('a'), await mtimeOf('b')];
  const rest = openRest(folder.path, report());
  for (let count = 1; count < 20_000; count += 1) rest.add({ path: 'a', times, extended: [] });
  await rest.setMuch();
  expect(await mtimeOf('a')).toBe(before[0]);
  rest.add({ path: 'a', times, extended: [] });
  await rest.setMuch();
  expect(await mtimeOf('a')).toBe(1_700_000_000_123_456_789n);
  rest.add({ path: 'b', times, extended: [] });
  await rest.setMuch();
  expect(await mtimeOf('b')).toBe(before[1]);
  await rest.setAll();
  expect(await mtimeOf('b')).toBe(1_700_000_000_123_456_789n);
});

test('what cannot be set is a problem of its entry, and the others are set', async () => {
  await using folder = await temporaryFolder('rest');
  await writeFile(join(folder.path, 'there'), '');
  const told = report();
  const rest = openRest(folder.path, told);
  rest.add(undefined);
  for (const path of ['gone', 'there']) rest.add({ path, times, extended: [] });
  await rest.setAll();
  expect(told.problems).toMatchObject([{ path: 'gone', code: 'restore/not-written' }]);
  expect((await lstat(join(folder.path, 'there'), { bigint: true })).mtimeNs).toBe(1_700_000_000_123_456_789n);
});

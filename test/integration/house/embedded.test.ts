import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/database/client.ts';
import { startEmbeddedDatabase } from '../../../src/database/embedded.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

test('a second process uses the embedded PostgreSQL that runs, and leaves it running', async () => {
  await using folder = await temporaryFolder('embedded');
  await using first = await startEmbeddedDatabase(join(folder.path, 'postgres'));
  const second = await startEmbeddedDatabase(join(folder.path, 'postgres'));
  expect(second.url).toBe(first.url);
  await second[Symbol.asyncDispose]();
  const database = await openDatabase(first.url);
  expect(await database.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  await database.$disconnect();
});

test('the pid file of a server that is gone does not keep a new one from starting', async () => {
  await using folder = await temporaryFolder('embedded');
  const first = await startEmbeddedDatabase(join(folder.path, 'postgres'));
  await first[Symbol.asyncDispose]();
  await using again = await startEmbeddedDatabase(join(folder.path, 'postgres'));
  const database = await openDatabase(again.url);
  expect(await database.$queryRaw`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  await database.$disconnect();
});

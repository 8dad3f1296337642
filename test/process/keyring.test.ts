import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';

const rounds = 30;

/** Reads the settings of one folder after the other, each at the same moment as the other thread. */
const program = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { folder, rounds, barrier, config, settings } = workerData;
  import(config).then(({ readConfig }) => {
    const keyrings = [];
    for (let round = 0; round < rounds; round += 1) {
      Atomics.add(barrier, round, 1);
      while (Atomics.load(barrier, round) < 2);
      try {
        keyrings.push(readConfig({ ...settings, DATA_DIR: folder + '/' + round }).keyring);
      } catch (error) {
        keyrings.push(error.message);
      }
    }
    parentPort.postMessage(keyrings);
  });`;

test('two that start at once on an empty folder agree on one keyring, and leave nothing else', async () => {
  await using folder = await temporaryFolder('keyring');
  const barrier = new Int32Array(new SharedArrayBuffer(4 * rounds));
  const settings = {
    OIDC_ISSUER: 'https://id.example',
    OIDC_CLIENT_ID: 'nightkeep',
    OIDC_CLIENT_SECRET: 'secret',
    FILES_URL: 'https://cloud.example/',
  };
  const config = new URL('../../src/config/config.ts', import.meta.url).href;
  const workerData = { folder: folder.path, rounds, barrier, config, settings };
  const read = async (): Promise<string[]> => {
    const [keyrings] = await once(new Worker(program, { eval: true, workerData }), 'message');
    return keyrings;
  };
  const [one = [], two] = await Promise.all([read(), read()]);
  expect(two).toEqual(one);
  expect(new Set(one).size).toBe(rounds);
  for (const keyring of one) expect(keyring).toMatch(/^k1:[\w-]{43}\n$/);
  expect(await readdir(join(folder.path, '0'))).toEqual(['keyring']);
});

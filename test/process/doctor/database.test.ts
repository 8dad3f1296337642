import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedDatabase } from '../../../src/database/server/embedded.ts';
import { migrate } from '../../../src/database/server/migrate.ts';
import { findingLine } from '../../support/fixtures/finding-line.ts';
import { openDoctorFixture, statesOf } from '../../support/harness/doctor.ts';
import { listenSilently } from '../../support/servers/silent-port.ts';

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

const open = async () => opened.use(await openDoctorFixture());

describe('to the doctor, the database', () => {
  test('that takes connections and says nothing is not waited for, and neither is a queue', async () => {
    const { port } = opened.use(await listenSilently());
    const { examine } = await open();
    const began = performance.now();
    const silent = { DATABASE_URL: `postgres://x@127.0.0.1:${port}/x`, REDIS_URL: `redis://127.0.0.1:${port}` };
    const findings = await examine(silent);
    expect(findingLine(findings.get('database'))).toMatch(/^wrong: PostgreSQL does not answer/);
    expect(findings.get('queue')).toMatchObject({ state: 'wrong' });
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test('that is embedded is started to be looked at, and stopped again; before the first start there is none', async () => {
    const { examine, folder } = await open();
    expect(findingLine((await examine()).get('database'))).toMatch(/^unknown: There is no embedded PostgreSQL yet/);
    const home = join(folder, 'postgres');
    const first = await startEmbeddedDatabase(home);
    await migrate(first.ownerUrl);
    await first[Symbol.asyncDispose]();
    const findings = await examine();
    expect(statesOf(findings, 'database', 'migrations', 'grants')).toEqual({
      database: 'ok',
      migrations: 'ok',
      grants: 'ok',
    });
    await expect(access(join(home, 'data', 'postmaster.pid'))).rejects.toThrow('ENOENT');
  });
});

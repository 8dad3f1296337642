import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { consent, openServiceFixture } from '../../support/harness/service-fixture.ts';
import { demo } from '../../support/realms/demo.ts';
import { rclone, startRcloneRest } from '../../support/servers/rclone.ts';
import { s3ProxyJars, startS3Proxy } from '../../support/servers/s3proxy.ts';

const jars = await s3ProxyJars();
let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

interface Report {
  readonly ok: boolean;
  readonly checks: readonly Finding[];
}

/** What the doctor says of the store, and whatever is wrong besides, before the first consent and after a night and an export. */
async function expectWell(settings: { STORE_URL: string; STORE_KEYS: string }): Promise<void> {
  await using fixture = await openServiceFixture(demo('26.7'), { settings: { ...settings, STATE_EXPORTS: '7' } });
  const expectAllWell = async () => {
    const { ok, checks }: Report = JSON.parse(await fixture.command('doctor', '--json'));
    expect({ ok, wrong: checks.filter(({ state }) => state === 'wrong') }).toEqual({ ok: true, wrong: [] });
    const found = (name: string) => checks.find((check) => check.name === name);
    // A busy machine may be slow, which is a warning.
    expect(found('store')?.finding).toMatch(/accepts files|A small file took/);
    for (const name of ['repositories', 'state exports']) expect(found(name)).toMatchObject({ state: 'ok' });
  };
  await expectAllWell();
  await consent(fixture, alice);
  expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
  await fixture.command('export', '--to-store');
  await expectAllWell();
}

test.skipIf(jars === undefined)('the doctor finds nothing wrong with repositories in S3', async () => {
  const server = opened.adopt(await startS3Proxy(jars ?? ''), (one) => one.stop());
  await expectWell({
    STORE_URL: `s3://backups/people?endpoint=${encodeURIComponent(server.url)}&region=us-east-1&style=path`,
    STORE_KEYS: `${server.accessKeyId} ${server.secretAccessKey}`,
  });
});

test.skipIf(rclone === undefined)('nor at a server that speaks the REST protocol of restic', async () => {
  const { path } = opened.use(await temporaryFolder('rest'));
  const [user, password] = ['nightkeep', 'a-secret-of-the-tests'];
  const server = opened.adopt(await startRcloneRest(path, { credentials: { user, password } }), (one) => one.stop());
  const address = Object.assign(new URL(server.url), { username: user });
  await expectWell({ STORE_URL: `rest:${address.href}`, STORE_KEYS: `${user} ${password}` });
});

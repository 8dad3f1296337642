import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import { parseStoreAddress } from '../../../src/domain/store-address.ts';
import { openStores } from '../../../src/store/stores.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { openHttpRelay } from '../../support/servers/http-relay.ts';
import { resticProgram } from '../../support/servers/restic.ts';
import { s3ProxyJars, startS3Proxy } from '../../support/servers/s3proxy.ts';

/** What somebody types into a shell in this folder, with the password that restic then asks for. */
async function type(command: string, { cwd, password }: { cwd: string; password: string }): Promise<string> {
  const child = spawn('bash', ['-e', '-c', command], { cwd, env: { PATH: process.env.PATH, HOME: cwd } });
  child.stdin.end(`${password}\n`);
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (child.exitCode === 0) return said;
  throw new Error(`${command} ended with ${child.exitCode}: ${complaints}`);
}

const jars = await s3ProxyJars();

/** Somebody who was backed up once, and their sheet. */
async function sheetOf(fixture: ConsentFixture): Promise<string> {
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const plan = await fixture.resources.database.plan.findFirstOrThrow();
  await fixture.resources.database.run.updateMany({ data: { state: 'cancelled' } });
  await fixture.backUp(plan.id);
  return (await guest.post('/recovery', {})).text();
}

test.skipIf(resticProgram === undefined || jars === undefined)(
  'what it says of an object store brings everything back with a key that may only read, without Nightkeep',
  async () => {
    await using elsewhere = await temporaryFolder('elsewhere');
    await using server = await startS3Proxy(jars ?? '');
    await using relay = await openHttpRelay(server.url);
    await using stores = openStores(
      { storeKeys: [{ id: server.accessKeyId, secret: server.secretAccessKey }] },
      systemClock(),
    );
    const address = parseStoreAddress(`s3://backups/people?endpoint=${relay.origin}&region=eu-1`);
    await using fixture = await openConsentFixture({ store: (location) => stores.open(address, location) });
    const sheet = await sheetOf(fixture);
    const [password = ''] = /[a-z2-9]{5}(-[a-z2-9]{5}){5}/.exec(sheet) ?? [];
    const [unix = ''] = [...sheet.matchAll(/<pre[^>]*><code>([^<]*)<\/code>/g)].map(([, code = '']) => code);
    expect(sheet).not.toContain(server.secretAccessKey);
    const [key = '', list = '', restore = ''] = unix
      .replaceAll('&#39;', "'")
      .replace("'ID'", `'${server.accessKeyId}'`)
      .replace("'SECRET'", `'${server.secretAccessKey}'`)
      .split('\n');
    relay.decide(({ method }) => (method === 'GET' || method === 'HEAD' ? 'pass' : { refuse: 403 }));
    expect(await type(`${key}\n${list}`, { cwd: elsewhere.path, password })).toContain('1 snapshots');
    await type(`${key}\n${restore}`, { cwd: elsewhere.path, password });
    const files = join(elsewhere.path, 'restored', 'files');
    expect(await readFile(join(files, 'sub', 'b.txt'), 'utf8')).toBe('two');
  },
);

test.skipIf(resticProgram === undefined)(
  'what the recovery sheet says brings everything back from a copy of the folder that it names, without Nightkeep',
  async () => {
    await using fixture = await openConsentFixture();
    await using elsewhere = await temporaryFolder('elsewhere');
    const sheet = await sheetOf(fixture);
    const [password = ''] = /[a-z2-9]{5}(-[a-z2-9]{5}){5}/.exec(sheet) ?? [];
    const [folder = ''] = await readdir(fixture.storeFolder);
    expect(sheet).toContain(`the folder ${folder}.`);
    await cp(join(fixture.storeFolder, folder), join(elsewhere.path, folder), { recursive: true });
    const [unix = '', windows = ''] = [...sheet.matchAll(/<pre[^>]*><code>([^<]*)<\/code>/g)].map(
      ([, code = '']) => code,
    );
    const lines = unix.split('\n');
    expect(lines).toHaveLength(2);
    expect(windows).toBe(unix.replaceAll('./', '.\\'));
    const [list = '', restore = ''] = lines;
    expect(await type(list, { cwd: elsewhere.path, password })).toContain('1 snapshots');
    await type(restore, { cwd: elsewhere.path, password });
    const files = join(elsewhere.path, 'restored', 'files');
    expect(await readFile(join(files, 'a.txt'), 'utf8')).toBe('one');
    expect(await readFile(join(files, 'sub', 'b.txt'), 'utf8')).toBe('two');
  },
);

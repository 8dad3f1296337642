import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DemoCloud } from '../../demo/cloud/cloud.ts';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { type Installation, openInstallation } from '../support/harness/installation.ts';
import { consent } from '../support/harness/service-fixture.ts';
import type { Visitor } from '../support/realms/realm.ts';
import { requireProgram } from '../support/servers/programs.ts';

const [mounter, unmounter] = ['mount', 'umount'].map((name) => requireProgram(name, 'apt-get install mount') ?? '');
const mount = (...words: string[]) => void execFileSync(mounter ?? '', words, { stdio: 'pipe' });

/** A disk of its own; undefined, and said loudly, where this user may not mount one. */
const disk = mountDisk();
let opened: AsyncDisposableStack;
let installation: Installation;
let visitor: Visitor;
let store: string;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  if (disk !== undefined) opened.defer(() => unmount(disk));
  store = join(disk ?? opened.use(await temporaryFolder('store')).path, 'store');
  installation = opened.use(await openInstallation({ settings: { STORE_URL: pathToFileURL(store).href } }));
  await installation.start();
  visitor = await consent(installation, alice);
});
afterAll(() => opened.disposeAsync());

function mountDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'nightkeep-disk-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=4m', 'nightkeep', path);
    return path;
  } catch {
    rmSync(path, { recursive: true });
    process.stderr.write('\n!!! SKIPPED: a store that is full or read-only. Only root may mount one.\n\n');
    return undefined;
  }
}

function unmount(path: string): void {
  execFileSync(unmounter ?? '', ['--lazy', path]);
  rmSync(path, { recursive: true });
}

/** A change of the cloud, and the run that is asked for then. */
async function backUp() {
  installation.cloud.write(alice.username, 'Written meanwhile.txt', randomBytes(100_000));
  await visitor.open(installation.url.href);
  await visitor.press(texts.home.now);
  await installation.atRest();
  return installation.database.run.findFirstOrThrow({ orderBy: { queuedAt: 'desc' } });
}

/** A run in a store that is harmed waits and says why; asked for again once it is mended, all is as it should be. */
async function expectCure(
  told: string,
  harm: () => unknown,
  mend: () => unknown,
  errorCode = 'store/unavailable',
): Promise<void> {
  await harm();
  try {
    expect(await backUp()).toMatchObject({ state: 'queued', errorCode, message: expect.stringContaining(told) });
    await visitor.open(visitor.url());
    expect(await visitor.text()).toContain(told);
  } finally {
    await mend();
  }
  expect(await backUp()).toMatchObject({ state: 'succeeded' });
  expect(await installation.restored(alice)).toEqual(filesOf(installation.cloud));
}

function filesOf(cloud: DemoCloud): Map<string, string> {
  const files = [...cloud.contents(alice.username)].flatMap(([path, entry]): [string, string][] =>
    entry.kind === 'file' ? [[path, Buffer.from(entry.bytes).toString('latin1')]] : [],
  );
  return new Map(files);
}

test('a store that is a file', () => {
  const harm = async () => {
    await rename(store, `${store} elsewhere`);
    await writeFile(store, '');
  };
  const mend = async () => {
    await rm(store);
    await rename(`${store} elsewhere`, store);
  };
  return expectCure('lies where a file is. Give it the address of a folder.', harm, mend);
});

test.skipIf(disk === undefined)('a store that is read-only', () => {
  const remount = (how: string) => mount('-o', `remount,${how}`, disk ?? '');
  const told = 'is mounted read-only. Remount it for writing.';
  return expectCure(
    told,
    () => remount('ro'),
    () => remount('rw'),
  );
});

test.skipIf(disk === undefined)('a store that is full', () => {
  const filler = join(disk ?? '', 'filler');
  const told = 'is full. Make room there, or give it a larger disk.';
  const fill = () => expect(writeFile(filler, Buffer.alloc(8_000_000))).rejects.toMatchObject({ code: 'ENOSPC' });
  const harm = async () => {
    await fill();
    for (const words of ['check --all', 'stats --all', 'prune --all --dry-run', 'repair --all --dry-run'])
      expect(await installation.run(words.split(' '))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(told),
      });
    expect(await installation.restored(alice)).not.toEqual(new Map());
  };
  return expectCure(told, harm, () => rm(filler), 'store/full');
});

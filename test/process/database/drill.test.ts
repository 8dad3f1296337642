import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { commandsIn, openShell } from '../../support/harness/documented.ts';
import { type Installation, openInstallation } from '../../support/harness/installation.ts';
import { eventually } from '../../support/harness/nightkeep.ts';

/** Everything in DATA_DIR: database, keyring and store. */
const embedded = { DATABASE_URL: '', KEYRING: '', STORE_URL: '' };

let installation: Installation;
let follow: Awaited<ReturnType<typeof openShell>>;
let at: { DATA_DIR: string; COPY: string; SAFE: string; NEW: string };
beforeAll(async () => {
  installation = await openInstallation();
  const { folder } = installation;
  at = {
    DATA_DIR: join(folder, 'data'),
    COPY: join(folder, 'copy'),
    SAFE: join(folder, 'safe'),
    NEW: join(folder, 'new'),
  };
  follow = await openShell(installation, { ...embedded, ...at, SOMEBODY: alice.username });
});
afterAll(() => installation?.[Symbol.asyncDispose]());

test('what the documentation says of backing up Nightkeep brings it back from the copies alone', {
  timeout: 480_000,
  retry: 0,
}, async () => {
  const service = await installation.start({ ...embedded, DATA_DIR: at.DATA_DIR });
  const visitor = await installation.visitor(alice);
  await visitor.open(new URL('login', installation.url).href);
  await visitor.open(new URL('consent', installation.url).href);
  await visitor.press(texts.consent.agree);
  await eventually(async () => {
    await visitor.open(installation.url.href);
    return (await visitor.text()).includes(texts.home.protected);
  });
  service.signal('SIGTERM');
  expect(await service.ended).toMatchObject({ code: 0 });

  const [backUp = '', toFile = '', fromFile = '', toStore = '', fromStore = '', ...others] = await commandsIn(
    'operations.md',
    '## Backing up Nightkeep itself',
  );
  const [drill = ''] = await commandsIn('operations.md', '### The drill');
  expect(others).toEqual([]);
  await follow(backUp);
  expect(await readdir(at.SAFE)).toEqual(['nightkeep-keyring']);
  expect(await follow(toFile)).toContain('people agree again');
  expect(await follow(toStore)).toContain('1 export now');
  const said = await follow(drill);
  expect(said).toContain('alice: no errors were found (1 snapshot,');
  const restored = await readdir(join(at.NEW, 'restored'), { recursive: true });
  expect(restored.length).toBeGreaterThan(installation.cloud.contents(alice.username).size);

  const again = await installation.start({ ...embedded, DATA_DIR: at.NEW });
  await visitor.open(installation.url.href);
  expect(await visitor.text()).toContain(texts.home.protected);
  again.signal('SIGTERM');
  expect(await again.ended).toMatchObject({ code: 0 });

  // The same from the exports, each into an installation of which nothing but keyring and store is left.
  for (const bring of [fromFile, fromStore]) {
    await rm(at.NEW, { recursive: true });
    await mkdir(at.NEW);
    await cp(join(at.SAFE, 'nightkeep-keyring'), join(at.NEW, 'keyring'));
    await cp(join(at.DATA_DIR, 'store'), join(at.NEW, 'store'), { recursive: true });
    const told = await follow(`${bring}\nnightkeep check --all`, { DATA_DIR: at.NEW });
    expect(told).toContain('People are asked to agree again');
    expect(told).toContain('alice: no errors were found (1 snapshot,');
  }
});

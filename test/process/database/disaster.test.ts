import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alice, bob, type Person } from '../../../demo/people.ts';
import { openCard } from '../../../src/flows/adoption/keep-card.ts';
import { markPlaces } from '../../../src/flows/keys/marks.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { loadCards } from '../../../src/store/repository/cards.ts';
import { openRepository } from '../../../src/store/repository/repository.ts';
import { statePlace } from '../../../src/store/state-exports.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { commandsIn, openShell } from '../../support/harness/documented.ts';
import { type Installation, openInstallation } from '../../support/harness/installation.ts';
import { eventually } from '../../support/harness/nightkeep.ts';
import { restic } from '../../support/servers/restic.ts';

/** The database and the keyring are in DATA_DIR; the store is a folder of its own. */
const embedded = { DATABASE_URL: '', KEYRING: '' };

let installation: Installation;
let at: { DATA_DIR: string; SAFE: string; RESTORED: string };
let store: string;
let follow: Awaited<ReturnType<typeof openShell>>;
let after: string[];
beforeAll(async () => {
  // All nights of the drill are of one day.
  installation = await openInstallation({ settings: { RETENTION: 'last=10' } });
  const { folder } = installation;
  at = { DATA_DIR: join(folder, 'data'), SAFE: join(folder, 'safe'), RESTORED: join(folder, 'restored') };
  store = join(folder, 'store');
  follow = await openShell(installation, { ...embedded, ...at, SOMEBODY: alice.username });
});
afterAll(() => installation?.[Symbol.asyncDispose]());

/** Each step is a process with a PostgreSQL of its own, and none can be done twice. */
const limits = { timeout: 480_000, retry: 0 };

const startAnew = () => installation.start({ ...embedded, DATA_DIR: at.DATA_DIR });

/** Signs in, agrees, and waits for the backup that follows. */
async function agree(person: Person) {
  const visitor = await installation.visitor(person);
  await visitor.open(new URL('login', installation.url).href);
  const welcome = await visitor.text();
  await visitor.open(new URL('consent', installation.url).href);
  await visitor.press(texts.consent.agree);
  await eventually(async () => {
    await visitor.open(installation.url.href);
    return (await visitor.text()).includes(texts.home.protected);
  });
  return welcome;
}

/** The repositories with their snapshots, oldest first, opened with nothing but keyring and store. */
async function look() {
  const keyring = parseKeyring(await readFile(join(at.SAFE, 'nightkeep-keyring'), 'utf8'));
  const locations = (await readdir(store)).filter((name) => name !== statePlace && !name.startsWith(markPlaces));
  const looked = locations.map(async (location) => {
    const backend = openLocalBackend(join(store, location));
    const [card] = (await loadCards(backend)).map((bytes) => openCard(keyring, location, bytes));
    const password = card?.password ?? '';
    const repository = await openRepository(backend, password);
    const snapshots = await Array.fromAsync(repository.listSnapshots());
    return { username: card?.owner.username, location: backend.location, password, snapshots };
  });
  const all = await Promise.all(looked);
  return all.toSorted((a, b) => String(a.username).localeCompare(String(b.username)));
}

test(
  'what the documentation says of a lost server brings everybody back from keyring and store alone',
  limits,
  async () => {
    const service = await startAnew();
    for (const person of [alice, bob]) await agree(person);
    for (let night = 1; night < 3; night += 1) await follow('nightkeep backup --all --wait');
    service.signal('SIGTERM');
    expect(await service.ended).toMatchObject({ code: 0 });
    const [keep = '', ...before_] = await commandsIn('disaster.md', '## Before');
    expect(before_).toEqual([]);
    await follow(keep);
    const before = await look();
    expect(before.map(({ username, snapshots }) => [username, snapshots.length])).toEqual([
      ['alice', 3],
      ['bob', 3],
    ]);

    await rm(at.DATA_DIR, { recursive: true });
    const began = performance.now();
    after = await commandsIn('disaster.md', '## After');
    const [putBack = '', bringBack = '', dryRun = '', adopt = '', restore = '', start = '', checks = '', ...others] =
      after;
    expect(others).toEqual([]);
    await follow(putBack);
    // Nothing was exported: the steps that follow do without.
    await expect(follow(bringBack)).rejects.toThrow(/no export in.*nightkeep adopt/s);
    expect(await follow(dryRun)).toMatch(/^alice \(\S+\): would be adopted, 3 snapshots/m);
    const said = await follow(adopt);
    for (const { username } of before) expect(said).toMatch(new RegExp(`^${username} .*: adopted, 3 snapshots`, 'm'));
    await follow(restore);
    const files = (await readdir(at.RESTORED, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
    expect(files).toHaveLength(before[0]?.snapshots.at(-1)?.snapshot.summary?.total_files_processed ?? 0);
    expect(files.length).toBeGreaterThan(50);
    const restoredMs = performance.now() - began;

    expect(start.trim()).toBe('nightkeep start');
    const again = await startAnew();
    for (const person of [alice, bob]) expect(await agree(person)).toContain(texts.home.adopted.slice(0, 40));
    const whole = await follow(checks);
    for (const name of ['alice', 'bob']) expect(whole).toContain(`${name}: no errors were found (4 snapshots`);
    again.signal('SIGTERM');
    expect(await again.ended).toMatchObject({ code: 0 });

    for (const [index, { location, password, snapshots }] of (await look()).entries()) {
      expect(snapshots.slice(0, 3).map(({ id }) => id)).toEqual(before[index]?.snapshots.map(({ id }) => id));
      const [last, next] = [before[index]?.snapshots.at(-1), snapshots.at(-1)];
      expect(next?.snapshot.parent).toBe(last?.id);
      const files = last?.snapshot.summary?.total_files_processed;
      expect(next?.snapshot.summary).toMatchObject({ files_new: 0, files_changed: 0, files_unmodified: files });
      expect(await restic({ repository: location, password }, 'check', '--read-data')).toContain(
        'no errors were found',
      );
    }
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    console.info(
      `The drill: files of the first person after ${seconds(restoredMs)}, everybody protected and checked after ${seconds(performance.now() - began)}.`,
    );
  },
);

test('with an export in the store its steps bring back what Nightkeep knew besides', limits, async () => {
  await follow('nightkeep export --to-store');
  const runs = JSON.parse(await follow('nightkeep runs --json'));
  expect(runs).not.toEqual([]);
  await rm(at.DATA_DIR, { recursive: true });
  await rm(at.RESTORED, { recursive: true });
  const [putBack = '', bringBack = '', dryRun = '', adopt = '', restore = '', , checks = ''] = after;
  await follow(putBack);
  expect(await follow(bringBack)).toMatch(/^\d{4}-.*of Nightkeep.*\nImported \d+ rows/s);
  for (const step of [dryRun, adopt]) expect(await follow(step)).toMatch(/^(\S+: is known here\n){2}$/);
  await follow(restore);
  const users = await follow('nightkeep users');
  for (const { username } of [alice, bob]) expect(users).toContain(username);
  expect(JSON.parse(await follow('nightkeep runs --json'))).toHaveLength(runs.length);
  expect(await follow(checks)).toContain('alice: no errors were found (4 snapshots');
});

test(
  'without the keyring its command gives back what the recovery key opens, once its person has signed in',
  limits,
  async () => {
    const service = await startAnew();
    const visitor = await installation.visitor(alice);
    const signIn = () => visitor.open(new URL('login', installation.url).href);
    await signIn();
    await visitor.open(new URL('recovery', installation.url).href);
    await visitor.press(texts.recovery.show);
    const sheet = await visitor.text();
    const [recoveryKey = ''] = /[a-z2-9]{5}(-[a-z2-9]{5}){5}/.exec(sheet) ?? [];
    const FOLDER = (await look())[0]?.location.split('/').at(-1) ?? '';
    expect(sheet).toContain(FOLDER);
    service.signal('SIGTERM');
    await service.ended;
    await writeFile(join(at.SAFE, 'recovery-key'), recoveryKey);

    await rm(at.DATA_DIR, { recursive: true });
    const again = await startAnew();
    await signIn();
    const [byKey = '', ...others] = await commandsIn('disaster.md', '## Without the keyring');
    expect(others).toEqual([]);
    await expect(follow('nightkeep adopt --dry-run')).rejects.toThrow(/altered.*show with their recovery key/s);
    expect(await follow(byKey, { FOLDER })).toMatch(/^alice .*: adopted, 4 snapshots/);
    await visitor.open(installation.url.href);
    expect(await visitor.text()).toContain(texts.home.adopted.slice(0, 40));
    again.signal('SIGTERM');
    expect(await again.ended).toMatchObject({ code: 0 });
  },
);

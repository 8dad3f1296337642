import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { type Demo, startDemo } from '../../../demo/demo.ts';
import { answer } from '../../../demo/interactive.ts';
import { alice } from '../../../demo/people.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';

const opened = new AsyncDisposableStack();
const broken = new Set<string>();
let demo: Demo;

beforeAll(async () => {
  demo = opened.use(await startDemo({ folder: opened.use(await temporaryFolder('showings')).path, log: () => {} }));
});
afterAll(() => opened.disposeAsync());

/** What the demo prints for a key; every line fits a terminal of 80 columns. */
const press = async (key: string) => {
  const text = (await Array.fromAsync(answer(demo, key, broken))).join('\n');
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  return text.replace(/\s+/g, ' ');
};
const well = /alice \d{4}-\d\d-\d\d: succeeded/;

/** A page as alice sees it, signed in anew: every night ends her session. */
const asAlice = async (path: string) => {
  await using browser = openBrowser();
  await signIn(browser, await browser.open(new URL('login', demo.url).href), alice);
  return browser.open(new URL(path, demo.url).href);
};
/** What home says of her. */
const reason = async () => {
  const { id } = await demo.resources.database.user.findFirstOrThrow({ where: { username: alice.username } });
  return (await findProtection(demo.resources, id)).reason;
};

test('nothing is shown before alice has agreed, and one key lets her agree', async () => {
  expect(await press('l')).toContain('alice has not agreed to backups yet');
  expect(await press('a')).toMatch(well);
  expect((await asAlice('/')).text).toContain(texts.home.protected);
});

test.each([
  ['w', 'server_away'],
  ['p', 'provider_away'],
  ['o', 'provider_trouble'],
  ['r', 'permission_missing'],
  ['c', 'consent_refused'],
])('%s shows what it says, home gives the reason %s, and pressed again it is well', async (key, because) => {
  const shown = await press(key);
  expect(shown).toContain('Look: ');
  expect(shown).toContain(`Press ${key} once more to put it right.`);
  expect(await reason()).toBe(because);
  expect(await press('?')).toContain(`${key} put right: `);
  expect(await press(key)).toMatch(well);
  expect(await reason()).toBe('complete');
});

test('a spoilt file is found by a check and given to nobody, and is there again afterwards', async () => {
  const shown = await press('d');
  const [, path = ''] = /It affects: \/?([^,]+?\.\w+)(,| Look)/.exec(shown) ?? [];
  expect(path).toMatch(/^files\//);
  const latest = await demo.resources.database.run.findFirstOrThrow({
    where: { snapshotId: { not: null }, plan: { user: { username: 'alice' } } },
    orderBy: { finishedAt: 'desc' },
  });
  const address = `/snapshots/${latest.snapshotId}/file/${path.split('/').map(encodeURIComponent).join('/')}`;
  const refused = await asAlice(address).then(
    ({ status }) => status >= 500,
    () => true,
  );
  expect(refused).toBe(true);
  expect(await press('d')).toContain('finds nothing wrong');
  expect((await asAlice(address)).status).toBe(200);
});

test('a lost answer costs one consent, which agreeing again mends', async () => {
  const shown = await press('n');
  expect(shown).toContain('lost_rotation');
  expect(shown.match(/lost_rotation/g)).toHaveLength(1);
  expect(await press('n')).toContain('succeeded');
  expect(await reason()).toBe('complete');
});

test.each([
  ['l', 'a great loss', 'great_loss'],
  ['e', 'a great change', 'great_change'],
])('%s is told by the terminal and by home', async (key, said, because) => {
  expect(await press(key)).toContain(`${said}: somebody should look`);
  expect(await reason()).toBe(because);
});

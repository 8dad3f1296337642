import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { type Demo, startDemo } from '../../../demo/demo.ts';
import { answer, welcome } from '../../../demo/interactive.ts';
import { settledRuns } from '../../../demo/nights.ts';
import { alice } from '../../../demo/people.ts';
import { dayMs } from '../../../src/durations.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { sealRows } from '../../support/harness/row-seals.ts';

const opened = new AsyncDisposableStack();
let demo: Demo;

beforeAll(async () => {
  demo = opened.use(await startDemo({ folder: opened.use(await temporaryFolder('demo')).path }));
});
afterAll(() => opened.disposeAsync());

/** What the demo prints for a line that is typed; every line fits a terminal of 80 columns. */
const type = async (typed: string) => {
  const text = (await Array.fromAsync(answer(demo, typed))).join('\n');
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  return text;
};

test('the demo names the people and what to try, and each line fits 80 columns', async () => {
  const text = welcome(demo, { store: '/tmp/nightkeep-demo-abcdef/store', log: '/tmp/nightkeep-demo-abcdef/log' });
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  for (const named of ['alice', 'bob', 'carol', '31d', demo.url.href, demo.cloud.url]) expect(text).toContain(named);
  expect(await type('')).toContain('Nobody has agreed to backups');
  expect(await type('tomorrow')).toContain('Enter: the next night');
});

test('a night that passes says how it went for each person', async () => {
  const since = demo.resources.clock.now();
  await using browser = openBrowser();
  await signIn(browser, await browser.open(new URL('login', demo.url).href), alice);
  const terms = await browser.open(new URL('consent', demo.url).href);
  await signIn(browser, await browser.submit(terms, { action: '/consent' }), alice);
  expect(await settledRuns(demo, since)).toMatchObject([{ username: 'alice', state: 'succeeded' }]);

  demo.cloud.write('alice', 'Notes/Written by day.txt', 'by day');
  const text = await type('');
  expect(text).toMatch(/alice +\d{4}-\d\d-\d\d: succeeded, \d+ entries, 1 read, /);
  expect(text).toMatch(/bob +has not agreed/);
});

test('after a night, whoever signs in once more is believed to have done so just now', async () => {
  await using browser = openBrowser();
  const fresh = new URL('login?fresh=yes&returnTo=%2Fsettings%2Ferase', demo.url);
  const page = await signIn(browser, await browser.open(fresh.href), alice);
  expect(page.forms.map(({ action }) => action)).toContain('/settings/erase');
});

test('a month that passes passes for Nightkeep, the provider and the cloud, and ends the consent that nobody used', async () => {
  expect(demo.provider.log.alive()).toMatchObject([{ clientId: 'nightkeep', subject: alice.subject }]);
  const text = await type('31d');
  expect(text).toMatch(/alice .*failed|alice +consent refused by the provider \(expired_idle\)/);
  expect(text).toContain('that is the point');
  expect(demo.provider.log.grants()).toMatchObject([{ alive: false, endedBy: 'idle' }]);

  const { headers } = await fetch(`${demo.provider.issuer}/.well-known/openid-configuration`);
  const apart = Date.parse(headers.get('date') ?? '') - demo.resources.clock.now().getTime();
  expect(Math.abs(apart)).toBeLessThan(10_000);
  demo.cloud.write('alice', 'Notes/Written later.txt', 'later');
  const written = demo.cloud.contents('alice').get('Notes/Written later.txt');
  expect(written?.kind === 'file' && written.modified.getTime()).toBeGreaterThan(Date.now() + 30 * dayMs);
});

test('what a worker does besides its runs is done by the clock of the demo too: snapshots that were to go in ten days are gone after a month', async () => {
  const { clock, database, store } = demo.resources;
  const since = clock.now();
  const { id, location } = await database.repository.findFirstOrThrow();
  const folder = store(location, null).location;
  expect((await readdir(folder)).length).toBeGreaterThan(0);
  const exported = () => database.stateExport.findFirst({ select: { madeAt: true } });
  expect((await exported())?.madeAt?.getTime() ?? 0).toBeLessThan(since.getTime() + dayMs);
  await database.repository.update({ where: { id }, data: { eraseAt: new Date(since.getTime() + 10 * dayMs) } });
  await sealRows(demo.resources);
  await type('31d');
  expect(await database.repository.count({ where: { id } })).toBe(0);
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
  expect((await exported())?.madeAt?.getTime()).toBeGreaterThan(since.getTime() + 30 * dayMs);
});

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Demo, startDemo } from '../../demo/demo.ts';
import { alice } from '../../demo/people.ts';
import { saveRunProgress } from '../../src/database/run-progress.ts';
import { addDays } from '../../src/domain/nights.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../support/servers/programs.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');
/** Where the pictures are left, for people to look at. */
const pictures = process.env.SCREENSHOTS;
const shapes = [
  ['wide', 1280, 'light'],
  ['wide', 1280, 'dark'],
  ['phone', 390, 'light'],
  ['phone', 390, 'dark'],
] as const;
const day = 86_400_000;

describe.skipIf(executablePath === undefined)('pages in every shape', () => {
  const opened = new AsyncDisposableStack();
  const axe = () => readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  let demo: Demo;
  let context: BrowserContext;
  let page: Page;
  let ended: string;
  let running: string;

  beforeAll(async () => {
    demo = opened.use(await startDemo({ folder: opened.use(await temporaryFolder('shapes')).path }));
    const browser: Browser = opened.adopt(
      await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] }),
      (open) => open.close(),
    );
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await signInAndAgree();
    await addYear();
    if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
  });
  afterAll(() => opened.disposeAsync());

  const address = (path: string) => new URL(path, demo.url).href;

  async function signInAndAgree() {
    await page.goto(address('login'));
    await page.fill('input[name=username]', alice.username);
    await page.fill('input[name=password]', alice.password);
    await page.press('input[name=password]', 'Enter');
    for (const allow = page.locator('[name=decision][value=allow]'); await allow.count(); ) await allow.click();
    await page.goto(address('consent'));
    await page.getByRole('button', { name: 'Agree and continue to the provider' }).click();
    await page.locator('[name=decision][value=allow]').click();
    await page.waitForURL(demo.url.href);
    const { database } = demo.resources;
    const finished = () => database.run.count({ where: { finishedAt: { not: null } } });
    await vi.waitUntil(async () => (await finished()) === 1, { timeout: 60_000, interval: 200 });
  }

  /** Nights before the first one, and a run that goes on. */
  async function addYear() {
    const { clock, database } = demo.resources;
    const first = await database.run.findFirstOrThrow();
    const problems = [
      {
        path: 'files/Letters/a long name \u202efdp.exe',
        code: 'source/forbidden',
        message: 'Not allowed.',
        kept: false,
      },
    ];
    const nights = Array.from({ length: 300 }, (_, index) => {
      const at = new Date(first.queuedAt.getTime() - (index + 1) * day);
      const state =
        index % 23 === 3 ? ('failed' as const) : index % 19 === 5 ? ('partial' as const) : ('succeeded' as const);
      const held =
        state === 'failed'
          ? { message: 'The server did not answer.' }
          : {
              snapshotId: 'ab'.repeat(32),
              counts: {
                entries: 5_000,
                totalBytes: 4e9 - index * 1e7,
                dataAdded: 1e6 * ((index * 37) % 60),
                filesNew: 12,
                filesChanged: 3,
                entriesGone: 1,
                entriesKept: 0,
              },
            };
      const unread = state === 'partial' ? { problems, problemCount: 1 } : {};
      const times = { dueAt: at, queuedAt: at, startedAt: at, finishedAt: new Date(at.getTime() + 90_000) };
      return {
        id: randomUUID(),
        planId: first.planId,
        night: addDays(first.night, -index - 1),
        trigger: 'schedule',
        state,
        ...times,
        ...held,
        ...unread,
      };
    });
    await database.run.createMany({ data: nights });
    ended = nights.find(({ state }) => state === 'partial')?.id ?? '';
    running = randomUUID();
    const at = clock.now();
    const until = new Date(at.getTime() + day);
    await database.run.create({
      data: {
        id: running,
        planId: first.planId,
        night: first.night,
        slot: 'shown',
        trigger: 'person',
        state: 'running',
        fence: 1,
        queuedAt: at,
        dueAt: at,
        startedAt: at,
        triedUntil: until,
        leaseUntil: until,
      },
    });
    await tell(1_200);
  }

  const tell = (entries: number) =>
    saveRunProgress(
      demo.resources.database,
      [
        {
          id: running,
          fence: 1,
          progress: {
            step: 'reading',
            entries,
            expected: 5_000,
            problems: 1,
            bytesRead: 38e6,
            requests: 900,
            ms: 21_000,
            folder: 'files/Documents/Letters',
          },
        },
      ],
      demo.resources.clock.now(),
    );

  const places = {
    home: () => '/',
    nights: () => '/nights',
    'run-ended': () => `/runs/${ended}`,
    'run-under-way': () => `/runs/${running}`,
    'run-cancel': () => `/runs/${running}/cancel`,
    snapshots: () => '/snapshots',
    consent: () => '/grant',
    withdraw: () => '/grant/withdraw',
    recovery: () => '/recovery',
    settings: () => '/settings',
  };

  const names = Object.keys(places) as (keyof typeof places)[];

  /** Looks at a page in these shapes, and leaves pictures of it. */
  async function lookAt(name: keyof typeof places, some: readonly (typeof shapes)[number][], language = '') {
    const refused: string[] = [];
    page.on('console', (message) => message.type() === 'error' && refused.push(message.text()));
    for (const [width, pixels, colorScheme] of some) {
      await page.setViewportSize({ width: pixels, height: 800 });
      await page.emulateMedia({ colorScheme });
      const answer = await page.goto(address(places[name]()));
      expect((await answer?.body())?.length).toBeLessThan(100_000);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(pixels);
      if (pictures !== undefined)
        await page.screenshot({
          path: join(pictures, `${name}-${width}-${colorScheme}${language}.png`),
          fullPage: true,
        });
      await page.evaluate(axe());
      expect(
        await page.evaluate(
          'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))',
        ),
      ).toEqual([]);
    }
    await page.setViewportSize({ width: 320, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    expect(refused).toEqual([]);
  }

  it.each(names)(
    '%s is small, fits, has no fault that axe knows, and is done by scripts and styles of our own',
    async (name) => lookAt(name, shapes),
  );

  describe('in German', () => {
    const speak = async (language: string) => {
      await page.goto(address('/'));
      await page.getByRole('button', { name: language }).click();
      await page.waitForURL(address('/'));
    };
    beforeAll(() => speak('Deutsch'));
    afterAll(() => speak('English'));

    it.each(names)('%s fits with its longer words too, and axe finds nothing', async (name) => {
      await lookAt(name, [shapes[0], shapes[2]], '-de');
      expect(await page.getAttribute('html', 'lang')).toBe('de');
    });
  });

  it('a night is a link that the keyboard reaches, or passes over at once', async () => {
    await page.goto(address('/'));
    await page.getByRole('link', { name: 'Skip the nights' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('recent');
    await page.locator('.heat a').last().focus();
    await Promise.all([page.waitForURL(/\/(nights|runs)\//), page.keyboard.press('Enter')]);
    expect(await page.textContent('h1')).toMatch(/^Backups? of /);
  });

  it('a run under way is kept up to date without loading the page again, until it ends', async () => {
    await page.goto(address(`/runs/${running}`));
    await page.evaluate('window.isSame = true');
    await tell(2_345);
    await page.getByText('2,345 of about 5,000').waitFor();
    expect(await page.evaluate('window.isSame')).toBe(true);
    expect(await page.locator('progress').getAttribute('value')).toBe('2345');
    await demo.resources.database.run.update({
      where: { id: running },
      data: { state: 'failed', finishedAt: demo.resources.clock.now(), message: 'The server did not answer.' },
    });
    await page.getByText('The server did not answer.').waitFor();
    expect(await page.evaluate('window.isSame')).toBeUndefined();
    expect(await page.locator('[data-live]').count()).toBe(0);
  });

  it('without scripts it loads itself again', async () => {
    await demo.resources.database.run.update({
      where: { id: running },
      data: { state: 'running', finishedAt: null, message: null },
    });
    const plain = await context
      .browser()
      ?.newContext({ javaScriptEnabled: false, storageState: await context.storageState() });
    const without = await plain?.newPage();
    await without?.goto(address(`/runs/${running}`));
    await tell(3_456);
    await without?.getByText('3,456 of about 5,000').waitFor({ timeout: 15_000 });
    await plain?.close();
  });

  it('cancelling it is a step and a button, and home then goes on as before', async () => {
    await page.goto(address(`/runs/${running}`));
    await page.getByRole('link', { name: 'Cancel this backup' }).click();
    await page.getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('cancelled').first().waitFor();
    await page.goto(address('/'));
    expect(await page.textContent('h1')).toBe('Yes, you are protected.');
  });
});

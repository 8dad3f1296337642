import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Demo, startDemo } from '../../demo/demo.ts';
import { alice, type Person } from '../../demo/people.ts';
import { dayMs } from '../../src/durations.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../support/servers/programs.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');

describe.skipIf(executablePath === undefined)('a person with a browser', () => {
  const opened = new AsyncDisposableStack();
  let demo: Demo;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    demo = opened.use(await startDemo({ folder: opened.use(await temporaryFolder('browser')).path }));
    browser = opened.adopt(
      await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] }),
      (open) => open.close(),
    );
    page = await newPage();
  });
  afterAll(() => opened.disposeAsync());

  const newPage = async () => {
    const fresh = await browser.newPage();
    fresh.setDefaultTimeout(20_000);
    return fresh;
  };
  const reloaded = async () => {
    await page.goto(demo.url.href);
    return page.textContent('main');
  };
  const signIn = async (on: Page, { username, password }: Person) => {
    await on.goto(new URL('login', demo.url).href);
    await on.fill('input[name=username]', username);
    await on.fill('input[name=password]', password);
    await on.press('input[name=password]', 'Enter');
    for (const allow = on.locator('[name=decision][value=allow]'); await allow.count(); ) await allow.click();
  };
  const agree = async () => {
    await page.goto(new URL('consent', demo.url).href);
    await page.getByRole('button', { name: 'Agree and continue to the provider' }).click();
    await page.locator('[name=decision][value=allow]').click();
    await page.waitForURL(demo.url.href);
  };

  it('signs in and agrees, and the first run starts by itself', async () => {
    await signIn(page, alice);
    await agree();
    await expect.poll(reloaded, { timeout: 60_000, interval: 500 }).toContain('Yes, you are protected.');
  });

  it('browses the snapshot and downloads a file', async () => {
    await page.getByRole('link', { name: 'Snapshots' }).click();
    for (let depth = 0; depth < 5 && !(await page.locator('a[href*="/file/"]').count()); depth++) {
      await page.locator('tbody a').first().click();
    }
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('a[href*="/file/"]').first().click(),
    ]);
    expect(await download.failure()).toBeNull();
  });

  it('is signed out after a month that ended the consent, signs in again with the same browser, and agrees again', async () => {
    demo.advance(31 * dayMs);
    expect(await reloaded()).not.toContain('Am I protected?');
    await signIn(page, alice);
    expect(await page.textContent('main')).toContain('Am I protected?');
    expect(demo.provider.log.alive()).toEqual([]);
    await agree();
    expect(demo.provider.log.alive()).toMatchObject([{ subject: alice.subject }]);
  });

  it('signs in where the provider, on another site, has the browser post its answer', async () => {
    const fresh = await newPage();
    let answer = new URLSearchParams();
    // What the provider leads to is asked for without the page, until it leads back to Nightkeep.
    await fresh.route(
      (url) => url.origin !== demo.url.origin,
      async (route) => {
        if (route.request().method() === 'GET') return route.continue();
        let reply = await route.fetch({ maxRedirects: 0 });
        for (let at = route.request().url(); reply.headers().location !== undefined; ) {
          at = new URL(reply.headers().location ?? '', at).href;
          if (at.startsWith(new URL('callback?', demo.url).href)) {
            answer = new URL(at).searchParams;
            return route.fulfill({ body: 'It would lead back here.' });
          }
          reply = await fresh.request.get(at, { maxRedirects: 0 });
        }
        return route.fulfill({ response: reply });
      },
    );
    await signIn(fresh, alice);
    expect(answer.has('code')).toBe(true);
    const fields = [...answer].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
    const body = `<form method="post" action="${new URL('callback', demo.url)}">${fields.join('')}<button>On</button></form>`;
    await fresh.unrouteAll();
    await fresh.route('http://provider.example/', (route) => route.fulfill({ contentType: 'text/html', body }));
    await fresh.goto('http://provider.example/');
    await fresh.click('button');
    await fresh.waitForURL(demo.url.href);
    expect(await fresh.textContent('main')).toContain('Am I protected?');
    await fresh.close();
  });

  it('signs in with a fresh browser after that month too', async () => {
    const fresh = await newPage();
    await signIn(fresh, alice);
    expect(await fresh.textContent('main')).toContain('Am I protected?');
  });

  it('withdraws, and the page says so', async () => {
    await page.getByRole('link', { name: 'Consent', exact: true }).click();
    await page.getByRole('link', { name: 'To withdraw your consent' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Yes, withdraw my consent' }).click();
    expect(await page.textContent('main')).toContain('withdrawn');
  });
});

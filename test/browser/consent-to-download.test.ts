import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Demo, startDemo } from '../../demo/demo.ts';
import { alice } from '../../demo/people.ts';
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
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
  });
  afterAll(() => opened.disposeAsync());

  const reloaded = async () => {
    await page.goto(demo.url.href);
    return page.textContent('main');
  };

  it('signs in and agrees, and the first run starts by itself', async () => {
    await page.goto(new URL('?scope=offline_access', demo.url).href);
    await page.fill('input[name=username]', alice.username);
    await page.fill('input[name=password]', alice.password);
    await page.press('input[name=password]', 'Enter');
    for (const allow = page.locator('[name=decision][value=allow]'); await allow.count(); ) await allow.click();
    await page.getByRole('button', { name: 'Agree and continue to the provider' }).click();
    await page.locator('[name=decision][value=allow]').click();
    await expect.poll(reloaded, { timeout: 60_000, interval: 500 }).toContain('Yes, you are protected.');
  });

  it('browses the snapshot and downloads a file', async () => {
    await page.getByRole('link', { name: 'Snapshots' }).click();
    await page.locator('tbody a').first().click();
    for (let depth = 0; depth < 5 && !(await page.locator('a[href*="/file/"]').count()); depth++) {
      await page.locator('tbody a').first().click();
    }
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('a[href*="/file/"]').first().click(),
    ]);
    expect(await download.failure()).toBeNull();
  });

  it('withdraws, and the page says so', async () => {
    await page.getByRole('link', { name: 'Consent' }).click();
    await page.getByRole('button', { name: 'Withdraw my consent' }).click();
    expect(await page.textContent('main')).toContain('withdrawn');
  });
});

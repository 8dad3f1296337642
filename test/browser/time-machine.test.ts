import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { createAdaptorServer } from '@hono/node-server';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayMs } from '../../src/durations.ts';
import { createApp } from '../../src/web/app.ts';
import { writeSnapshot } from '../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../support/harness/pages.ts';
import { requireProgram } from '../support/servers/programs.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');
/** Where pictures of the pages are left to be looked at. */
const pictures = process.env.SCREENSHOTS;

describe.skipIf(executablePath === undefined)('the time machine in a browser', () => {
  const opened = new AsyncDisposableStack();
  let pages: Pages;
  let alice: SignedIn;
  let address: string;
  let browser: Browser;
  let last: string;

  beforeAll(async () => {
    pages = opened.use(await openPages());
    alice = await pages.consented();
    const repository = await addRepository(pages, alice);
    for (let night = 1; night <= 40; night++) {
      const { id } = await writeSnapshot(
        repository,
        { files: filesOf(night) },
        new Date(Date.UTC(2026, 2, 1, 2) + night * dayMs).toISOString(),
      );
      last = id.slice(0, 16);
    }
    address = await serveTo(alice);
    browser = opened.adopt(
      await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] }),
      (open) => open.close(),
    );
  });
  afterAll(() => opened.disposeAsync());

  /** Serves the pages to a person who is signed in, whatever comes: their cookies are for https. Answers the address. */
  async function serveTo({ cookies }: SignedIn): Promise<string> {
    const app = createApp(pages.resources);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const server = createAdaptorServer({
      fetch: (request) =>
        app.fetch(new Request(request, { headers: { ...Object.fromEntries(request.headers), cookie } })),
    });
    opened.defer(() => void server.close());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** A tab of alice's, and what went wrong in it: errors of scripts and policies, dialogs, downloads. */
  async function tab(
    shape: { width?: number; dark?: boolean } = {},
  ): Promise<{ page: Page; trouble: string[]; context: BrowserContext }> {
    const context = await browser.newContext({
      viewport: { width: shape.width ?? 1280, height: 800 },
      colorScheme: shape.dark ? 'dark' : 'light',
      baseURL: address,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const trouble: string[] = [];
    page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
    page.on('download', () => trouble.push('a download'));
    page.on('dialog', (dialog) => {
      trouble.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    return { page, trouble, context };
  }

  it('leads from the menu to a folder, back to an earlier night, to a file and its versions', async () => {
    const { page, trouble, context } = await tab();
    await page.goto('/snapshots');
    await page.getByRole('link', { name: 'Documents' }).click();
    expect(await page.textContent('h1')).toBe('Friday, 10 April 2026');
    await page.getByRole('link', { name: 'earlier' }).click();
    expect(await page.textContent('h1')).toBe('Thursday, 9 April 2026');
    await page.getByRole('link', { name: 'Novel, draft.txt' }).click();
    await page.getByRole('link', { name: '2 Mar 2026, 02:00' }).first().waitFor();
    expect(await page.locator('.versions li').count()).toBe(11);
    await page.getByLabel('Go to').fill('2026-03-12');
    await page.getByRole('button', { name: 'Show' }).click();
    expect(await page.textContent('h1')).toBe('Thursday, 12 March 2026');
    expect(await page.frameLocator('iframe').locator('body').textContent()).toContain('chapter 2');
    expect(trouble).toEqual([]);
    await context.close();
  });

  it('finds a name over the nights, from the folder on', async () => {
    const { page, trouble, context } = await tab();
    await page.goto(`/snapshots/${last}/browse/files/Documents`);
    await page.getByRole('searchbox').fill('REPORT 9');
    await page.getByRole('searchbox').press('Enter');
    await page.getByRole('link', { name: 'Report 9.txt' }).click();
    expect(await page.frameLocator('iframe').locator('body').textContent()).toContain('report 9');
    expect(trouble).toEqual([]);
    await context.close();
  });

  it.each(['page.html', 'drawing.svg'])('shows markup as text, in which nothing runs: %s', async (name) => {
    const { page, trouble, context } = await tab();
    await page.goto(`/snapshots/${last}/view/files/Hostile/${name}`);
    expect(await page.frameLocator('iframe').locator('body').textContent()).toContain('<script>alert(1)</script>');
    await page.goto(`/snapshots/${last}/preview/files/Hostile/${name}`);
    expect(await page.textContent('body')).toContain('<script>alert(1)</script>');
    expect(trouble).toEqual([]);
    await context.close();
  });

  it('shows a picture, and a PDF in the viewer of the browser', async () => {
    const { page, trouble, context } = await tab();
    await page.goto(`/snapshots/${last}/view/files/Documents/Photo.png`);
    await expect.poll(() => page.evaluate("document.querySelector('img.preview').naturalWidth")).toBe(64);
    await page.goto(`/snapshots/${last}/view/files/Documents/Plan.pdf`);
    await expect.poll(() => page.frames().some((frame) => frame.url().startsWith('chrome-extension:'))).toBe(true);
    expect(trouble).toEqual([]);
    await context.close();
  });

  /** What axe finds wrong with the page itself; what a frame shows is a file of the person's. */
  async function faultsOf(page: Page): Promise<unknown> {
    await page.evaluate(await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8'));
    return page.evaluate(
      'axe.run(document, { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))',
    );
  }

  it.each([
    ['wide', 1280, false],
    ['narrow', 390, false],
    ['wide', 1280, true],
    ['narrow', 390, true],
  ] as const)(
    'fits the window and has no fault that axe knows, %s (%i points), dark: %s',
    async (width, points, dark) => {
      const { page, trouble, context } = await tab({ width: points, dark });
      const looks = {
        folder: `/snapshots/${last}/browse/files/Documents`,
        hostile: `/snapshots/${last}/browse/files/Hostile`,
        nights: '/snapshots/nights',
        text: `/snapshots/${last}/view/files/Documents/Novel,%20draft.txt`,
        picture: `/snapshots/${last}/view/files/Documents/Photo.png`,
        changes: `/snapshots/${last}/changes/files?day=2026-03-03`,
        search: '/snapshots/find?q=report',
      };
      if (pictures !== undefined) await mkdir(pictures, { recursive: true });
      for (const [name, path] of Object.entries(looks)) {
        expect((await page.goto(path))?.status()).toBe(200);
        expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBe(points);
        expect(await faultsOf(page), name).toEqual([]);
        if (pictures !== undefined) {
          await page.screenshot({
            path: join(pictures, `snapshots-${name}-${width}-${dark ? 'dark' : 'light'}.png`),
            fullPage: true,
          });
        }
      }
      expect(trouble).toEqual([]);
      await context.close();
    },
  );
});

/** What there is to back up in a night: it changes every third or fourth one. */
function filesOf(night: number) {
  const markup = '<script>alert(1)</script>';
  const report = night - (night % 3);
  return {
    Documents: {
      Letters: { 'to Bob.txt': Buffer.from('Dear Bob'), 'to Carol.txt': Buffer.from('Dear Carol') },
      'Novel, draft.txt': Buffer.from(`chapter ${Math.floor(night / 4)}\n`.repeat(30)),
      'Photo.png': picture(),
      'Plan.pdf': pdf('Garden plan'),
      ...(report > 0 && { [`Report ${report}.txt`]: Buffer.from(`report ${report}`) }),
    },
    Hostile: {
      'page.html': Buffer.from(markup),
      'drawing.svg': Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${markup}</svg>`),
      'invoice\u202efdp.exe': Buffer.from('MZ'),
      '<img src=x onerror=alert(1)>': Buffer.of(),
      [`${'a long name without an end and a name '.repeat(6)}.txt`]: Buffer.from('x'),
      ['x'.repeat(250)]: Buffer.from('x'),
    },
  };
}

/** A PNG of 64 by 64 grey points. */
function picture(): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(64, 0);
  header.writeUInt32BE(64, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const points = deflateSync(Buffer.alloc(64 * 65, 0x80).map((value, at) => (at % 65 === 0 ? 0 : value)));
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', points),
    chunk('IEND', Buffer.of()),
  ]);
}

/** A PDF of one page with these words. */
function pdf(words: string): Buffer {
  const content = `BT /F1 24 Tf 40 100 Td (${words}) Tj ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const table = text.length;
  return Buffer.from(
    `${text}xref\n0 6\n0000000000 65535 f \n${offsets.join('')}trailer << /Size 6 /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`,
  );
}

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { freePort } from '../../src/database/free-port.ts';
import { serveSetup } from '../../src/web/server.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../support/servers/programs.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');
const pictures = process.env.SCREENSHOTS;

describe.skipIf(executablePath === undefined)('the first-run page in a browser', () => {
  it('asks for its token, then fits and has no fault that axe knows, in four shapes', async () => {
    await using folder = await temporaryFolder('setup');
    const port = await freePort();
    const publicUrl = new URL(`http://localhost:${port}/`);
    const setup = {
      token: 'printed',
      environment: { DATA_DIR: folder.path },
      clock: systemClock(),
      isOpen: async () => true,
    };
    const web = await serveSetup({ host: '127.0.0.1', port, publicUrl }, setup);
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      const trouble: string[] = [];
      page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
      await page.goto(publicUrl.href);
      const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
      const faults = async () => {
        await page.evaluate(axe);
        return page.evaluate(
          'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))',
        );
      };
      expect(await faults()).toEqual([]);
      for (const language of ['Deutsch', 'English']) {
        await page.getByRole('button', { name: language }).click();
        await page.locator('[aria-current]', { hasText: language }).waitFor();
        expect(await faults()).toEqual([]);
      }
      await page.fill('#token', 'printed');
      await page.getByRole('button').first().click();
      await page.locator('h2').first().waitFor();
      if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
      for (const width of [1280, 390, 320])
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.setViewportSize({ width, height: 800 });
          await page.emulateMedia({ colorScheme });
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
          expect(await faults()).toEqual([]);
          if (pictures !== undefined)
            await page.screenshot({ path: join(pictures, `setup-${width}-${colorScheme}.png`), fullPage: true });
        }
      expect(trouble).toEqual([]);
    } finally {
      await browser.close();
      await web.close(0);
    }
  });
});

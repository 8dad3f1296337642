import { mkdirSync, readFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { readWebLimits } from '../../src/config/config.ts';
import { freePort } from '../../src/database/server/free-port.ts';
import type { WrittenCard } from '../../src/domain/repository-card.ts';
import type { FoundRepository } from '../../src/flows/adoption/find-repositories.ts';
import { silentLog } from '../../src/log.ts';
import { serveSetup } from '../../src/web/server.ts';
import { texts } from '../../src/web/texts/en.ts';
import { temporaryFolder } from '../support/fixtures/temporary-folder.ts';
import { requireProgram } from '../support/servers/programs.ts';

const executablePath = requireProgram('chromium', 'apt-get install chromium');
const pictures = process.env.SCREENSHOTS;

/** What a lost installation left: repositories whose card opens, and one of another keyring. */
const found = (known: number): FoundRepository[] => [
  ...['alice', 'a-person-with-a-name-that-is-rather-long@people.example', null].map((username, index) => ({
    location: `3f1c9b1e-0000-4000-8000-00000000000${index}`,
    isKnown: index < known,
    card: cardOf(username),
  })),
  {
    location: '3f1c9b1e-0000-4000-8000-000000000009',
    isKnown: false,
    problem:
      'A sealed value needs the key "one", which the keyring does not hold. Put that key back into the keyring. Without it: nightkeep adopt --user NAME --folder FOLDER --recovery-key-file FILE',
  },
];
const at = '2026-05-04T03:00:00Z';
const cardOf = (username: string | null): WrittenCard => ({
  version: 1,
  repositoryId: 'id',
  createdAt: at,
  writtenAt: at,
  owner: { userId: 'id', issuer: 'https://id.example', subject: 'f2b7a9d0-1111-4222-8333-444455556666', username },
  password: 'nowhere on the page',
  recovery: { keyFile: null, keptAt: null },
  plan: null,
  eraseAt: null,
});

describe.skipIf(executablePath === undefined)('the first-run page in a browser', () => {
  let known = 0;
  const backups = {
    find: async () => found(known).filter(({ isKnown }) => !isKnown),
    exportedAt: async () => new Date(at),
    adopt: async () => {
      known = 3;
      return [];
    },
  };
  it.each([
    ['setup', undefined],
    ['setup-backups', backups],
  ])('asks for its token, then fits and has no fault that axe knows, in four shapes: %s', async (picture, left) => {
    await using folder = await temporaryFolder('setup');
    const port = await freePort();
    const publicUrl = new URL(`http://localhost:${port}/`);
    const setup = {
      token: 'printed',
      environment: { DATA_DIR: folder.path },
      clock: systemClock(),
      isOpen: async () => true,
      ...(left && { backups: left }),
    };
    const proxies = new BlockList();
    const config = { host: '127.0.0.1', port, publicUrl, proxies, web: readWebLimits({}) };
    const web = await serveSetup({ log: silentLog, config }, setup);
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
            await page.screenshot({ path: join(pictures, `${picture}-${width}-${colorScheme}.png`), fullPage: true });
        }
      expect(trouble).toEqual([]);
      const lines = () => page.locator('.card.warn ul.items li').allTextContents();
      expect(await lines()).toHaveLength(left === undefined ? 0 : 4);
      if (left === undefined) return;
      expect(await page.content()).not.toContain('nowhere on the page');
      expect(await page.locator('.card.warn pre').first().textContent()).toBe(
        'nightkeep import --from-store latest --confirm',
      );
      await page.fill('#again', 'printed');
      await page.getByRole('button', { name: texts.setup.adopt }).click();
      await page.locator('#again').waitFor({ state: 'detached' });
      expect(await lines()).toEqual([expect.stringContaining('--recovery-key-file')]);
    } finally {
      await browser.close();
      await web.close(0);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../../../src/web/app.ts';
import { liveScriptPath } from '../../../src/web/live-script.ts';
import { stylesheetPath } from '../../../src/web/stylesheet.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

let pages: Pages;
let guest: SignedIn;
beforeAll(async () => {
  pages = await openPages();
  guest = await pages.newPerson({ roles: ['operator'] });
});
afterAll(() => pages[Symbol.asyncDispose]());

const files = ['/settings/data.json', '/grant/uses.csv', '/operator/audit.csv', '/operator/audit.json', '/jwks'];
const addresses = [
  '/',
  '/grant',
  '/nowhere',
  '/operator',
  '/livez',
  '/metrics',
  stylesheetPath,
  liveScriptPath,
  ...files,
];

describe('every answer', () => {
  it.each(addresses)('says what it is, where it has a body: %s', async (path) => {
    const type = (await guest.send(path)).headers.get('content-type') ?? '';
    expect(type).toMatch(/^(text\/\w+; ?charset=utf-8|application\/(jwk-set\+)?json)$/i);
  });

  it('tells nobody what serves it', async () => {
    for (const path of addresses) {
      const { headers } = await guest.send(path);
      for (const name of ['server', 'x-powered-by', 'x-aspnet-version']) expect(headers.has(name)).toBe(false);
    }
  });

  it('lets no other site read it', async () => {
    for (const origin of ['https://evil.example', 'null', pages.resources.config.publicUrl.origin])
      for (const path of addresses)
        for (const method of ['GET', 'OPTIONS']) {
          const asked = { origin, 'access-control-request-method': 'POST' };
          const { headers } = await guest.send(path, { method, headers: asked });
          expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
          expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
        }
  });

  it('asks for HTTPS for a year where it is served so', async () => {
    const secure = { ...pages.resources.config, publicUrl: new URL('https://keep.example/') };
    const app = createApp({ ...pages.resources, config: secure });
    const header = async (visitor: ReturnType<typeof openVisitor>) =>
      (await visitor.send('/nowhere')).headers.get('strict-transport-security');
    expect(await header(openVisitor({ ...pages.resources, config: secure }, app))).toBe('max-age=31536000');
    expect(await header(openVisitor(pages.resources))).toBeNull();
  });

  it('is kept by no browser and no proxy, where it is of a person', async () => {
    for (const path of [
      '/',
      '/grant',
      '/settings',
      '/recovery',
      '/snapshots',
      ...files.filter((one) => one !== '/jwks'),
    ])
      expect((await guest.send(path)).headers.get('cache-control'), path).toBe('no-store');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSetup } from '../../../src/cli/first-run.ts';
import { systemClock } from '../../../src/clock.ts';
import { hasOperatorSignedIn } from '../../../src/database/audit.ts';
import { exportIntoStore } from '../../../src/flows/state/export-into-store.ts';
import { setupTokenOf } from '../../../src/vault/setup-token.ts';
import { createApp, createSetupApp } from '../../../src/web/app.ts';
import type { Setup } from '../../../src/web/setup.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { openLostServer } from '../../support/harness/lost-server.ts';
import { openPages, type Pages } from '../../support/harness/pages.ts';
import { keyLine } from '../../support/harness/settings.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

const t = texts.setup;
const keyring = keyLine('first');
const token = 'the-token-that-was-printed';
const secret = 'a-client-secret-of-ours';

let opened: AsyncDisposableStack;
let pages: Pages;
let setup: Setup;
beforeAll(async () => {
  opened = new AsyncDisposableStack();
  pages = opened.use(await openPages());
  const { path } = opened.use(await temporaryFolder('setup'));
  const { database } = pages.resources;
  const environment = {
    DATA_DIR: path,
    DATABASE_URL: 'postgres://nightkeep:its-password@127.0.0.1:1/nightkeep',
    OIDC_ISSUER: 'http://127.0.0.1:1/',
    OIDC_CLIENT_ID: 'nightkeep',
    OIDC_CLIENT_SECRET: secret,
    FILES_URL: 'https://cloud.example/{sub}/',
    KEYRING: keyring,
  };
  const isOpen = async () => !(await hasOperatorSignedIn(database));
  setup = { token, environment, clock: systemClock(), isOpen };
});
afterAll(() => opened.disposeAsync());

const stranger = (changed: Partial<Setup> = {}) =>
  openVisitor(pages.resources, createApp(pages.resources, undefined, { ...setup, ...changed }));
const type = (visitor: ReturnType<typeof stranger>, typed: string) =>
  visitor.send('/setup', { method: 'POST', body: new URLSearchParams({ token: typed }) });

describe('the first-run page', () => {
  it('tells nothing before the token was typed, and not with another one', async () => {
    const visitor = stranger();
    for (const answer of [await visitor.send('/setup'), await type(visitor, 'another'), await type(visitor, '')]) {
      const page = await answer.text();
      expect(page).toContain(t.token);
      for (const said of ['OIDC_ISSUER', '127.0.0.1:1', t.found]) expect(page).not.toContain(said);
    }
    expect((await type(visitor, 'another')).status).toBe(403);
    expect(await visitor.text('/')).toContain('href="/setup"');
  });

  it('tells with it what is set, what the doctor finds and how the keyring is saved, and no secret', async () => {
    const answer = await type(stranger(), ` ${token} `);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = (await answer.text()).replaceAll('&#39;', "'");
    for (const said of ['OIDC_ISSUER', 'http://127.0.0.1:1/', 'discovery', t.keyringLead, t.keyringKeys('first')])
      expect(page).toContain(said);
    for (const hidden of [secret, 'its-password', keyring.split(':')[1] ?? '', token])
      expect(page).not.toContain(hidden);
    expect(page).toMatch(/→ .*DATABASE_URL/);
  });

  it('names the file to save where the first start made the keyring', async () => {
    const { KEYRING: _, ...environment } = setup.environment;
    const page = await (await type(stranger({ environment }), token)).text();
    expect(page).toContain(t.keyringNone);
  });

  it('says of a keyring that is none what is wrong with it', async () => {
    const answer = await type(stranger({ environment: { ...setup.environment, KEYRING: 'one:its-key' } }), token);
    expect(answer.status).toBe(200);
    const page = await answer.text();
    expect(page).toContain('The keyring cannot be used: key 1 is not written like id:key.');
    expect(page).not.toContain('its-key');
  });

  it('shows what a lost installation left in the store, and takes it over for whoever types the token', async () => {
    await using server = await openLostServer();
    const { plan } = await server.before.consent();
    await server.before.backUp(plan.id);
    const resources = await server.rebuild();
    const { backups } = openSetup(resources, setup.environment);
    const visitor = stranger({ ...(backups && { backups }) });
    const adopt = (typed: string) =>
      visitor.send('/setup', { method: 'POST', body: new URLSearchParams({ token: typed, act: 'adopt' }) });
    const { location } = await server.before.resources.database.repository.findFirstOrThrow();
    expect(await (await visitor.send('/setup')).text()).not.toContain(location);
    const page = await (await type(visitor, token)).text();
    for (const said of [t.backups, 'alice', location, t.adopt]) expect(page).toContain(said);
    expect(page).not.toContain('nightkeep import');
    await exportIntoStore(server.before.resources, { by: 'command:test' });
    expect(await (await type(visitor, token)).text()).toContain('nightkeep import --from-store latest --confirm');
    expect((await adopt('another')).status).toBe(403);
    expect(await resources.database.repository.count()).toBe(0);
    const after = await adopt(token);
    expect(await after.text()).not.toContain(t.backups);
    expect(await resources.database.repository.findMany({ include: { user: true } })).toMatchObject([
      { location, user: { username: 'alice' } },
    ]);
    expect(await resources.database.audit.findMany({ where: { act: 'repository-adopted' } })).toMatchObject([
      { by: expect.stringMatching(/^command:setup-page@/) },
    ]);
    const foreign = openSetup(await server.rebuild(keyLine('other')), setup.environment).backups;
    const told = await (await type(stranger({ ...(foreign && { backups: foreign }) }), token)).text();
    expect(told).toContain('does not hold');
    expect(told).not.toContain(t.adopt);
  });

  it('is gone once an operator has signed in, for them as for everybody', async () => {
    const visitor = stranger();
    await pages.newPerson({ roles: ['somebody'] });
    expect((await visitor.send('/setup')).status).toBe(200);
    await pages.newPerson({ roles: ['operator'] });
    expect((await visitor.send('/setup')).status).toBe(404);
    expect((await type(visitor, token)).status).toBe(404);
    expect(await visitor.text('/')).not.toContain('href="/setup"');
  });
});

describe('where nothing is set', () => {
  it('every address leads to it, and it is not ready for anything else', async () => {
    const app = createSetupApp(pages.resources.config, {
      ...setup,
      isOpen: async () => true,
      environment: {},
    });
    const ask = (path: string, init?: RequestInit) => app.request(path, init);
    for (const path of ['/', '/grant', '/consent']) expect((await ask(path)).headers.get('location')).toBe('/setup');
    expect((await ask('/livez')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(503);
    const body = new URLSearchParams({ token });
    const page = await (await ask('/setup', { method: 'POST', body })).text();
    for (const name of ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'FILES_URL']) expect(page).toContain(`${name} is missing`);
  });

  it('it speaks the language that is chosen at its foot, and no page of somebody else chooses', async () => {
    const app = createSetupApp(pages.resources.config, { ...setup, isOpen: async () => true });
    const choose = (language: string, origin = 'http://localhost:3000') =>
      app.request('/language', {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ language, returnTo: '/setup' }),
      });
    expect(await (await app.request('/setup')).text()).toContain('action="/language"');
    const chosen = await choose('de');
    expect([chosen.status, chosen.headers.get('location')]).toEqual([303, '/setup']);
    const [cookie = ''] = chosen.headers.getSetCookie();
    const page = await (await app.request('/setup', { headers: { cookie: cookie.split(';')[0] ?? '' } })).text();
    expect(page).toContain(german.setup.lead);
    for (const refused of [await choose('tlh'), await choose('de', 'https://elsewhere.example')])
      expect([refused.status, refused.headers.getSetCookie()]).toEqual([400, []]);
  });
});

it('the token is the same for all processes of an installation, and tells nothing of its keys', () => {
  const { fingerprintKey } = pages.resources.keyring;
  expect(setupTokenOf({ fingerprintKey })).toBe(setupTokenOf({ fingerprintKey }));
  expect(setupTokenOf({ fingerprintKey })).toMatch(/^[\w-]{22}$/);
});

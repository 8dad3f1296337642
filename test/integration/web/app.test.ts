import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { openLog } from '../../../src/log.ts';
import type { Resources } from '../../../src/resources.ts';
import { stylesheetPath } from '../../../src/web/stylesheet.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addRun, openPages, type Pages } from '../../support/harness/pages.ts';
import { openVisitor, type Visitor } from '../../support/harness/visitor.ts';

const sessionCookie = '__Host-nightkeep';
/** The cookie of the step that was begun last. */
const pendingOf = ({ cookies }: Visitor) =>
  [...cookies].findLast(([name]) => name.startsWith('__Host-nightkeep-begun-'));

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

const stranger = (resources: Partial<Resources> = {}) => openVisitor({ ...pages.resources, ...resources });
const withdrawn = async (userId: string) =>
  (await pages.resources.database.grant.findFirstOrThrow({ where: { userId } })).state === 'withdrawn';

describe('every answer', () => {
  it.each(['/', '/no-such-page', '/livez', '/readyz', stylesheetPath, '/snapshots'])(
    'carries the security headers: %s',
    async (path) => {
      const { headers } = await stranger().send(path);
      expect(headers.get('content-security-policy')?.split('; ').toSorted()).toEqual([
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'self' https://id.example",
        "frame-ancestors 'none'",
        "frame-src 'self'",
        "img-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
      ]);
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
    },
  );

  it('shows the public keys of the client to anybody, without a session', async () => {
    const answer = await stranger().send('/jwks');
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.json()).toEqual({ keys: [{ kty: 'EC', kid: 'newest' }] });
  });

  it('lets browsers keep the stylesheet and no page', async () => {
    const { send } = stranger();
    expect((await send(stylesheetPath)).headers.get('cache-control')).toContain('immutable');
    expect((await send('/')).headers.get('cache-control')).toBe('no-store');
  });

  it('says "Internal error" of what nobody expected, and the message of what somebody did', async () => {
    const failing = (error: Error) =>
      stranger({ issuer: { ...pages.resources.issuer, beginAuthorization: () => Promise.reject(error) } });
    const text = await failing(new Error('the secret')).text('/login');
    expect(text).toContain('Internal error');
    expect(text).not.toContain('the secret');
    const answer = await failing(new AppError('provider/unavailable', 'The provider does not answer.')).send('/login');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(texts.errors.told['provider/unavailable'].act);
  });
});

describe('a refusal', () => {
  it('goes into the log with who was refused what, and no name of a file', async () => {
    const lines: string[] = [];
    const log = openLog({ clock: pages.clock, level: 'info', write: (line) => lines.push(line) });
    const guest = await pages.newPerson();
    const [userId, csrf] = [await guest.userId(), await guest.csrf()];
    const watched = stranger({ log });
    for (const [name, value] of guest.cookies) watched.cookies.set(name, value);
    const file = `/snapshots/${'0'.repeat(64)}/file/private/name.txt`;
    const asked: [string, RequestInit, number][] = [
      ['/operator', {}, 403],
      ['/grant/withdraw', { method: 'POST', body: new URLSearchParams({ csrf: 'x' }) }, 403],
      [`/runs/${randomUUID()}`, {}, 404],
      [file, {}, 404],
      ['/language', { method: 'POST', body: new URLSearchParams({ csrf, language: 'tlh' }) }, 400],
    ];
    for (const [path, init, status] of asked) {
      expect((await watched.send(path, init)).status).toBe(status);
      const line = JSON.parse(lines.at(-1) ?? '{}');
      const shown = path === file ? file.replace('private/name.txt', '…') : path;
      expect(line).toMatchObject({ event: 'web.failed', userId, status, method: init.method ?? 'GET', path: shown });
    }
    expect(lines.join()).not.toContain('private');
  });
});

describe('the session', () => {
  it('comes in a cookie that only this host and no script can have', async () => {
    const browser = stranger();
    const { location } = Object.fromEntries((await browser.send('/login?returnTo=/grant')).headers);
    const answer = await browser.send(`/callback?code=1&state=${new URL(location ?? '').searchParams.get('state')}`);
    const line = answer.headers.getSetCookie().find((one) => one.startsWith(`${sessionCookie}=`)) ?? '';
    for (const word of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax', 'Max-Age=43200']) expect(line).toContain(word);
    expect(line).not.toContain('Domain');
    expect(answer.headers.get('location')).toBe('/grant');
  });

  it('is a new one at each sign-in, and ends after twelve hours', async () => {
    const browser = await pages.newPerson();
    const first = browser.cookies.get(sessionCookie);
    await browser.send('/login');
    await browser.comeBack();
    expect(browser.cookies.get(sessionCookie)).not.toBe(first);
    expect((await browser.send('/grant')).status).toBe(200);
    await pages.clock.advance(12 * 3_600_000);
    expect((await browser.send('/grant')).headers.get('location')).toBe('/login?returnTo=%2Fgrant');
  });

  it('refuses an answer of the provider that this browser did not ask for, and one that comes twice', async () => {
    expect((await stranger().send('/callback?code=1')).status).toBe(400);
    const browser = await pages.newPerson();
    browser.cookies.delete(sessionCookie);
    expect((await browser.comeBack()).status).toBe(400);
  });

  it('refuses an answer that comes after ten minutes', async () => {
    for (const [afterMs, status] of [
      [10 * 60_000 - 1, 303],
      [10 * 60_000, 400],
    ] as const) {
      const browser = stranger();
      const location = (await browser.send('/login')).headers.get('location') ?? '';
      await pages.clock.advance(afterMs);
      const path = `/callback?code=1&state=${new URL(location).searchParams.get('state')}`;
      expect((await browser.send(path)).status).toBe(status);
    }
  });

  it('is not to be had by a cookie that was altered, or sealed for another use', async () => {
    const browser = await pages.newPerson();
    const sealed = browser.cookies.get(sessionCookie) ?? '';
    const altered = sealed.slice(0, 50) + (sealed[50] === 'A' ? 'B' : 'A') + sealed.slice(51);
    await browser.send('/login');
    for (const other of [altered, sealed.slice(0, -4), 'nothing', pendingOf(browser)?.[1] ?? '']) {
      browser.cookies.set(sessionCookie, other);
      expect((await browser.send('/grant')).headers.get('location')).toMatch(/^\/login/);
    }
  });

  it('ends with the sign-out, which does not touch the consent', async () => {
    const browser = await pages.consented();
    await browser.post('/logout');
    expect(browser.cookies.has(sessionCookie)).toBe(false);
    expect(await withdrawn(await browser.userId())).toBe(false);
  });

  it("does not finish a consent that somebody else's session began", async () => {
    const browser = await pages.newPerson();
    await browser.post('/consent');
    const [name = '', begun = ''] = pendingOf(browser) ?? [];
    const path = browser.wayBack();
    const other = await pages.newPerson();
    // Whoever is at the provider: the session that is signed in here decides.
    for (const person of [browser.person, other.person]) {
      pages.atProvider = person;
      other.cookies.set(name, begun);
      const answer = await other.send(path);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain('You are no longer signed in here as the person who began this');
    }
    for (const who of [browser, other])
      expect(await pages.resources.database.grant.count({ where: { userId: await who.userId() } })).toBe(0);
  });
});

describe('forms', () => {
  it.each([
    ['without the token', { csrf: '' }, {}],
    ['with another token', { csrf: 'x'.repeat(32) }, {}],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from another origin', {}, { origin: 'https://evil.example' }],
    ['from a page without an origin', {}, { origin: 'null' }],
  ])('are refused %s', async (_, fields, headers) => {
    const browser = await pages.consented();
    expect((await browser.post('/grant/withdraw', { sure: 'yes', ...fields }, { ...headers })).status).toBe(403);
    expect(await withdrawn(await browser.userId())).toBe(false);
  });

  it('carry another text of the token each time, and each of them counts', async () => {
    const browser = await pages.consented();
    const [first, second] = [await browser.csrf(), await browser.csrf()];
    expect(first).not.toBe(second);
    for (const csrf of [first, second])
      expect((await browser.post('/grant/ask-again', { csrf })).headers.get('location')).toBe('/grant');
  });

  it('are refused with the token of another session', async () => {
    const [browser, other] = [await pages.consented(), await pages.newPerson()];
    expect((await browser.post('/grant/withdraw', { sure: 'yes', csrf: await other.csrf() })).status).toBe(403);
  });

  it('are taken from our own pages', async () => {
    const browser = await pages.consented();
    const own = { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' };
    expect((await browser.post('/grant/withdraw', { sure: 'yes' }, own)).status).toBe(303);
    expect(await withdrawn(await browser.userId())).toBe(true);
  });
});

describe('pages', () => {
  it('send whoever is not signed in to the sign-in and back', async () => {
    const answer = await stranger().send('/snapshots?scope=offline_access');
    expect(answer.headers.get('location')).toBe('/login?returnTo=%2Fsnapshots%3Fscope%3Doffline_access');
  });

  it('sign a stranger in first where the address asks for offline access, also on the home page', async () => {
    const answer = await stranger().send('/?scope=offline_access');
    expect(answer.headers.get('location')).toBe('/login?returnTo=%2F%3Fscope%3Doffline_access');
  });

  it('ask for consent by themselves where the address asks for offline access and there is none', async () => {
    const browser = await pages.newPerson();
    const path = '/snapshots?scope=openid+offline_access';
    expect((await browser.send(path)).headers.get('location')).toBe('/consent?returnTo=%2Fsnapshots');
    expect((await (await pages.consented()).send(path)).status).toBe(200);
  });

  it('answer the question, and say what could not be read without trusting its name', async () => {
    const browser = await pages.consented();
    const run = await addRun(pages, browser);
    expect(await browser.text('/')).toContain('Yes, except for 1 entry.');
    const text = await browser.text(`/runs/${run}`);
    expect(text).toContain('&lt;script&gt;');
    expect(text).not.toContain('<script>');
  });

  it.each([
    [{ entriesChecked: 0, entriesUnchecked: 16 }, true],
    [{ entriesChecked: 1, entriesUnchecked: 15 }, false],
    [{ entriesChecked: 0 }, false],
  ])('say that a backup compared nothing where the server gave none of the sample: %j', async (counts, isSaid) => {
    const browser = await pages.consented();
    const run = await addRun(pages, browser);
    await pages.resources.database.run.update({ where: { id: run }, data: { counts } });
    const { run: t, counts: names } = texts;
    const text = await browser.text(`/runs/${run}`);
    expect(text.includes(t.unchecked)).toBe(isSaid);
    expect(text.includes(names.entriesUnchecked)).toBe('entriesUnchecked' in counts);
  });

  it('tell backups of one night apart, and no end of one that waits', async () => {
    const browser = await pages.consented();
    await addRun(pages, browser);
    const row = (text: string, state: string) =>
      text
        .split('<tr role="row"><td')
        .slice(1)
        .find((one) => one.includes(`</svg>${state}</span>`)) ?? '';
    const text = await browser.text('/');
    expect(row(text, 'in part')).toMatch(/4 May 2026, 01:00 UTC.*4 May 2026, 01:02 UTC/);
    expect(row(text, 'waiting').match(/<span>–<\/span>/g)).toHaveLength(2);
    for (const table of text.split('<table').slice(1)) expect(table).toMatch(/^[^>]*><caption>\S/);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForRestore } from '../../../src/database/repositories/restores.ts';
import { routes } from '../../../src/web/routes.ts';
import { texts as english } from '../../../src/web/texts/en.ts';
import { textsFor } from '../../../src/web/texts/languages.ts';
import { writeSnapshot } from '../../support/fixtures/repository.ts';
import { readOut } from '../../support/fixtures/texts-read-out.ts';
import { addRepository, addRun, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor, type Visitor } from '../../support/harness/visitor.ts';

const german = textsFor({ person: 'de' });
let pages: Pages;
let alice: SignedIn;
let operator: SignedIn;
beforeAll(async () => {
  pages = await openPages();
  alice = await germanPerson();
  operator = await germanPerson({ roles: ['operator'] });
});
afterAll(() => pages[Symbol.asyncDispose]());

/** Somebody who chose German, and agreed in German. */
async function germanPerson(person: Parameters<Pages['newPerson']>[0] = {}): Promise<SignedIn> {
  const guest = await pages.newPerson(person);
  await speak(guest, 'de');
  await guest.post('/consent');
  await guest.comeBack();
  return guest;
}

const speak = (visitor: Visitor, language: string, fields = {}, headers = {}) =>
  visitor.post('/language', { language, ...fields }, headers);
const languageOf = async (visitor: Visitor, path: string, headers = {}) =>
  /<html lang="(\w+)">/.exec(await (await visitor.send(path, { headers })).text())?.[1];

describe('a stranger', () => {
  test('reads what the browser asks for, also where something is not found', async () => {
    const stranger = openVisitor(pages.resources);
    for (const path of ['/', '/nowhere']) {
      expect(await languageOf(stranger, path, { 'accept-language': 'de-CH,de;q=0.9' })).toBe('de');
      expect(await languageOf(stranger, path)).toBe('en');
    }
  });

  test('chooses another language in the footer, comes back to the page, and the browser keeps it', async () => {
    const stranger = openVisitor(pages.resources);
    const offered = await stranger.text('/nowhere?and=more');
    expect(offered).toContain('<input type="hidden" name="returnTo" value="/nowhere?and=more">');
    expect(offered).toContain('<button name="language" value="de" lang="de">Deutsch</button>');
    const answer = await speak(stranger, 'de', { returnTo: '/nowhere?and=more' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/nowhere?and=more']);
    expect(answer.headers.getSetCookie().find((line) => line.includes('nightkeep-language'))).toMatch(
      /^__Host-nightkeep-language=de; Max-Age=31536000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(await languageOf(stranger, '/', { 'accept-language': 'en' })).toBe('de');
  });

  test('is led nowhere else, and gets no language that there is not', async () => {
    const stranger = openVisitor(pages.resources);
    expect((await speak(stranger, 'de', { returnTo: 'https://evil.example/' })).headers.get('location')).toBe('/');
    expect((await speak(stranger, 'tlh')).status).toBe(400);
    expect((await stranger.post('/language')).status).toBe(400);
    expect((await speak(stranger, 'en', {}, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await speak(stranger, 'en', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(await languageOf(stranger, '/')).toBe('de');
  });
});

describe('somebody who is signed in', () => {
  test('has the language that they chose in every browser, and nobody else has', async () => {
    const [bob, carol] = [await pages.newPerson(), await pages.newPerson()];
    await speak(bob, 'de');
    bob.cookies.delete('__Host-nightkeep-language');
    expect(await languageOf(bob, '/', { 'accept-language': 'en' })).toBe('de');
    expect(await languageOf(carol, '/')).toBe('en');
    await speak(bob, 'en');
    expect(await languageOf(bob, '/', { 'accept-language': 'de' })).toBe('en');
  });
});

describe('what was agreed to', () => {
  test('is kept in the words that were read, and another language changes nothing of it', async () => {
    const bob = await germanPerson();
    await speak(bob, 'en');
    const record = await bob.text('/grant');
    expect(record).toContain('<dl class="card" lang="de">');
    expect(record).toContain(german.consent.endValue);
    expect(record).toContain(english.grant.version(german.consent.version, 'Deutsch'));
    expect(record).toContain(english.grant.since.nothing);
    expect(record).not.toContain(english.consent.endValue);
  });

  test('is what stood on the form, though another language was chosen in another tab', async () => {
    const bob = await pages.newPerson();
    const read = /name="read" value="([^"]+)"/.exec(await bob.text('/consent'))?.[1] ?? '';
    await speak(bob, 'de');
    expect((await bob.post('/consent', { read })).headers.get('location')).toContain('https://id.example/auth');
    await speak(bob, 'de');
    await bob.comeBack();
    const record = await bob.text('/grant');
    expect(record).toContain('<dl class="card" lang="en">');
    expect(record).toContain(english.consent.endValue);
  });
});

/** What a reader takes for the words of the page: neither commands nor what is marked as English. */
function wordsOf(html: string): string {
  return html
    .replace(/<(code|pre|style|script)\b.*?<\/\1>/gs, '')
    .replace(/<(?!html)(\w+)[^>]*\blang="en"[^>]*>.*?<\/\1>/gs, '')
    .replace(/<(?:a|form|input|link|path|rect|use|option)\b[^>]*?(?:href|action|value|d)="[^"]*"/g, '')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"');
}

/** What English says in four words or more, between the numbers that it says it of. */
const phrases = [...new Set(readOut(english).flatMap(({ text }) => text.split(/\d[\d,.]*/)))]
  .map((part) => part.trim())
  .filter((part) => part.split(/\s+/).length > 3);

describe('in German', () => {
  const given: Record<string, () => string> = {};
  beforeAll(async () => {
    const run = await addRun(pages, alice);
    const repository = await addRepository(pages, alice);
    const content = { folder: { 'a.txt': Buffer.from('hers') }, 'b.txt': Buffer.from('more') };
    const [first, second] = [
      await writeSnapshot(repository, { folder: { 'a.txt': Buffer.from('hers') } }),
      await writeSnapshot(repository, content),
    ];
    await pages.resources.database.run.updateMany({ where: { id: run }, data: { snapshotId: second.id } });
    const userId = await alice.userId();
    const restore = randomUUID();
    const asked = { id: restore, userId, snapshotId: second.id, path: 'folder', expected: undefined };
    const receipt = randomUUID();
    const removed = { sessions: 1, consents: 2, uses: 3, backups: 4, notices: 5, events: 6 };
    const remains = {
      outstanding: 0,
      ended: { revoked: 1, expired: 0, shredded: 0 },
      snapshots: { kept: false, erased: null },
    };
    const finishedAt = pages.clock.now();
    await pages.resources.database.personErasure.create({
      data: { id: receipt, begunAt: finishedAt, finishedAt, removed, outcome: remains },
    });
    await askForRestore(pages.resources.database, { ...asked, at: pages.clock.now() });
    const at =
      (what: string, rest = '') =>
      () =>
        `/snapshots/${second.id}/${what}/${rest}`;
    Object.assign(given, {
      '/nights/:night': () => '/nights/2026-05-04',
      '/runs/:id': () => `/runs/${run}`,
      '/runs/:id/cancel': () => `/runs/${run}/cancel`,
      '/snapshots/find': () => '/snapshots/find?q=a',
      '/snapshots/:id/browse/*': at('browse', 'folder'),
      '/snapshots/:id/changes/*': at('changes', `?since=${first.id}`),
      '/snapshots/:id/view/*': at('view', 'folder/a.txt'),
      '/snapshots/:id/restore/*': at('restore', 'folder'),
      '/restores/:id': () => `/restores/${restore}`,
      '/erased/:id': () => `/erased/${receipt}`,
      '/operator/people/:person': () => `/operator/people/${userId}`,
      '/operator/people/:person/withdraw': () => `/operator/people/${userId}/withdraw`,
      '/': () => '/?told=old-answer',
    });
  });

  const notPages = /events$|\.csv$|\.json$|^\/(login|callback|jwks)$|\/(preview|file|zip|board)\b/;
  const shown = routes.filter(({ method, path }) => method === 'GET' && !notPages.test(path));

  function expectGerman(html: string, where: string): void {
    expect(html, where).toContain('<html lang="de">');
    const words = wordsOf(html);
    expect(
      phrases.filter((phrase) => words.includes(phrase)),
      where,
    ).toEqual([]);
    expect(words.match(/[^.\n]*\b(?:the|and|your|you|with|of|is not)\b[^.\n]*/)?.[0], where).toBeUndefined();
    expect(words, where).not.toMatch(/undefined|NaN|\[object/);
    const text = html.replace(/<(code|pre|style|script)\b.*?<\/\1>/gs, '').replace(/<[^>]*>/g, ' ');
    const dates = text.replaceAll(german.consent.version, '').match(/[^.\n]*\d{4}-\d\d-\d\d[^.\n]*/);
    expect(dates?.[0], `dates as programs write them at ${where}`).toBeUndefined();
  }

  test.each(shown.map((route) => [route.path, route] as const))('every word of %s is', async (path, { who }) => {
    const visitor = who === 'operator' ? operator : alice;
    const answer = await visitor.send(given[path]?.() ?? path);
    expect(answer.status).toBe(200);
    expectGerman(await answer.text(), path);
  });

  test.each([
    ['/nowhere', {}],
    ['/operator', {}],
    ['/snapshots/nothing/browse/', {}],
    ['/recovery', { method: 'POST' }],
    ['/language', { method: 'POST' }],
  ] as const)('what cannot be had at %s is told so: %j', async (path, init) => {
    const answer = await alice.send(path, init);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expectGerman(await answer.text(), path);
  });

  test.each([
    ['/recovery', {}],
    ['/recovery/kept', { third: 'aaaaa', fifth: 'bbbbb' }],
    ['/recovery/remove', { key: 'none' }],
    ['/recovery/reissue', {}],
    ['/recovery/adopt', { folder: 'a', key: 'b' }],
    ['/grant/withdraw', { snapshots: '30' }],
    ['/grant/withdraw', { snapshots: 'now' }],
    ['/grant/withdraw', { snapshots: 'now', sure: 'yes' }],
  ])('what is asked and answered by %s is: %j', async (path, fields) => {
    const answer = await alice.post(path, fields);
    const page = answer.status === 303 ? await alice.send(answer.headers.get('location') ?? '') : answer;
    expectGerman(await page.text(), path);
  });
});

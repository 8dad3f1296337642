import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getNightFacts } from '../../../src/database/nights/night-facts.ts';
import { sourcesOf } from '../../../src/flows/nights/sources-of.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { openPages, type Pages, type Person, type SignedIn } from '../../support/harness/pages.ts';

const prefix = '__Host-nightkeep';
const begunIn = ({ cookies }: SignedIn) => [...cookies].filter(([name]) => name.startsWith(`${prefix}-begun-`));
const sizeOf = ([name, value]: [string, string]) => name.length + value.length;

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

const setFilesUrl = (filesUrl: string) => {
  const { config } = pages.resources;
  const before = config.filesUrl;
  Object.assign(config, { filesUrl });
  return { [Symbol.dispose]: () => void Object.assign(config, { filesUrl: before }) };
};
const grants = async (guest: SignedIn) =>
  pages.resources.database.grant.count({ where: { userId: await guest.userId() } });

describe('a person about whom the provider sends much', () => {
  const long = 'x'.repeat(60_000);
  /** Characters of four bytes that nothing makes shorter. */
  const unlike = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      String.fromCodePoint(0x20000 + ((index * 26_681 + index ** 3) % 42_000)),
    ).join('');
  it.each<[string, Partial<Person>]>([
    ['120 roles', { roles: Array.from({ length: 120 }, (_, index) => `a-department-with-a-name-${index}`) }],
    ['5,000 roles', { roles: [...Array.from({ length: 5_000 }, (_, index) => `role-${index}`), 'operator'] }],
    ['a huge name', { claims: { name: long, preferred_username: long, email: long } }],
    ['a name of characters that JSON escapes', { claims: { name: '\u0001"\\'.repeat(300) } }],
    ['a name of characters of four bytes', { claims: { name: '\u{1f319}'.repeat(900) } }],
    ['no name but a long subject', { subject: '\u{1f319}'.repeat(300), claims: { name: undefined } }],
    ['a long session at the provider', { tokens: { sid: long } }],
    ['a user name in which nothing repeats', { claims: { preferred_username: unlike(1_000) } }],
    ['no name but a subject in which nothing repeats', { subject: unlike(250), claims: { name: undefined } }],
    ['claims with what PostgreSQL does not take', { claims: { name: 'a\0b', 'n\0': 'x', half: '\ud800', nick: 'Al' } }],
    [
      'long claims of every kind',
      { claims: { groups: Array(900).fill(long.slice(0, 90)), bio: long, at: { x: long } } },
    ],
  ])('can sign in and consent, in small cookies: %s', async (_, person) => {
    const guest = await pages.newPerson(person);
    expect((await guest.send('/grant')).status).toBe(200);
    await guest.post('/consent');
    for (const cookie of guest.cookies) expect(sizeOf(cookie)).toBeLessThan(2_000);
    expect((await guest.comeBack()).headers.get('location')).toBe('/');
    expect(await grants(guest)).toBe(1);
  });

  it('is signed out by the provider though the session has a long name there', async () => {
    const guest = await pages.newPerson({ tokens: { sid: long } });
    const readLogoutToken = async () => ({
      issuer: 'https://id.example',
      subject: undefined,
      sid: long,
      jti: 'once',
      expiresAt: pages.clock.now(),
      revokesOfflineAccess: false,
    });
    const { issuer } = pages.resources;
    Object.assign(issuer, { readLogoutToken });
    const body = new URLSearchParams({ logout_token: 'one' });
    expect((await guest.send('/backchannel-logout', { method: 'POST', body })).status).toBe(200);
    expect((await guest.send('/grant')).headers.get('location')).toMatch(/^\/login/);
  });

  it('has as much in the cookie as browsers take where everything is as long as it may be', async () => {
    using _ = setFilesUrl(`https://cloud.example/{a}/${'y'.repeat(200)}/`);
    const guest = await pages.newPerson({ claims: { a: 'x'.repeat(770), name: '\u0001'.repeat(99) } });
    await guest.post('/consent', { returnTo: `/grant?before=${'z'.repeat(780)}` });
    for (const cookie of guest.cookies) expect(sizeOf(cookie)).toBeLessThan(4_096);
    expect((await guest.comeBack()).headers.get('location')).toMatch(/^\/grant\?before=z{780}$/);
    await guest.post('/consent', { returnTo: `/grant?before=${'z'.repeat(5_000)}` });
    expect((await guest.comeBack()).headers.get('location')).toBe('/');
  });
});

describe('what is begun in several tabs', () => {
  it('is finished in each, in any order', async () => {
    const guest = await pages.newPerson();
    const ways: string[] = [];
    for (const path of ['/grant', '/snapshots', '/recovery']) {
      await guest.send(`/login?returnTo=${path}`);
      ways.push(guest.wayBack());
    }
    for (const [index, path] of [
      [2, '/recovery'],
      [0, '/grant'],
      [1, '/snapshots'],
    ] as const)
      expect((await guest.send(ways[index] ?? '')).headers.get('location')).toBe(path);
  });

  it('is finished also where one signs in and another consents', async () => {
    const guest = await pages.newPerson();
    await guest.post('/consent', { returnTo: '/snapshots' });
    const consent = guest.wayBack();
    await guest.send('/login?returnTo=/recovery');
    expect((await guest.comeBack()).headers.get('location')).toBe('/recovery');
    expect((await guest.send(consent)).headers.get('location')).toBe('/snapshots');
    expect(await grants(guest)).toBe(1);
  });

  it('is kept of the five newest only, within the room that servers give', async () => {
    const guest = await pages.newPerson();
    const ways: string[] = [];
    for (let tab = 0; tab < 9; tab++) {
      await guest.send(`/login?returnTo=/grant?before=${tab}`);
      ways.push(guest.wayBack());
      await pages.clock.advance(1_000);
    }
    expect(begunIn(guest)).toHaveLength(5);
    expect((await guest.send(ways[8] ?? '')).headers.get('location')).toBe('/grant?before=8');
    expect((await guest.send(ways[4] ?? '')).headers.get('location')).toBe('/grant?before=4');
    expect((await guest.send(ways[3] ?? '')).headers.get('location')).toBe('/?told=old-answer');
    for (let tab = 0; tab < 9; tab++) await guest.send(`/login?returnTo=/grant?before=${'z'.repeat(780)}`);
    expect(
      begunIn(guest)
        .map(sizeOf)
        .reduce((sum, size) => sum + size),
    ).toBeLessThan(6_000);
  });
});

describe('an answer of the provider that comes again', () => {
  it('leads home with a word where somebody is signed in, and changes nothing', async () => {
    const guest = await pages.consented();
    const again = await guest.comeBack();
    expect([again.status, again.headers.get('location')]).toEqual([303, '/?told=old-answer']);
    expect(await guest.text('/?told=old-answer')).toContain(texts.home.told['old-answer']);
    expect(await guest.text('/')).not.toContain(texts.home.told['old-answer']);
    expect(await pages.resources.database.consent.count({ where: { userId: await guest.userId() } })).toBe(1);
  });

  it('says of a consent whose session ended meanwhile that nothing was taken', async () => {
    const guest = await pages.newPerson();
    await guest.post('/consent');
    guest.cookies.delete(prefix);
    const answer = await guest.comeBack();
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('nothing was saved');
    expect(await grants(guest)).toBe(0);
  });
});

describe('a form that is sent after the session ended', () => {
  it('does nothing, and after the next sign-in that is said', async () => {
    const guest = await pages.consented();
    await pages.clock.advance(3 * 3_600_000);
    const answer = await guest.send('/settings/pause', {
      method: 'POST',
      body: new URLSearchParams({ until: '2026-05-20' }),
    });
    const target = answer.headers.get('location') ?? '';
    expect(target).toBe('/login?returnTo=%2F%3Ftold%3Dunsent');
    await guest.send(target);
    const home = (await guest.comeBack()).headers.get('location') ?? '';
    expect(await guest.text(home)).toContain(texts.home.told.unsent);
    expect(await guest.text('/')).not.toContain(texts.home.told.unsent);
    expect(await pages.resources.database.plan.count({ where: { paused: true } })).toBe(0);
  });

  it('signs nobody in who only wants to sign out', async () => {
    const guest = await pages.newPerson();
    await pages.clock.advance(3 * 3_600_000);
    const answer = await guest.send('/logout', { method: 'POST', body: new URLSearchParams() });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    expect((await guest.send('/grant')).headers.get('location')).toMatch(/^\/login/);
  });
});

describe('an address of files that names claims', () => {
  it('is shown, agreed to and fetched with numbers, true and false, and the subject filled in', async () => {
    using _ = setFilesUrl('https://cloud.example/{sub}/{uid_number}/{staff}/');
    const guest = await pages.newPerson({ claims: { uid_number: 1001, staff: true } });
    const own = `https://cloud.example/${guest.person.subject}/1001/true/`;
    expect(await guest.text('/consent')).toContain(own);
    await guest.post('/consent');
    await guest.comeBack();
    const { terms } = await pages.resources.database.consent.findFirstOrThrow({
      where: { userId: await guest.userId() },
    });
    expect(terms).toMatchObject({ facts: { files: own } });
    const { database } = pages.resources;
    const { id } = await database.run.findFirstOrThrow({ where: { plan: { userId: await guest.userId() } } });
    const { plan } = await getNightFacts(database, id);
    expect(sourcesOf(pages.resources, plan)).toMatchObject([{ url: own }]);
  });

  it.each([{}, { uid: '' }, { uid: ['alice'] }, { uid: {} }, { uid: 2 ** 60 }])(
    'is not agreed to without them, and the page says who mends it: %j',
    async (claims) => {
      using _ = setFilesUrl('https://cloud.example/{uid}/');
      const guest = await pages.newPerson({ claims });
      const page = await guest.text('/consent');
      for (const words of [texts.consent.blocked, 'needs the claim "uid"', 'a mapper or scope at the provider'])
        expect(page.replaceAll('&quot;', '"')).toContain(words);
      expect(page).not.toContain('action="/consent"');
      const answer = await guest.post('/consent');
      expect([answer.status, answer.headers.get('location')]).toEqual([500, null]);
      expect(await answer.text()).toContain(texts.errors.told['source/missing-claim'].act);
    },
  );

  it('that is complete when the person signs in again can be agreed to', async () => {
    using _ = setFilesUrl('https://cloud.example/{uid}/');
    const guest = await pages.newPerson();
    expect(await guest.text('/consent')).toContain('/login?returnTo=%2Fconsent%3FreturnTo%3D');
    pages.atProvider = { ...guest.person, claims: { uid: 7 } };
    await guest.send('/login');
    await guest.comeBack();
    expect(await guest.text('/consent')).toContain('action="/consent"');
  });

  it('that the consent brings no claims for keeps nothing of it, and ends its token', async () => {
    using _ = setFilesUrl('https://cloud.example/{uid}/');
    const guest = await pages.newPerson({ claims: { uid: 'ann' } });
    await guest.post('/consent');
    pages.atProvider = { ...guest.person, claims: {} };
    const answer = await guest.comeBack();
    expect(answer.status).toBe(500);
    expect((await answer.text()).replaceAll('&quot;', '"')).toContain('needs the claim "uid"');
    expect(await grants(guest)).toBe(0);
    expect(pages.revoked).toContain(`the token of ${guest.person.subject}`);
  });
});

describe('a refresh token that is not kept', () => {
  it('of a plain sign-in is ended at the provider, each time', async () => {
    const guest = await pages.newPerson({ tokens: { refreshToken: 'unasked' } });
    await guest.send('/login');
    await guest.comeBack();
    expect(pages.revoked.filter((token) => token === 'unasked')).toHaveLength(2);
  });

  it('is left alone where it is the session of the browser itself, as Keycloak says', async () => {
    await pages.newPerson({ tokens: { refreshToken: 'of the browser', tokenType: 'Refresh' } });
    expect(pages.revoked).not.toContain('of the browser');
  });

  it('of somebody else than is signed in is ended, and no consent is taken', async () => {
    const guest = await pages.newPerson();
    await guest.post('/consent');
    pages.atProvider = { subject: `other-${guest.person.subject}`, roles: [] };
    const answer = await guest.comeBack();
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('The person who consented at the provider is not'),
    ]);
    expect(pages.revoked).toContain(`the token of other-${guest.person.subject}`);
    expect(await grants(guest)).toBe(0);
  });

  it('is not ended where that would end the consent that is kept: it is of the same session', async () => {
    using _ = setFilesUrl('https://cloud.example/{uid}/');
    const guest = await pages.newPerson({ claims: { uid: 'ann' } });
    await guest.post('/consent');
    await guest.comeBack();
    const refusedWith = async (tokens: NonNullable<Person['tokens']>) => {
      await guest.post('/consent');
      pages.atProvider = { ...guest.person, claims: {}, tokens };
      expect((await guest.comeBack()).status).toBe(500);
    };
    await refusedWith({ tokenType: 'Offline', refreshToken: 'of the same session' });
    await refusedWith({ tokenType: 'Offline', refreshToken: 'of an unknown session', sid: undefined });
    await refusedWith({ tokenType: 'Offline', refreshToken: 'of another session', sid: 'another' });
    await refusedWith({ refreshToken: 'of a provider whose tokens stand alone' });
    expect(pages.revoked.filter((token) => token.startsWith('of a'))).toEqual([
      'of another session',
      'of a provider whose tokens stand alone',
    ]);
    expect(pages.revoked).not.toContain('of the same session');
  });

  it('does not keep anybody out where it cannot be ended', async () => {
    const { issuer } = pages.resources;
    const { revoke } = issuer;
    Object.assign(issuer, { revoke: () => Promise.reject(new Error('away')) });
    try {
      const guest = await pages.newPerson({ tokens: { refreshToken: 'unasked' } });
      expect((await guest.send('/grant')).status).toBe(200);
    } finally {
      Object.assign(issuer, { revoke });
    }
  });
});

describe('signing in again in another tab', () => {
  it('leaves the forms that are open good for the same person, and for nobody else', async () => {
    const guest = await pages.newPerson();
    const csrf = await guest.csrf();
    const send = () =>
      guest.send('/settings/language', { method: 'POST', body: new URLSearchParams({ csrf, language: 'en' }) });
    const signIn = async () => {
      const before = new Map(guest.cookies);
      await guest.send('/login?fresh=yes&returnTo=/');
      await guest.comeBack();
      expect(guest.cookies).not.toEqual(before);
    };
    await signIn();
    expect((await send()).headers.get('location')).toBe('/settings?told=language');
    pages.atProvider = { subject: 'somebody else at this browser', roles: [] };
    await signIn();
    expect((await send()).status).toBe(403);
  });
});

it('answers what was begun at the provider for ten minutes, also where the browser kept it for longer', async () => {
  const { clock } = pages;
  const came: (string | null)[] = [];
  for (const minutes of [9, 10]) {
    const person = await pages.newPerson();
    await person.send('/login?returnTo=/grant');
    await clock.advance(minutes * 60_000);
    came.push((await person.comeBack()).headers.get('location'));
  }
  expect(came).toEqual(['/grant', '/?told=old-answer']);
});

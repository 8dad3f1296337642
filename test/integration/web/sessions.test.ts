import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { forgetWebSessions, listWebSessions } from '../../../src/database/people/web-sessions.ts';
import { hourMs, minuteMs } from '../../../src/durations.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const cookie = '__Host-nightkeep';

let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages[Symbol.asyncDispose]());

const isSignedIn = async (guest: SignedIn) => (await guest.send('/grant')).status === 200;
const rowsOf = async (guest: SignedIn) =>
  pages.resources.database.webSession.findMany({ where: { userId: await guest.userId() } });

describe('a web session', () => {
  it('is a row of the database, and the cookie a secret of which the row holds a hash only', async () => {
    const guest = await pages.newPerson();
    const secret = guest.cookies.get(cookie) ?? '';
    expect(secret).toMatch(/^[\w-]{129}$/);
    const [row] = await rowsOf(guest);
    expect(row).toMatchObject({ operator: false, sid: 'a session', createdAt: pages.clock.now() });
    expect(JSON.stringify(row)).not.toContain(secret);
    guest.cookies.set(cookie, row?.id ?? '');
    expect(await isSignedIn(guest)).toBe(false);
  });

  it('is over where somebody made it another’s, an operator’s, a longer or a fresher one in the database', async () => {
    const other = await pages.newPerson();
    const until = new Date(pages.clock.now().getTime() + 100 * hourMs);
    const fresher = { authenticatedAt: new Date(pages.clock.now().getTime() - minuteMs) };
    for (const data of [{ userId: await other.userId() }, { operator: true }, { endsAt: until }, fresher]) {
      const guest = await pages.newPerson();
      const [row] = await rowsOf(guest);
      await pages.resources.database.webSession.update({ where: { id: row?.id ?? '' }, data });
      const answer = await guest.send('/grant');
      expect(answer.status).not.toBe(200);
      expect(answer.headers.getSetCookie()).toContainEqual(expect.stringMatching(/^__Host-nightkeep=; Max-Age=0;/));
      expect(guest.cookies.get(cookie) ?? '').toBe('');
    }
    expect(await isSignedIn(other)).toBe(true);
  });

  it('shows a name up to sixty characters, and none of them cut in two', async () => {
    const named = async (name: string) => (await pages.newPerson({ claims: { name } })).text('/grant');
    expect(await named('🦉'.repeat(60))).toContain(`<bdi>${'🦉'.repeat(60)}</bdi>`);
    expect(await named('🦉'.repeat(61))).toContain(`<bdi>${'🦉'.repeat(59)}…</bdi>`);
  });

  it('is one of a hundred of a person at most: the one that was unused for longest ends', async () => {
    const first = await pages.newPerson();
    const userId = await first.userId();
    const [row] = await rowsOf(first);
    if (row === undefined) throw new Error('no session');
    const seen = (minutes: number) => new Date(pages.clock.now().getTime() - minutes * minuteMs);
    const others = Array.from({ length: 99 }, (_, number) => ({
      ...{ ...row, id: `session ${number}`, lastSeenAt: seen(number + 1) },
    }));
    await pages.resources.database.webSession.createMany({ data: others });
    expect(await rowsOf(first)).toHaveLength(100);
    const last = await pages.newPerson(first.person);
    expect(await last.userId()).toBe(userId);
    const ids = (await rowsOf(first)).map(({ id }) => id);
    expect(ids).toHaveLength(100);
    expect(ids).not.toContain('session 98');
    expect(await isSignedIn(first)).toBe(true);
    expect(await isSignedIn(last)).toBe(true);
  });

  it('takes one query a request, and is written to once a minute at most', async () => {
    const guest = await pages.newPerson();
    const { database } = pages.resources;
    const [asked, written] = [vi.spyOn(database, '$queryRaw'), vi.spyOn(database.webSession, 'updateMany')];
    const { cookies, send } = guest;
    await send('/no-such-page');
    expect([asked.mock.calls.length, written.mock.calls.length]).toEqual([1, 0]);
    await pages.clock.advance(minuteMs);
    await send('/no-such-page');
    await send('/no-such-page');
    expect([asked.mock.calls.length, written.mock.calls.length]).toEqual([3, 1]);
    expect((await rowsOf(guest))[0]?.lastSeenAt).toEqual(pages.clock.now());
    cookies.clear();
    await send('/no-such-page');
    expect(asked.mock.calls.length).toBe(3);
    vi.restoreAllMocks();
  });

  it('ends after two hours without use, and after twelve whatever its use', async () => {
    const [idle, busy] = [await pages.newPerson(), await pages.newPerson()];
    for (let passed = 0; passed < 11; passed++) {
      await pages.clock.advance(hourMs);
      expect(await isSignedIn(busy)).toBe(true);
      if (passed > 0) expect(await isSignedIn(idle)).toBe(false);
    }
    await pages.clock.advance(hourMs);
    expect(await isSignedIn(busy)).toBe(false);
    const { config, database } = pages.resources;
    const idleAt = { at: pages.clock.now(), idleMs: config.session.idleMs };
    for (const guest of [idle, busy])
      expect(await listWebSessions(database, { userId: await guest.userId(), ...idleAt })).toEqual([]);
    await forgetWebSessions(database, { ...idleAt, limit: 1_000 });
    expect([await rowsOf(idle), await rowsOf(busy)]).toEqual([[], []]);
  });

  it('of which somebody copied the cookie ends with the sign-out, and with the next sign-in of its browser', async () => {
    const guest = await pages.newPerson();
    const copy = new Map(guest.cookies);
    const withCopy = async () => {
      for (const [name, value] of copy) guest.cookies.set(name, value);
      return isSignedIn(guest);
    };
    expect(await withCopy()).toBe(true);
    await guest.post('/logout');
    expect(await withCopy()).toBe(false);
    await guest.send('/login');
    await guest.comeBack();
    copy.clear();
    for (const [name, value] of guest.cookies) copy.set(name, value);
    await guest.send('/login');
    await guest.comeBack();
    expect(await isSignedIn(guest)).toBe(true);
    expect(await rowsOf(guest)).toHaveLength(1);
    expect(await withCopy()).toBe(false);
  });

  it('ends where an operator signs the person out, in every browser', async () => {
    const operator = await pages.newPerson({ roles: ['operator'] });
    const guest = await pages.newPerson();
    const other = await pages.newPerson(guest.person);
    await operator.post(`/operator/people/${await guest.userId()}/sign-out`);
    expect([await isSignedIn(guest), await isSignedIn(other), await isSignedIn(operator)]).toEqual([
      false,
      false,
      true,
    ]);
  });
});

it.each([
  ['/recovery', '/recovery'],
  ['/recovery/reissue', '/recovery'],
  ['/recovery/remove', '/recovery'],
  ['/recovery/adopt', '/recovery/adopt'],
  ['/settings/erase', '/settings/erase'],
])('a form that is sent to %s takes a sign-in of the last five minutes, and leads to one', async (path, back) => {
  const guest = await pages.newPerson();
  await pages.clock.advance(5 * minuteMs - 1);
  expect((await guest.post(path)).headers.get('location') ?? '').not.toContain('fresh');
  await pages.clock.advance(1);
  const answer = await guest.post(path);
  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe(`/login?fresh=yes&returnTo=${encodeURIComponent(back)}`);
});

describe('the recovery key', () => {
  it('is shown and reissued shortly after a sign-in at the provider only, which it leads to and back', async () => {
    const guest = await pages.consented();
    await addRepository(pages, guest);
    const { send, post } = guest;
    await pages.clock.advance(5 * minuteMs);
    expect(await guest.text('/recovery')).toContain(texts.fresh.signIn);
    expect(await guest.text('/recovery')).not.toContain('action="/recovery/reissue"');
    for (const path of ['/recovery', '/recovery/reissue']) {
      const answer = await post(path, { sure: 'yes' });
      expect(answer.headers.get('location')).toBe('/login?fresh=yes&returnTo=%2Frecovery');
    }
    const begin = vi.spyOn(pages.resources.issuer, 'beginAuthorization');
    await send('/login?fresh=yes&returnTo=/recovery');
    expect(begin.mock.calls[0]?.[0]).toMatchObject({ prompt: 'login', parameters: { max_age: '300' } });
    expect((await guest.comeBack()).headers.get('location')).toBe('/recovery');
    expect(await guest.text('/recovery')).toContain('action="/recovery/reissue"');
    const asked = (await post('/recovery/reissue')).headers.get('location') ?? '';
    expect(await guest.text(asked)).toContain(texts.recovery.reissue.sure);
    await pages.clock.advance(5 * minuteMs);
    expect(await guest.text(asked)).not.toContain('action="/recovery/reissue"');
  });

  it('is not shown where the provider lets people back in without asking who they are', async () => {
    const guest = await pages.newPerson({ claims: { auth_time: pages.clock.now().getTime() / 1000 } });
    await pages.clock.advance(5 * minuteMs);
    await guest.send('/login?fresh=yes&returnTo=/recovery');
    await guest.comeBack();
    expect((await guest.post('/recovery')).headers.get('location')).toMatch(/^\/login\?fresh=yes/);
  });

  it('is shown after a sign-in that was asked for where the provider never tells when it was', async () => {
    const guest = await pages.newPerson({ claims: { auth_time: undefined } });
    expect((await guest.post('/recovery')).headers.get('location')).toMatch(/^\/login\?fresh=yes/);
    await guest.send('/login?fresh=yes&returnTo=/recovery');
    await guest.comeBack();
    expect((await guest.post('/recovery')).status).toBe(404);
  });
});

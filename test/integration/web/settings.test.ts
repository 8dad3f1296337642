import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listWhoMayBeMailed } from '../../../src/database/notices/notices.ts';
import { languageOf } from '../../../src/database/people/users.ts';
import { dayMs } from '../../../src/durations.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { consentedAs } from '../../support/harness/operators.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

const t = texts.settings;

let pages: Pages;
let alice: SignedIn;
let bob: SignedIn;
let operator: SignedIn;
beforeAll(async () => {
  pages = await openPages();
  alice = await consentedAs(pages, 'alice');
  bob = await consentedAs(pages, 'bob');
  operator = await pages.newPerson({ roles: ['operator'] });
});
afterAll(() => pages[Symbol.asyncDispose]());

const planOf = async (guest: SignedIn) =>
  pages.resources.database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
const latest = async () => pages.resources.database.audit.findFirst({ orderBy: { id: 'desc' } });
const changed = async (guest: SignedIn, path: string, fields: Record<string, string> = {}) => {
  const answer = await guest.post(path, fields);
  return answer.headers.get('location')?.replace('/settings?told=', '') ?? answer.status;
};

const said: Readonly<Record<string, string>> = { ...t.told.done, ...t.told.not };
const acts: [string, Record<string, string>, string][] = [
  ['/settings/hours', { start: '22:00', end: '23:30', zone: 'Asia/Tokyo' }, 'hours'],
  ['/settings/pause', { until: '2026-05-20' }, 'paused'],
  ['/settings/resume', {}, 'resumed'],
  ['/settings/language', { language: 'en' }, 'language'],
  ['/settings/mails', { mail: 'trouble' }, 'mails'],
  ['/settings/sessions/end-others', {}, 'sessions-ended'],
];

describe.each(acts)('%s', (path, fields, told) => {
  it('is for whoever is signed in, and changes what is theirs alone', async () => {
    const stranger = await openVisitor(pages.resources).post(path, fields);
    expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/login?returnTo=%2F%3Ftold%3Dunsent']);
    const elsewhere = told === 'sessions-ended' ? await pages.newPerson(alice.person) : undefined;
    const before = [await planOf(bob), await pages.resources.database.webSession.count()];
    expect(await changed(alice, path, fields)).toBe(told);
    expect(await alice.text(`/settings?told=${told}`)).toContain(said[told]);
    const sessions = await pages.resources.database.webSession.count();
    expect([await planOf(bob), sessions + (elsewhere === undefined ? 0 : 1)]).toEqual(before);
    expect(await changed(alice, path, fields), 'a second time').toBe(told);
    const without = told === 'hours' ? 'no-plan' : ['paused', 'resumed'].includes(told) ? 'ended' : told;
    expect(await changed(operator, path, fields)).toBe(without);
    expect(await operator.text(`/settings?told=${without}`)).toContain(said[without]);
  });
});

describe('the settings', () => {
  it('tell what was done as such, and nothing that nobody wrote', async () => {
    expect(await bob.text('/settings?told=hours')).toContain(`<p class="card good" role="status">${t.told.done.hours}`);
    for (const word of ['nonsense', 'constructor', '__proto__', ''])
      expect(await bob.text(`/settings?told=${word}`)).not.toContain('role="status"');
  });

  it('are shown to each person, who may have nothing yet', async () => {
    expect((await openVisitor(pages.resources).send('/settings')).headers.get('location')).toMatch(/^\/login/);
    expect(await bob.text('/settings')).toContain('value="01:00"');
    const page = await operator.text('/settings');
    expect(page).toContain(t.noPlan);
    expect(page).toContain(t.sessions.here);
    expect(page).not.toContain('action="/settings/hours"');
  });

  it('say what is kept, and lead to each snapshot', async () => {
    expect(await bob.text('/settings')).toContain(texts.consent.keptValue({ daily: 7, weekly: 4, monthly: 12 }));
    const { id } = await planOf(bob);
    await pages.resources.database.plan.update({ where: { id }, data: { retentionAgreedAt: null } });
    expect(await bob.text('/settings')).toContain(t.kept.all);
  });
});

describe('the hours', () => {
  it('count from the next night on, and are in the audit', async () => {
    const guest = await pages.consented();
    const { resources, clock } = pages;
    expect(await changed(guest, '/settings/hours', { start: '14:00', end: '15:00', zone: 'Europe/Berlin' })).toBe(
      'hours',
    );
    const plan = await planOf(guest);
    expect(plan).toMatchObject({ windowStart: '14:00', windowEnd: '15:00', zone: 'Europe/Berlin' });
    const hours = (plan.nextDueAt.getTime() - Date.parse('2026-05-04T12:00:00Z')) / 3_600_000;
    expect(hours).toBeGreaterThanOrEqual(0);
    expect(hours).toBeLessThan(1);
    expect(await latest()).toMatchObject({
      act: 'settings-changed',
      by: `user:${await guest.userId()}`,
      about: '14:00-15:00 Europe/Berlin',
    });
    const entry = await latest();
    expect(await changed(guest, '/settings/hours', { start: '14:00', end: '15:00', zone: 'Europe/Berlin' })).toBe(
      'hours',
    );
    expect(await latest()).toEqual(entry);
    expect(clock.now().getTime()).toBeLessThan(plan.nextDueAt.getTime());
    expect(await guest.text('/grant')).toContain('14:00');
    expect(resources.config.windowAllowed).toBeUndefined();
  });

  it('that come later on the day of a night that had its run are those of the next day', async () => {
    const guest = await pages.consented();
    const { id: planId } = await planOf(guest);
    const at = pages.clock.now();
    const night = at.toISOString().slice(0, 10);
    const run = { planId, night, slot: 'night', trigger: 'schedule', dueAt: at, queuedAt: at };
    await pages.resources.database.run.create({ data: { id: crypto.randomUUID(), ...run } });
    await guest.post('/settings/hours', { start: '20:00', end: '22:00', zone: 'UTC' });
    expect((await planOf(guest)).nextNight).toBe('2026-05-05');
  });

  it.each([
    [{ start: '1', end: '05:00', zone: 'UTC' }, t.hours.faults.unreadable],
    [{ start: '01:00', end: '05:00', zone: 'Europe/Atlantis' }, t.hours.faults.unreadable],
    [{ start: '01:00', end: '01:30', zone: 'UTC' }, t.hours.faults.short],
    [{ start: '12:00', end: '14:00', zone: 'UTC' }, t.hours.faults.outside],
  ])('are not saved where they cannot be: %j', async (fields, words) => {
    const { config } = pages.resources;
    Object.assign(config, { windowAllowed: { start: '20:00', end: '08:00' } });
    const before = await planOf(bob);
    const answer = await bob.post('/settings/hours', fields);
    const refused = await answer.text();
    expect([answer.status, refused]).toEqual([400, expect.stringContaining(words)]);
    // What was typed is still there to be corrected.
    expect(refused).toContain(`name="end" type="time" value="${fields.end}"`);
    expect(refused.match(/<option selected>[^<]*/g)).toEqual(['<option selected>UTC']);
    expect(await bob.text('/settings')).toContain(t.hours.allowed('20:00', '08:00'));
    expect(await planOf(bob)).toEqual(before);
    delete config.windowAllowed;
  });
});

describe('a pause', () => {
  it('is said to keep a consent alive only where one lives', async () => {
    const guest = await pages.consented();
    const { grant } = pages.resources.database;
    const shown = async (state: 'active' | 'suspect' | 'needs_consent') => {
      await grant.updateMany({ where: { userId: await guest.userId() }, data: { state } });
      const text = await guest.text('/settings');
      return [text.includes(t.pause.lead), text.includes(t.pause.alive), text.includes(t.pause.dead)];
    };
    expect(await shown('active')).toEqual([true, true, false]);
    expect(await shown('suspect')).toEqual([true, false, true]);
    expect(await shown('needs_consent')).toEqual([true, false, true]);
  });

  it('lets no night begin until its day, is said on home, and ends by itself without making up for the nights', async () => {
    await using own = await openPages();
    const guest = await own.consented();
    const { clock, resources } = own;
    const { database } = resources;
    const nights = async () => {
      const runs = await database.run.findMany({ where: { slot: 'night' }, orderBy: { night: 'asc' } });
      return runs.map(({ night }) => night);
    };
    expect((await guest.post('/settings/pause', { until: '2026-05-08' })).headers.get('location')).toBe(
      '/settings?told=paused',
    );
    for (let passed = 0; passed < 3; passed++) {
      await clock.advance(dayMs);
      await openNight(resources);
    }
    expect(await nights()).toEqual([]);
    const again = await own.newPerson(guest.person);
    const home = await again.text('/');
    expect(home).toContain(texts.home.pausedUntil('8 May 2026, 00:00 UTC'));
    expect(home).toContain('They begin again on 8 May 2026, 00:00 UTC');
    expect(await again.text('/settings')).toContain(t.pause.now('8 May 2026, 00:00 UTC'));
    await clock.advance(dayMs / 2);
    await openNight(resources);
    expect(await database.plan.findFirstOrThrow()).toMatchObject({
      paused: false,
      pausedUntil: null,
      nextNight: '2026-05-08',
    });
    expect(await nights()).toEqual([]);
    await clock.advance(dayMs / 2);
    await openNight(resources);
    expect(await nights()).toEqual(['2026-05-08']);
  });

  it('of the person is theirs to end, and one of an operator is not', async () => {
    const guest = await pages.consented();
    const userId = await guest.userId();
    expect(await changed(guest, '/settings/pause', { until: '2026-06-01' })).toBe('paused');
    expect(await latest()).toMatchObject({
      act: 'plan-paused',
      by: `user:${userId}`,
      about: '2026-06-01T00:00:00.000Z',
    });
    expect(await changed(guest, '/settings/pause', { until: '2026-07-01' })).toBe('paused');
    expect(await changed(guest, '/settings/resume')).toBe('resumed');
    const entry = await latest();
    expect(entry).toMatchObject({ act: 'plan-resumed', by: `user:${userId}` });
    expect(await changed(guest, '/settings/resume')).toBe('resumed');
    expect(await latest()).toEqual(entry);
    await guest.post('/settings/pause', { until: '2026-06-01' });
    await operator.post(`/operator/people/${userId}/pause`);
    expect(await planOf(guest)).toMatchObject({ paused: true, pausedUntil: null });
    expect(await changed(guest, '/settings/resume')).toBe('held');
    expect(await changed(guest, '/settings/pause', { until: '2026-06-01' })).toBe('held');
    expect(await guest.text('/settings?told=held')).toContain(`<p class="card warn" role="status">${t.told.not.held}`);
    expect(await guest.text('/settings')).toContain(t.pause.byOperator);
  });

  it.each(['2026-05-04', '2025-01-01', '2027-06-01', '2026-13-01', 'tomorrow', ''])(
    'has no such end: %s',
    async (until) => {
      const answer = await bob.post('/settings/pause', { until });
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(t.pause.fault)]);
      expect(await planOf(bob)).toMatchObject({ paused: false });
    },
  );

  it('is needed for no night to come: a consent that has ended brings none either', async () => {
    const guest = await pages.consented();
    const { ended, lead, next } = texts.settings.hours;
    const living = await guest.text('/settings');
    for (const words of [lead, next('').slice(0, -1)]) expect(living).toContain(words);
    expect(living).not.toContain(ended);
    const where = { userId: await guest.userId() };
    await pages.resources.database.grant.updateMany({ where, data: { state: 'needs_consent' } });
    const over = await guest.text('/settings');
    for (const words of [lead, next('').slice(0, -1)]) expect(over).not.toContain(words);
    expect(over).toContain(ended);
  });

  it('ends with the consent, and cannot begin after it', async () => {
    const guest = await pages.consented();
    await guest.post('/settings/pause', { until: '2026-06-01' });
    await guest.post('/grant/withdraw', { sure: 'yes' });
    expect(await planOf(guest)).toMatchObject({ paused: true, pausedUntil: null });
    expect(await guest.text('/settings')).toContain(t.pause.ended);
    expect(await changed(guest, '/settings/pause', { until: '2026-06-01' })).toBe('ended');
    expect(await changed(guest, '/settings/resume')).toBe('ended');
  });
});

describe('what is chosen for reading', () => {
  it('is one of the languages, or what the browser says', async () => {
    const { database } = pages.resources;
    const userId = await bob.userId();
    await bob.post('/settings/language', { language: 'de' });
    expect(await languageOf(database, userId)).toBe('de');
    expect(await latest()).toMatchObject({ act: 'settings-changed', userId, about: 'language: de' });
    expect(await bob.text('/settings')).toContain(german.settings.title);
    expect((await bob.post('/settings/language', { language: 'tlh' })).status).toBe(400);
    expect(await languageOf(database, userId)).toBe('de');
    await bob.post('/settings/language', { language: '' });
    expect(await languageOf(database, userId)).toBeNull();
  });

  it('is mail of the kinds that are ticked', async () => {
    const { database } = pages.resources;
    const guest = await pages.newPerson({ claims: { email: 'carol@example.org' } });
    const userId = await guest.userId();
    const muted = async () =>
      (await listWhoMayBeMailed(database, { userIds: [userId], at: pages.clock.now() })).get(userId);
    expect(await muted()).toEqual([]);
    await guest.post('/settings/mails', { mail: 'consent-ends' });
    expect(await muted()).toEqual(['trouble']);
    expect(await latest()).toMatchObject({ act: 'settings-changed', userId, about: 'no mail of: trouble' });
    await guest.post('/settings/mails');
    expect(await muted()).toEqual(['consent-ends', 'trouble']);
    expect(await guest.text('/settings')).toContain(t.mails.off);
  });
});

describe('the list of browsers', () => {
  it('shows each with what it is, and signs out one, or all others', async () => {
    const { database } = pages.resources;
    const guest = await pages.newPerson();
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
    const other = await pages.newPerson(guest.person);
    const third = await pages.newPerson(guest.person);
    await third.send('/login');
    await third.send(third.wayBack(), { headers: { 'user-agent': agent } });
    const userId = await guest.userId();
    const ids = async () => (await database.webSession.findMany({ where: { userId } })).map(({ id }) => id);
    expect(await ids()).toHaveLength(3);
    const page = await guest.text('/settings');
    expect(page).toContain(t.sessions.endThat('Firefox, Linux', '4 May 2026, 12:00 UTC'));
    expect(page).toContain(t.sessions.lead(2 * 3_600_000, 12 * 3_600_000));
    const named = [...page.matchAll(/name="session" value="([^"]+)"/g)].map(([, id = '']) => id);
    expect(named).toHaveLength(2);
    const end = (person: SignedIn) => changed(person, '/settings/sessions/end', { session: named[0] ?? '' });
    expect(await end(bob)).toBe('no-session');
    expect(await ids()).toHaveLength(3);
    expect(await end(guest)).toBe('session-ended');
    expect(await ids()).toHaveLength(2);
    expect(await end(guest)).toBe('no-session');
    expect(await guest.text('/settings?told=no-session')).toContain(t.told.not['no-session']);
    expect(await changed(guest, '/settings/sessions/end-others')).toBe('sessions-ended');
    expect(await latest()).toMatchObject({ act: 'signed-out', by: `user:${userId}`, userId });
    expect((await guest.send('/settings')).status).toBe(200);
    for (const gone of [other, third]) expect((await gone.send('/settings')).status).toBe(303);
  });
});

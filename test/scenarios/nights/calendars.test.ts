import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { isFilledIn } from '../../../src/domain/url-template.ts';
import { moveFiles } from '../../../src/flows/files/move-files.ts';
import { findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { addressBook, calendar, changeTag, object, personalTree } from '../../support/fixtures/calendars.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { filesOfSnapshot } from '../../support/harness/snapshot-files.ts';
import { end, folder, type HostileWebdav, startHostileWebdav } from '../../support/servers/hostile-webdav.ts';

let opened: AsyncDisposableStack;
let fixture: ConsentFixture;
let personal: HostileWebdav;
let guest: Guest;
/** What is in the calendar, and in the address book. */
const work = calendar({});
const friends = addressBook({});

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  fixture = opened.use(await openConsentFixture());
  work.children = new Map(['one', 'two', 'three'].map((name) => [`${name}.ics`, object(`BEGIN ${name}`)]));
  work.properties = `<d:displayname>Work</d:displayname>${changeTag('1')}`;
  friends.children = new Map([['mum.vcf', object('BEGIN:VCARD')]]);
  personal = opened.use(await startHostileWebdav(personalTree(folder({ work, friends }))));
  guest = await signInAs(fixture, alice);
});
afterEach(() => opened.disposeAsync());

const set = (settings: Partial<ConsentFixture['resources']['config']>) =>
  Object.assign(fixture.resources.config, settings);
const named = () => ({ calendarsUrl: personal.url, contactsUrl: personal.url });
const agree = async () => {
  fixture.custody.pass(1_000);
  await guest.consent();
  await fixture.resources.database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
};
const planOf = () => fixture.resources.database.plan.findFirstOrThrow();
const night = async () => {
  const run = await fixture.backUp((await planOf()).id);
  return { ...run, content: run.snapshotId === null ? {} : await filesIn(run.snapshotId) };
};

async function filesIn(id: string): Promise<Record<string, string>> {
  return filesOfSnapshot(fixture.resources, { userId: (await planOf()).userId, id });
}

const files = { 'files/a.txt': 'one', 'files/sub/b.txt': 'two' };
const events = {
  'calendars/work/one.ics': 'BEGIN one',
  'calendars/work/properties.json': '{\n  "displayname": "Work"\n}\n',
  'calendars/work/three.ics': 'BEGIN three',
  'calendars/work/two.ics': 'BEGIN two',
};
const contacts = { 'contacts/friends/mum.vcf': 'BEGIN:VCARD', 'contacts/friends/properties.json': '{}\n' };

describe('consent', () => {
  test('to files alone lets nothing else be read, until the person has read that it is and agreed', async () => {
    await agree();
    set(named());
    expect((await night()).content).toEqual(files);
    expect(personal.heard).toEqual([]);
    const offered = await guest.text('/');
    for (const words of [texts.home.more.what(['calendars', 'contacts']), texts.home.more.how])
      expect(offered).toContain(words);
    expect(await (await guest.send('/', { headers: { 'accept-language': 'de' } })).text()).toContain(
      german.home.more.what(['calendars', 'contacts']),
    );
    const page = await guest.text('/consent');
    expect(page).toContain(`your calendars at ${personal.url}, and your contacts at ${personal.url}`);
    expect(page).toContain(texts.consent.howValueOfAll);
    expect((await planOf()).sources).toHaveLength(1);
    await agree();
    expect((await planOf()).sources).toEqual([
      { kind: 'webdav', name: 'files', url: fixture.files.url },
      { kind: 'caldav', name: 'calendars', url: personal.url },
      { kind: 'carddav', name: 'contacts', url: personal.url },
    ]);
    expect(await findBrokenRows(fixture.resources)).toEqual([]);
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', content: { ...files, ...events, ...contacts } });
    const home = await guest.text('/');
    expect(home).not.toContain(texts.home.more.how);
    expect(home).toContain(`${texts.holding.calendars}: ${personal.url}`);
    expect(home).toContain('Files, calendars and contacts');
    expect(await guest.text('/grant')).toContain(texts.grant.since.nothing);
  });

  test('in a form that was read before the settings named more takes files alone', async () => {
    const { pathname, search } = await begun();
    set(named());
    const back = await guest.send(pathname + search);
    expect(back.status).toBe(303);
    expect((await planOf()).sources).toEqual([{ kind: 'webdav', name: 'files', url: fixture.files.url }]);
  });

  test('without them, once the settings do not name them any more, leaves them out of the next snapshot, and nothing is wrong', async () => {
    set(named());
    await agree();
    await night();
    const { config } = fixture.resources;
    delete config.calendarsUrl;
    expect((await night()).content).toEqual({ ...files, ...events, ...contacts });
    await agree();
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', alarm: null, content: { ...files, ...contacts } });
    expect(run.content).not.toHaveProperty('calendars/work/one.ics');
  });

  test('is not offered for what the person has no claim for', async () => {
    await agree();
    const calendarsUrl = `${personal.url}{shoe_size}/`;
    set({ calendarsUrl });
    expect(isFilledIn(calendarsUrl, { subject: 'a', claims: {} })).toBe(false);
    expect(await guest.text('/')).not.toContain(texts.home.more.how);
  });

  /** The person has agreed, and comes back from the provider with this. */
  async function begun(): Promise<URL> {
    const asked = await guest.post('/consent', {});
    return fixture.custody.visit(new URL(asked.headers.get('location') ?? ''), alice);
  }
});

describe('nights', () => {
  beforeEach(async () => {
    set(named());
    await agree();
    expect((await night()).state).toBe('succeeded');
  });
  const asked = (since: number) => personal.heard.slice(since).map(({ method, path }) => `${method} ${path}`);

  test('in which nothing changed fetch nothing but the sample that is read again each night', async () => {
    const run = await night();
    expect(run).toMatchObject({
      state: 'succeeded',
      counts: { entriesRead: 0, entriesChecked: 8, filesNew: 0, filesChanged: 0 },
    });
    expect(run.content).toEqual({ ...files, ...events, ...contacts });
  });

  test('read what changed and what is new, and let go of what was deleted', async () => {
    work.children?.set('one.ics', object('BEGIN one, moved', 2));
    work.children?.set('four.ics', object('BEGIN four'));
    work.children?.delete('three.ics');
    work.properties = (work.properties ?? '').replace('>1<', '>2<');
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', counts: { filesNew: 1, filesChanged: 1, entriesGone: 1 } });
    expect(run.content).toMatchObject({
      'calendars/work/one.ics': 'BEGIN one, moved',
      'calendars/work/four.ics': 'BEGIN four',
    });
    expect(run.content).not.toHaveProperty('calendars/work/three.ics');
  });

  test('find a change that the change tag of its calendar hid', async () => {
    work.children?.set('one.ics', object('BEGIN one, moved', 2));
    set({ fullWalkNights: 1 });
    expect((await night()).content).toMatchObject({ 'calendars/work/one.ics': 'BEGIN one, moved' });
  });

  test.each([
    ['calendar are gone', () => work.children?.clear()],
    ['address book are gone', () => friends.children?.clear()],
    ['calendars are those of somebody else', () => personal.root.children?.get('home')?.children?.delete('work')],
  ])('say so where all that was in the %s, however little it was', async (_, change) => {
    change();
    work.properties = (work.properties ?? '').replace('>1<', '>2<');
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: 'loss' });
    expect(await guest.text('/')).toContain(texts.protection.nights.great_loss.happened);
  });

  test.each([
    [3, null],
    [25, 'loss'],
  ])(
    'name a calendar that is gone beside a larger one, and an address book that is emptied: with %i objects',
    async (count, alarm) => {
      const many = (of: string, objects: number) =>
        Object.fromEntries(Array.from({ length: objects }, (_, n) => [`${of}-${n}.ics`, object(`BEGIN ${of} ${n}`)]));
      const home = personal.root.children?.get('home')?.children ?? new Map();
      const [large, team] = [calendar(many('large', 100)), calendar(many('team', count))];
      const clients = addressBook(many('client', count));
      for (const [name, held] of Object.entries({ large, team, clients })) home.set(name, held);
      for (const [name, one] of Object.entries(many('friend', 100))) friends.children?.set(name, one);
      await night();
      home.delete('team');
      clients.children?.clear();
      const run = await night();
      expect(run).toMatchObject({ state: 'succeeded', alarm, counts: { entriesGone: 2 * count + 1 } });
      expect(run.goneFolders).toEqual([
        { path: 'calendars/team', entries: count },
        { path: 'contacts/clients', entries: count },
      ]);
      const [page, entries] = [await guest.text('/'), texts.holding.goneEntries(count)];
      expect(page).toContain(`<bdi>Calendars</bdi> / <bdi>team</bdi> (${entries}); <bdi>Contacts</bdi>`);
      expect(page.includes(texts.protection.nights.great_loss.happened)).toBe(alarm !== null);
      for (const name of ['large', 'team', 'clients']) home.delete(name);
    },
  );

  test('keep a calendar that its home lists for once as something else, and name it', async () => {
    personal.root.children?.get('home')?.children?.set('own', calendar({ 'five.ics': object('BEGIN five') }));
    const { types } = work;
    work.types = '';
    try {
      const run = await night();
      expect(run).toMatchObject({ state: 'partial', problemCount: 1, counts: { entriesGone: 0 } });
      expect(run.problems).toMatchObject([{ path: 'calendars/work', kept: true, folder: true }]);
      expect(run.content).toMatchObject({ ...files, ...events, ...contacts, 'calendars/own/five.ics': 'BEGIN five' });
    } finally {
      Object.assign(work, { types });
    }
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { filesNew: 0, entriesGone: 0 } });
  });

  test('try again while the server of calendars does not answer, and then go on without it: its copies are kept', async () => {
    fixture.files.root.children?.set('new.txt', object('new'));
    personal.mischief = (_, response) => {
      end(response, 503, { 'retry-after': '600' });
      return true;
    };
    const { database } = fixture.resources;
    const runId = await requestRun(fixture.resources, { planId: (await planOf()).id, trigger: 'person' });
    for (const attempt of [1, 2]) {
      expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', attempt, errorCode: 'source/unavailable' });
      fixture.custody.pass(600_000);
    }
    const run = await fixture.workOn(runId);
    expect(run).toMatchObject({ state: 'partial', problemCount: 2 });
    expect(run.problems).toEqual(
      ['calendars/', 'contacts/'].map((path) => ({
        path,
        code: 'source/unavailable',
        message: expect.stringContaining(`Nothing was backed up from ${personal.url}`),
        kept: true,
        since: expect.any(String),
      })),
    );
    expect(await filesIn(run.snapshotId ?? '')).toEqual({ ...files, ...events, ...contacts, 'files/new.txt': 'new' });
    personal.mischief = () => undefined;
    expect(await night()).toMatchObject({ state: 'succeeded' });
    expect(await database.run.count({ where: { state: 'failed' } })).toBe(0);
  });

  test.each([
    [404, 'source/not-found'],
    [401, 'source/unauthorized'],
    [403, 'source/forbidden'],
  ])('go on at once with all else where the server of calendars answers %i', async (status, code) => {
    fixture.files.root.children?.set('new.txt', object('new'));
    personal.mischief = (_, response) => {
      end(response, status);
      return true;
    };
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: code, problemCount: 2 });
    expect(run.content).toEqual({ ...files, ...events, ...contacts, 'files/new.txt': 'new' });
  });

  test('end the walk of a calendar that holds itself, and of names that nothing can have, and keep all else', async () => {
    work.properties = (work.properties ?? '').replace('>1<', '>2<');
    work.children?.set('again', work);
    work.children?.set('slash', { ...object('odd'), href: '/dav/home/work/a%2Fb.ics' });
    work.children?.set('x'.repeat(5_000), object('long'));
    const run = await night();
    expect(run.state).toBe('partial');
    const problems = run.problems as { path: string; code: string }[];
    expect(new Set(problems.map(({ code }) => code))).toEqual(new Set(['source/loop', 'source/malformed']));
    expect(run.content).toMatchObject({ ...files, ...events, ...contacts });
    work.children?.delete('again');
  });

  test('keep the calendars of before where the server of files is away', async () => {
    work.children?.set('four.ics', object('BEGIN four'));
    work.properties = (work.properties ?? '').replace('>1<', '>2<');
    fixture.files.mischief = (_, response) => {
      end(response, 404);
      return true;
    };
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/not-found' });
    expect(run.content).toEqual({ ...files, ...events, ...contacts, 'calendars/work/four.ics': 'BEGIN four' });
  });

  test('send no token to a server of calendars that the settings do not name, and go on with all else', async () => {
    const elsewhere = personal.url.replace('127.0.0.1', 'localhost');
    set({ calendarsUrl: elsewhere, contactsUrl: elsewhere });
    const before = personal.heard.length;
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/foreign-origin' });
    expect(run.content).toEqual({ ...files, ...events, ...contacts });
    expect(asked(before)).toEqual([]);
  });

  test('follow them to another address by the word of the operator, of which the person is told what it is about', async () => {
    const elsewhere = personal.url.replace('127.0.0.1', 'localhost');
    set({ calendarsUrl: elsewhere, contactsUrl: personal.url });
    const move = { from: personal.url, to: elsewhere, dryRun: false, by: 'command:op@here' };
    expect((await Array.fromAsync(moveFiles(fixture.resources, move))).flat()).toMatchObject([{ to: elsewhere }]);
    expect((await planOf()).sources).toMatchObject([{}, { url: elsewhere }, { url: personal.url }]);
    expect(await guest.text('/')).toContain('that your calendars, unchanged, are now at another address');
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { filesNew: 0, filesChanged: 0 } });
  });
});

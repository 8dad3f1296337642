import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseSources } from '../../../src/flows/consent/choose-sources.ts';
import { findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { consentedAs } from '../../support/harness/operators.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

const t = texts.consent;
const more = {
  calendarsUrl: 'https://cloud.example/dav/',
  mailUrl: 'imaps://{preferred_username}@imap.example',
};

let pages: Pages;
beforeEach(async () => {
  pages = await openPages();
});
afterEach(() => pages[Symbol.asyncDispose]());

const set = (settings: Partial<Pages['resources']['config']>) => Object.assign(pages.resources.config, settings);
const unset = (...names: (keyof typeof more)[]) => {
  for (const name of names) delete pages.resources.config[name];
};
const newcomer = (name = 'alice') => pages.newPerson({ claims: { preferred_username: name } });
const planOf = async (guest: SignedIn) =>
  pages.resources.database.plan.findFirstOrThrow({ where: { userId: await guest.userId() } });
const namesOf = async (guest: SignedIn) => {
  const { sources } = await planOf(guest);
  return (sources as { name: string }[]).map(({ name }) => name);
};
const recordOf = async (guest: SignedIn) => {
  const where = { userId: await guest.userId() };
  const { terms } = await pages.resources.database.consent.findFirstOrThrow({ where, orderBy: { agreedAt: 'desc' } });
  return terms as { sentences: { about: string; says: string }[]; facts: Record<string, unknown> };
};
/** Which boxes the page has, and which are ticked. */
const boxesIn = (page: string, field: string) =>
  [...page.matchAll(new RegExp(`name="${field}" value="(\\w+)" (checked)?`, 'g'))].map(([, name, ticked]) =>
    ticked === undefined ? `no ${name}` : name,
  );
/** Presses the button of the page at this address, with these boxes ticked; answers where that leads. */
const send = async (guest: SignedIn, path: string, only: readonly string[]) => {
  const page = await guest.text(path);
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
  const answer = await guest.post('/consent', { read: hidden('read'), shown: hidden('shown'), only });
  return answer.headers.get('location') ?? answer.status;
};
/** Lets a minute pass, so that what comes is newer than what was. */
const later = () => pages.clock.advance(60_000);

describe('the consent page', () => {
  it('asks for nothing where there is one thing to back up', async () => {
    const guest = await newcomer();
    const page = await guest.text('/consent');
    expect(boxesIn(page, 'only')).toEqual([]);
    expect(page).not.toContain(t.choose);
  });

  it('has a box for each thing, all ticked, and takes all of it at once', async () => {
    set(more);
    const guest = await newcomer();
    const page = await guest.text('/consent');
    expect(boxesIn(page, 'only')).toEqual(['files', 'calendars', 'mail']);
    for (const words of [t.choose, texts.holding.mail, t.chooseHow]) expect(page).toContain(words);
    expect(page).not.toContain(t.leftOut);
    expect(await send(guest, '/consent', ['files', 'calendars', 'mail'])).toMatch(/^https:\/\/id\.example/);
    await guest.comeBack();
    expect(await namesOf(guest)).toEqual(['files', 'calendars', 'mail']);
    expect((await recordOf(guest)).facts).not.toHaveProperty('leftOut');
  });

  it('shows the sentences for another choice before anything is agreed, and the record has these', async () => {
    set(more);
    const guest = await newcomer();
    const next = await send(guest, '/consent', ['calendars', 'files']);
    expect(next).toBe('/consent?told=chosen&returnTo=%2F&only=files&only=calendars');
    const page = await guest.text(String(next));
    const what = t.whatValueOfAll({ files: 'https://cloud.example/', calendars: more.calendarsUrl });
    for (const words of [t.chosen, what, t.leftOut, t.leftOutValue(['mail'])]) expect(page).toContain(words);
    expect(boxesIn(page, 'only')).toEqual(['files', 'calendars', 'no mail']);
    expect(page).not.toContain('imap.example');
    expect(await send(guest, String(next), ['files', 'calendars'])).toMatch(/^https:\/\/id\.example/);
    await guest.comeBack();
    expect(await namesOf(guest)).toEqual(['files', 'calendars']);
    const { sentences, facts } = await recordOf(guest);
    expect(sentences.map(({ says }) => says)).toEqual(expect.arrayContaining([what, t.leftOutValue(['mail'])]));
    expect(facts).toMatchObject({ leftOut: ['mail'] });
    expect(facts).not.toHaveProperty('mail');
    const record = await guest.text('/grant');
    for (const words of [what, t.leftOutValue(['mail']), texts.grant.since.nothing]) expect(record).toContain(words);
    expect(await findBrokenRows(pages.resources)).toEqual([]);
  });

  it('takes what somebody has alone, also without files', async () => {
    set(more);
    const guest = await newcomer();
    const next = String(await send(guest, '/consent', ['mail']));
    const page = await guest.text(next);
    expect(page).toContain('Your mail at imaps://alice@imap.example. It is only read; nothing there is changed.');
    await send(guest, next, ['mail']);
    await guest.comeBack();
    expect(await namesOf(guest)).toEqual(['mail']);
    const home = await guest.text('/');
    expect(home).toContain(texts.holding.leftOut);
    expect(home).not.toContain(texts.home.more.how);
    expect(boxesIn(await guest.text('/settings'), 'source')).toEqual([]);
    expect(await guest.text('/settings')).toContain(texts.settings.sources.beyond(['files', 'calendars']));
  });

  it('refuses to agree to nothing', async () => {
    set(more);
    const guest = await newcomer();
    expect(await send(guest, '/consent', [])).toBe(400);
    const answer = await guest.post('/consent', { shown: 'files calendars mail' });
    const page = await answer.text();
    expect(page).toContain(t.chooseNone);
    expect(boxesIn(page, 'only')).toEqual(['files', 'calendars', 'mail']);
    expect(await pages.resources.database.plan.count()).toBe(0);
  });

  it.each([
    [
      ['mail', 'files', '<script>'],
      ['files', 'no calendars', 'mail'],
    ],
    [['nothing of ours'], ['files', 'calendars', 'mail']],
  ])('takes of an address only what is offered: %j', async (only, boxes) => {
    set(more);
    const guest = await newcomer();
    const query = new URLSearchParams(only.map((name): [string, string] => ['only', name]));
    const page = await guest.text(`/consent?${query}`);
    expect(boxesIn(page, 'only')).toEqual(boxes);
    expect(page).not.toContain('<script>');
  });

  it('says that the sentences have changed where it is they, and not the choice', async () => {
    set(more);
    const guest = await newcomer();
    const page = await guest.text('/consent');
    const read = /name="read" value="([^"]*)"/.exec(page)?.[1] ?? '';
    set({ window: { ...pages.resources.config.window, start: '03:00' } });
    const fields = { read, shown: 'files calendars mail', only: ['files', 'calendars', 'mail'] };
    expect((await guest.post('/consent', fields)).headers.get('location')).toContain('told=changed');
  });

  it('takes a form of the version before, which has no boxes, for all that its sentences name', async () => {
    set(more);
    const guest = await newcomer();
    expect((await guest.post('/consent')).headers.get('location')).toMatch(/^https:\/\/id\.example/);
    await guest.comeBack();
    expect(await namesOf(guest)).toEqual(['files', 'calendars', 'mail']);
  });

  it('does not tick at a renewal what was left out, and ticks what was never asked about', async () => {
    set(more);
    unset('calendarsUrl');
    const guest = await newcomer();
    await send(guest, String(await send(guest, '/consent', ['files'])), ['files']);
    await guest.comeBack();
    later();
    set(more);
    expect(boxesIn(await guest.text('/consent'), 'only')).toEqual(['files', 'calendars', 'no mail']);
    const home = await guest.text('/');
    expect(home).toContain(texts.home.more.what(['calendars']));
    expect(home).not.toContain(texts.home.more.what(['calendars', 'mail']));
    // Who agrees to what the page shows has the calendars from then on, and still no mail.
    await guest.post('/consent');
    await guest.comeBack();
    expect(await namesOf(guest)).toEqual(['files', 'calendars']);
  });

  it('counts, of two tabs, as what was agreed to last, whichever the provider answers first', async () => {
    set(more);
    const guest = await newcomer();
    await send(guest, '/consent', ['files', 'calendars', 'mail']);
    const first = guest.wayBack();
    later();
    await send(guest, String(await send(guest, '/consent', ['files'])), ['files']);
    const last = guest.wayBack();
    for (const way of [last, first]) {
      expect((await guest.send(way)).status).toBe(303);
      expect(await namesOf(guest)).toEqual(['files']);
    }
    expect((await recordOf(guest)).facts).toMatchObject({ leftOut: ['calendars', 'mail'] });
    expect(await guest.text('/grant')).toContain(texts.grant.since.nothing);
    expect(await pages.resources.database.consent.count()).toBe(2);
    expect(await findBrokenRows(pages.resources)).toEqual([]);
  });

  it('speaks German', async () => {
    set(more);
    const guest = await newcomer();
    const answer = await guest.send('/consent?only=mail', { headers: { 'accept-language': 'de' } });
    const page = await answer.text();
    for (const words of [german.consent.choose, german.consent.leftOut, 'Ihre Dateien und Kalender. Davon wird nichts'])
      expect(page).toContain(words);
    expect(page).toContain('Ihre E-Mails unter imaps://alice@imap.example. Sie werden nur gelesen');
  });
});

describe('the settings', () => {
  let alice: SignedIn;
  let bob: SignedIn;
  beforeEach(async () => {
    set(more);
    alice = await consentedAs(pages, 'alice');
    bob = await consentedAs(pages, 'bob');
    later();
  });
  const choose = async (guest: SignedIn, source: readonly string[]) => {
    const answer = await guest.post('/settings/sources', { source });
    return answer.headers.get('location')?.replace('/settings?told=', '') ?? answer.status;
  };
  const acts = () => pages.resources.database.audit.findMany({ where: { act: 'sources-chosen' } });

  it('let a person leave something out, once however often the button is pressed, and choose it again', async () => {
    const before = await planOf(alice);
    expect(boxesIn(await alice.text('/settings'), 'source')).toEqual(['files', 'calendars', 'mail']);
    expect(await choose(alice, ['files', 'calendars'])).toBe('sources');
    expect(await choose(alice, ['files', 'calendars'])).toBe('sources');
    expect(await alice.text('/settings?told=sources')).toContain(texts.settings.told.done.sources);
    const by = `user:${await alice.userId()}`;
    expect(await acts()).toMatchObject([{ by, userId: await alice.userId(), about: 'files calendars', reason: null }]);
    const events = await pages.resources.database.event.findMany({ where: { reason: 'sources chosen' } });
    expect(events).toMatchObject([{ subjectId: before.id, from: 'files calendars mail', to: 'files calendars', by }]);
    expect(boxesIn(await alice.text('/settings'), 'source')).toEqual(['files', 'calendars', 'no mail']);
    expect(await findBrokenRows(pages.resources)).toEqual([]);
    later();
    expect(await choose(alice, ['mail', 'calendars', 'files'])).toBe('sources');
    expect((await planOf(alice)).sources).toEqual(before.sources);
    expect(await acts()).toHaveLength(2);
    expect(await findBrokenRows(pages.resources)).toEqual([]);
  });

  it('say what was left out, on home and beside the record, and call nothing missing', async () => {
    const record = await recordOf(alice);
    await choose(alice, ['files', 'calendars']);
    const at = texts.formats.time(pages.clock.now(), 'UTC');
    const home = await alice.text('/');
    expect(home).toContain(texts.holding.leftOutByYou(at));
    for (const words of [texts.home.more.how, texts.holding.notOffered, 'imap.example'])
      expect(home).not.toContain(words);
    const grant = await alice.text('/grant');
    expect(grant).toContain(texts.grant.since.leftOut.byYou('emails', at));
    expect(grant).not.toContain(texts.grant.since.nothing);
    // What was agreed to stays as it was read.
    expect(await recordOf(alice)).toEqual(record);
    expect(boxesIn(await alice.text('/consent'), 'only')).toEqual(['files', 'calendars', 'no mail']);
    expect(await bob.text('/')).not.toContain(texts.holding.leftOutByYou(at));
    const inGerman = await alice.send('/', { headers: { 'accept-language': 'de' } });
    expect(await inGerman.text()).toContain('Ausgelassen: So haben Sie es am');
  });

  it('say where it was the operator who left it out', async () => {
    const choice = {
      userId: await alice.userId(),
      names: ['files', 'mail'],
      by: 'command:op@here',
      words: 'asked for',
    };
    expect(await chooseSources(pages.resources, choice)).toBe('chosen');
    const at = texts.formats.time(pages.clock.now(), 'UTC');
    expect(await alice.text('/')).toContain(texts.holding.leftOutByOperator(at));
    expect(await alice.text('/grant')).toContain(texts.grant.since.leftOut.byOperator('calendars', at));
    later();
    // What each of them left out stays apart.
    await choose(alice, ['files']);
    const home = await alice.text('/');
    expect(home).toContain(texts.holding.leftOutByOperator(at));
    expect(home).toContain(texts.holding.leftOutByYou(texts.formats.time(pages.clock.now(), 'UTC')));
  });

  it('keep one thing, and take nothing that was not agreed to', async () => {
    expect(await choose(alice, [])).toBe(400);
    expect(await (await alice.post('/settings/sources')).text()).toContain(texts.settings.sources.fault);
    const answer = await alice.post('/settings/sources', { source: ['files', 'contacts'] });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining(texts.settings.sources.notAgreed),
    ]);
    expect(await namesOf(alice)).toEqual(['files', 'calendars', 'mail']);
    expect(await acts()).toEqual([]);
  });

  it('take nothing by forged forms, however many names they hold', async () => {
    const before = await planOf(alice);
    for (const source of [
      ['files', '__proto__'],
      ['constructor', 'toString'],
      ['files', 'FILES'],
      ['files', 'files calendars'],
      ['leftOut'],
      Array.from({ length: 700 }, (_, n) => `source-${n}`),
      Array.from({ length: 10_000 }, (_, n) => `source-${n}`),
    ])
      expect(await choose(alice, source)).toBe(400);
    expect(await planOf(alice)).toEqual(before);
    expect(await choose(alice, Array(1_000).fill('mail'))).toBe('sources');
    expect(await namesOf(alice)).toEqual(['mail']);
    expect(await acts()).toMatchObject([{ about: 'mail' }]);
  });

  it('offer nothing that somebody wrote into the record who has the database and not the keyring', async () => {
    const { consent } = pages.resources.database;
    const userId = await alice.userId();
    await choose(alice, ['files']);
    const bobs = await recordOf(bob);
    await choose(bob, ['files']);
    const hers = await recordOf(alice);
    const { mail: _, ...facts } = hers.facts;
    const forged = { ...hers.facts, mail: bobs.facts.mail };
    for (const terms of [
      { ...hers, facts: { ...forged, calendars: more.calendarsUrl } },
      bobs,
      { ...hers, proof: '' },
    ]) {
      await consent.updateMany({ where: { userId }, data: { terms: terms as object } });
      expect(await choose(alice, ['files', 'mail'])).toBe(400);
      const asked = { userId, names: ['files', 'mail'], by: 'command:op@here' };
      expect(await chooseSources(pages.resources, asked)).toBe('not-agreed');
      const page = await alice.text('/settings');
      expect(boxesIn(page, 'source')).toEqual([]);
      expect(page).toContain(texts.settings.sources.beyond(['calendars', 'mail']));
    }
    await consent.updateMany({ where: { userId }, data: { terms: { ...hers, facts } as object } });
    expect(await choose(alice, ['files', 'calendars'])).toBe(400);
    await consent.updateMany({ where: { userId }, data: { terms: hers as object } });
    expect(await choose(alice, ['files', 'mail'])).toBe('sources');
  });

  it('are those of each person alone: of a stranger, of bob, of an operator and without the token of the form', async () => {
    const [hers, his] = [await planOf(alice), await planOf(bob)];
    const stranger = await openVisitor(pages.resources).post('/settings/sources', { source: 'files' });
    expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/login?returnTo=%2F%3Ftold%3Dunsent']);
    expect((await alice.post('/settings/sources', { source: 'files', csrf: 'made up' })).status).toBe(403);
    expect([await planOf(alice), await planOf(bob)]).toEqual([hers, his]);
    const operator = await pages.newPerson({ roles: ['operator'] });
    expect(await choose(operator, ['files'])).toBe('ended');
    expect(await choose(bob, ['mail'])).toBe('sources');
    expect(await planOf(alice)).toEqual(hers);
    expect(await namesOf(bob)).toEqual(['mail']);
    const about = `/operator/people/${await bob.userId()}`;
    expect(await operator.text(about)).toContain(`<dt>${texts.operator.person.sources}</dt><dd>emails</dd>`);
    expect(await operator.text('/operator/audit')).toContain(texts.operator.audit.acts['sources-chosen']);
    expect((await bob.send(about)).status).toBe(403);
  });

  it('offer again only what is at the address that was agreed to; the rest needs another agreement', async () => {
    await choose(alice, ['files', 'calendars']);
    set({ mailUrl: 'imaps://{preferred_username}@other.example' });
    const page = await alice.text('/settings');
    expect(boxesIn(page, 'source')).toEqual(['files', 'calendars']);
    expect(page).toContain(texts.settings.sources.beyond(['mail']));
    expect(await choose(alice, ['files', 'calendars', 'mail'])).toBe(400);
    // That it was left out is known all the same.
    expect(await alice.text('/')).not.toContain(texts.home.more.how);
    expect(await alice.text('/grant')).toContain('Your emails are not backed up any more');
  });

  it('offer nothing of a consent that was withdrawn', async () => {
    await alice.post('/grant/withdraw', { sure: 'yes' });
    expect(boxesIn(await alice.text('/settings'), 'source')).toEqual([]);
    expect(await choose(alice, ['files'])).toBe('ended');
    expect(await alice.text('/settings?told=ended')).toContain(texts.settings.told.not.ended);
  });

  it('refuse a plan that is not as Nightkeep left it', async () => {
    const { id } = await planOf(alice);
    await pages.resources.database.plan.update({ where: { id }, data: { seal: null } });
    await alice.post('/settings/sources', { source: 'files' });
    expect(await namesOf(alice)).toEqual(['files', 'calendars', 'mail']);
    expect(await acts()).toEqual([]);
  });

  it('let two forms at once do one after the other', async () => {
    expect(await Promise.all([choose(alice, ['files']), choose(alice, ['files'])])).toEqual(['sources', 'sources']);
    expect(await acts()).toHaveLength(1);
  });
});

describe('rows of earlier versions', () => {
  it('mean all that they named, and of them something can be left out and chosen again', async () => {
    set(more);
    const alice = await consentedAs(pages, 'alice');
    const { database } = pages.resources;
    // As versions kept it that knew of no choice.
    const record = await recordOf(alice);
    expect(record.facts).not.toHaveProperty('leftOut');
    later();
    expect((await alice.post('/settings/sources', { source: ['files', 'mail'] })).status).toBe(303);
    expect(await namesOf(alice)).toEqual(['files', 'mail']);
    // Of files alone, without sentences.
    const bob = await consentedAs(pages, 'bob');
    const terms = {
      files: 'https://cloud.example/',
      window: { start: '01:00', end: '05:00', zone: 'UTC' },
      retention: {},
    };
    await database.consent.updateMany({ where: { userId: await bob.userId() }, data: { terms } });
    expect(boxesIn(await bob.text('/settings'), 'source')).toEqual(['files', 'calendars', 'mail']);
    expect((await bob.post('/settings/sources', { source: 'files' })).status).toBe(303);
    expect(boxesIn(await bob.text('/settings'), 'source')).toEqual([]);
    expect(await bob.text('/settings')).toContain(texts.settings.sources.beyond(['calendars', 'mail']));
  });
});

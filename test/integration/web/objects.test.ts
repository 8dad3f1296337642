import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { fileNode } from '../../../src/store/archiver/nodes.ts';
import { type Folder, writeSnapshot } from '../../support/fixtures/repository.ts';
import { addRepository, openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';

const markup = '<script>alert(1)</script>';
const lines = (...all: string[]) => Buffer.from(`${all.join('\r\n')}\r\n`);
const calendar = (...inside: string[]) => lines('BEGIN:VCALENDAR', ...inside, 'END:VCALENDAR');
const event = (...inside: string[]) => calendar('BEGIN:VEVENT', ...inside, 'END:VEVENT');
const contact = (...inside: string[]) => lines('BEGIN:VCARD', 'VERSION:3.0', ...inside, 'END:VCARD');
const properties = (displayname: unknown) => Buffer.from(JSON.stringify({ displayname }));

const held = {
  calendars: {
    b7c1: {
      'properties.json': properties('Choir'),
      '9f.ics': event('SUMMARY:Rehearsal', 'DTSTART:20260506T080000Z', 'DTEND:20260506T090000Z', 'LOCATION:Hall'),
      '1a.ics': event('SUMMARY:Tour', 'DTSTART;VALUE=DATE:20260501', 'DTEND;VALUE=DATE:20260503', 'RRULE:FREQ=YEARLY'),
      '3c.ics': event(
        `SUMMARY:${markup}\u202eevil`,
        'DTSTART;TZID=Asia/Tokyo:20260507T100000',
        `DESCRIPTION:${markup}`,
      ),
      '5e.ics': event('DTSTART:soon'),
      '7a.ics': Buffer.from('no calendar at all'),
    },
    plain: { 'properties.json': Buffer.from('[') },
  },
  contacts: {
    people: {
      'properties.json': properties('people'),
      'x.vcf': contact('FN:Ada Baker', 'EMAIL:ada@demo.example', `NOTE:${markup}`),
    },
  },
  mail: {
    INBOX: {
      'mailbox.json': lines('{}'),
      '2026-05-01 Hello [7].eml': lines(
        `From: ${markup} <ada@demo.example>`,
        'To: ben@demo.example',
        'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=',
        'Date: Fri, 1 May 2026 10:00:00 +0200',
        '',
        `See you. ${markup}`,
      ),
      'photo.eml': lines(
        'From: ada@demo.example',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        '',
        'Look.',
        '--b',
        'Content-Type: image/png',
        `Content-Disposition: attachment; filename="${markup}\u202egnp.exe"`,
        'Content-Transfer-Encoding: base64',
        '',
        Buffer.alloc(1_234).toString('base64'),
        '--b',
        'Content-Type: application/pdf',
        '',
        'pages',
        '--b--',
      ),
      '2026-05-02 Old [8].eml': lines('From: ada@demo.example', 'Date: 1 Jan 0001 00:00:00 +0000', '', 'Old.'),
    },
  },
  files: {
    'letter.txt': Buffer.from('text'),
    'saved.ics': event('SUMMARY:Saved'),
    'timeless.txt': { node: fileNode({ name: 'timeless.txt' }, 0, []) },
  },
} satisfies Folder;

let pages: Pages;
let alice: SignedIn;
let whole: string;
let id: string;
beforeAll(async () => {
  pages = await openPages();
  alice = await pages.consented();
  const repository = await addRepository(pages, alice);
  await writeSnapshot(repository, { files: { 'letter.txt': Buffer.from('text') } }, '2026-01-05T02:00:00Z');
  whole = (await writeSnapshot(repository, held, '2026-01-06T02:00:00Z')).id;
  id = whole.slice(0, 16);
});
afterAll(() => pages[Symbol.asyncDispose]());

/** A restore of the path that has ended. */
async function restoreOf(path: string, snapshotId = whole): Promise<string> {
  const restore = randomUUID();
  const data = { id: restore, userId: await alice.userId(), snapshotId, path, askedAt: pages.clock.now() };
  await pages.resources.database.restore.create({ data: { ...data, state: 'succeeded' } });
  return restore;
}

const at = (kind: string, path: string) => `/snapshots/${id}/${kind}/${path}`;
/** What a page shows, without its markup. */
const read = async (path: string, person = alice) =>
  (await person.text(path))
    .replace(/<(title|style|svg)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('browsing', () => {
  it('calls what a person has by its names, and calendars and address books as their person does', async () => {
    const top = await read(at('browse', ''));
    for (const name of ['Calendars', 'Contacts', 'Files', 'Mail']) expect(top).toContain(` ${name} `);
    expect(top).toContain('4 entries; 16 in all, not counting folders');
    const calendars = await read(at('browse', 'calendars'));
    expect(calendars).toContain('Everything Calendars');
    expect(calendars).toContain('Choir b7c1');
    expect(calendars).toContain(' plain ');
    expect(await read(at('browse', 'contacts'))).not.toContain('people people');
  });

  it('calls events and contacts by their titles and times, and sorts them by these', async () => {
    const page = await read(at('browse', 'calendars/b7c1'));
    expect(page).toContain('Everything Calendars Choir');
    expect(page).toContain('Rehearsal 6 May 2026, 08:00 · 9f.ics');
    expect(page).toContain('Tour Fri, 1 May 2026 · 1a.ics');
    expect(page).toContain('Event without a title 5e.ics');
    expect(page).toContain('(Asia/Tokyo)');
    expect(page).toContain(' 7a.ics ');
    expect(page).toContain('Properties of this calendar properties.json');
    expect(page).not.toContain('Choir properties.json');
    expect(page.indexOf('Rehearsal')).toBeLessThan(page.indexOf('Tour'));
    const people = await read(at('browse', 'contacts/people'));
    for (const words of ['Ada Baker x.vcf', 'Properties of this address book properties.json'])
      expect(people).toContain(words);
    expect(await read(at('browse', 'mail/INBOX'))).toContain(
      'Flags and times of receipt of these messages mailbox.json',
    );
    const bySize = await read(`${at('browse', 'calendars/b7c1')}?sort=size`);
    expect(bySize.indexOf('Tour')).toBeLessThan(bySize.indexOf('Rehearsal'));
  });

  it('is in the language of the person', async () => {
    await alice.post('/settings/language', { language: 'de' });
    expect(await read(at('browse', ''))).toContain(' Kalender ');
    expect(await read(at('browse', 'calendars/b7c1'))).toContain('Termin ohne Titel');
    await alice.post('/settings/language', { language: '' });
  });

  it('leaves files by their names, and says of no time that a server did not tell', async () => {
    const files = await read(at('browse', 'files'));
    expect(files).not.toContain('Saved');
    expect(files).toContain('timeless.txt 0 bytes Download');
    expect(files).toContain('letter.txt 4 bytes 2 Jan 2026, 03:04');
    expect(await read(at('view', 'files/timeless.txt'))).toContain(' 0 bytes Download');
  });

  it('leads to restores that name it so', async () => {
    expect(await read(at('restore', 'calendars/b7c1'))).toContain('What Calendars / Choir As it was');
    expect(await read(at('restore', 'calendars/b7c1/9f.ics'))).toContain(
      'What Calendars / Choir / Rehearsal 6 May 2026, 08:00 As it was',
    );
    expect(await read(at('restore', 'calendars/b7c1/7a.ics'))).toContain('What Calendars / Choir / 7a.ics As it was');
    expect(await read(at('restore', 'files/saved.ics'))).toContain('What Files / saved.ics As it was');
  });

  test.each([
    ['calendars/b7c1/9f.ics', 'Calendars / Choir / Rehearsal 6 May 2026, 08:00'],
    ['calendars/b7c1/1a.ics', 'Calendars / Choir / Tour Fri, 1 May 2026'],
    ['calendars/b7c1', 'Calendars / Choir'],
    ['contacts/people/x.vcf', 'Contacts / people / Ada Baker'],
    ['mail/INBOX/2026-05-01 Hello [7].eml', 'Mail / INBOX / 2026-05-01 Hello [7].eml'],
    ['files/saved.ics', 'Files / saved.ics'],
    ['', 'Everything in this snapshot'],
  ])('names what was restored so, too: %j', async (path, named) => {
    const restore = await restoreOf(path);
    expect(await read(`/restores/${restore}`)).toContain(` What ${named} `);
  });

  it('leads back to the folder that it lies in', async () => {
    const page = await alice.text(`/restores/${await restoreOf('calendars/b7c1/9f.ics')}`);
    expect(page).toContain(`href="${at('browse', 'calendars/b7c1')}"`);
    expect(await alice.text(`/restores/${await restoreOf('')}`)).toContain(`href="${at('browse', '')}"`);
  });

  it('names it by its path where its snapshot cannot be read any more', async () => {
    const path = 'calendars/b7c1/9f.ics';
    expect(await read(`/restores/${await restoreOf(path, 'cd'.repeat(32))}`)).toContain(
      'What Calendars / b7c1 / 9f.ics ',
    );
  });

  it('says what changed by the same titles, and what was found', async () => {
    expect(await read(at('changes', 'calendars/b7c1'))).toContain('Rehearsal 6 May 2026, 08:00 · 9f.ics');
    const note = 'Events and contacts are found by the names of their files';
    const found = await read('/snapshots/find?q=9f');
    expect(found).toContain('Rehearsal 6 May 2026, 08:00 · 9f.ics');
    expect(found).toContain(note);
    expect(await read('/snapshots/find?q=letter&in=files')).not.toContain(note);
  });
});

test.each([
  ['calendars/b7c1/9f.ics', ['Rehearsal', 'When 6 May 2026, 08:00 to 09:00', 'Where Hall']],
  ['calendars/b7c1/1a.ics', ['When Fri, 1 May 2026 to Sat, 2 May 2026 It repeats; this is the first time.']],
  ['contacts/people/x.vcf', ['Ada Baker', 'Mail ada@demo.example']],
  [
    'mail/INBOX/2026-05-01%20Hello%20%5B7%5D.eml',
    ['Grüße', 'To ben@demo.example', 'Date 1 May 2026, 08:00', 'See you.'],
  ],
  ['mail/INBOX/photo.eml', ['image/png, 1.2 KB', 'without a name application/pdf, 5 bytes', 'Look.']],
  ['mail/INBOX/2026-05-02%20Old%20%5B8%5D.eml', ['Date 1 Jan 0001 00:00:00 +0000']],
  ['files/saved.ics', ['Saved', 'As it is stored']],
])('the page of an object says what it says: %s', async (path, said) => {
  const page = await read(at('view', path));
  for (const words of [...said, 'As it is stored']) expect(page).toContain(words);
});

test.each(['calendars/b7c1/7a.ics', 'files/letter.txt', 'calendars/b7c1/properties.json'])(
  'the page of anything else is that of a file: %s',
  async (path) => {
    const page = await alice.text(at('view', path));
    expect(page).not.toContain('As it is stored');
    expect(page).toContain('<iframe class="preview" sandbox');
  },
);

test('nothing that somebody wrote is markup, or turns the direction of what stands around it', async () => {
  for (const path of [
    at('browse', 'calendars/b7c1'),
    at('changes', 'calendars/b7c1'),
    at('view', 'calendars/b7c1/3c.ics'),
    at('view', 'contacts/people/x.vcf'),
    at('view', 'mail/INBOX/2026-05-01%20Hello%20%5B7%5D.eml'),
    at('view', 'mail/INBOX/photo.eml'),
  ]) {
    const page = await alice.text(path);
    expect(page).not.toContain(markup);
    expect(page).not.toContain('\u202e');
  }
  expect(await alice.text(at('browse', 'calendars/b7c1'))).toContain('&lt;script&gt;');
});

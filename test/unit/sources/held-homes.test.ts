import { describe, expect, test } from 'vitest';
import { heldKinds } from '../../../src/sources/dav/held-kind.ts';
import type { Listing, Source } from '../../../src/sources/source.ts';
import {
  addressBook,
  calendar,
  calendarsAt,
  contactsAt,
  object,
  personalTree,
  principalAt,
} from '../../support/fixtures/calendars.ts';
import { contentOf, memberNamed, never, openSource } from '../../support/fixtures/open-source.ts';
import {
  end,
  file,
  folder,
  type HostileNode,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

type Kind = keyof typeof heldKinds;

interface Asked {
  readonly kind?: Kind;
  /** Below `/dav/`. */
  readonly at?: string;
  readonly mischief?: Mischief;
}

/** What is found for a person at a server with this tree. */
async function found(root: HostileNode, { kind = 'calendars', at = '', mischief }: Asked = {}) {
  await using server = await startHostileWebdav(root);
  if (mischief !== undefined) server.mischief = mischief;
  const url = at.startsWith('/') ? new URL(at, server.url).href : server.url + at;
  await using source = openSource(url, { kind: heldKinds[kind], name: kind });
  const asked = () => server.heard.map(({ method, path }) => `${method} ${path}`);
  try {
    const [root] = await source.roots(never);
    if (root === undefined) throw new Error('There is no root.');
    return {
      name: root.name,
      location: root.collection.location,
      listing: await source.list(root.collection, never),
      asked,
    };
  } catch (error) {
    return { error, asked };
  }
}

const names = ({ members }: Listing) => members.map(({ name }) => name).toSorted();
const event = () => object('BEGIN:VCALENDAR');
const mixed = () =>
  folder({
    work: calendar({ 'a.ics': event() }),
    'home life': calendar({}),
    friends: addressBook({}),
    inbox: folder({}, { types: '<schedule-inbox xmlns="urn:ietf:params:xml:ns:caldav"/>' }),
    plain: folder({ 'x.ics': event() }),
    'lost.ics': event(),
  });

describe('calendars and address books are found', () => {
  const redirectsTo =
    (target: string, wellKnown = '/.well-known/caldav'): Mischief =>
    ({ path }, response) => {
      if (path.replace(/\/$/, '') !== wellKnown) return undefined;
      end(response, 301, { location: target });
      return true;
    };

  test.each<[string, HostileNode, Asked, string, string[]]>([
    ['by the principal that the base names', personalTree(mixed()), {}, '/dav/home/', ['home life', 'work']],
    ['of the other kind in the same home', personalTree(mixed()), { kind: 'contacts' }, '/dav/home/', ['friends']],
    ['by the principal itself', personalTree(mixed()), { at: 'principals/me/' }, '/dav/home/', ['home life', 'work']],
    [
      'by an address without a slash at its end',
      personalTree(mixed()),
      { at: 'principals/me' },
      '/dav/home/',
      ['home life', 'work'],
    ],
    [
      'by the well-known address, wherever it redirects on the server',
      personalTree(mixed()),
      { at: '/.well-known/caldav', mischief: redirectsTo('/dav/') },
      '/dav/home/',
      ['home life', 'work'],
    ],
    [
      'by the well-known address where the one that is named is nothing',
      personalTree(mixed()),
      { at: 'nothing/here/', mischief: redirectsTo('/dav/') },
      '/dav/home/',
      ['home life', 'work'],
    ],
    [
      'at the address itself where the server says nothing',
      folder({ own: mixed() }),
      { at: 'own/' },
      '/dav/own/',
      ['home life', 'work'],
    ],
    [
      'at the address itself where the principal says nothing of the kind',
      folder(
        { own: mixed(), me: folder({}, { properties: contactsAt('/dav/own/') }) },
        { properties: principalAt('/dav/me/') },
      ),
      { at: 'own/' },
      '/dav/own/',
      ['home life', 'work'],
    ],
    ['none, where there is a home and nothing is in it', personalTree(folder({})), {}, '/dav/home/', []],
    [
      'in all homes that there are',
      folder(
        { one: folder({ work: calendar({}) }), two: folder({ team: calendar({}) }) },
        { properties: calendarsAt('/dav/one/', '/dav/two/') },
      ),
      {},
      '/dav/one/',
      ['team', 'work'],
    ],
  ])('%s', async (_, root, asked, location, expected) => {
    const { name, listing, ...rest } = await found(root, asked);
    expect(rest).not.toHaveProperty('error');
    expect({ name, location: rest.location, names: names(listing as Listing) }).toEqual({
      name: asked.kind ?? 'calendars',
      location,
      names: expected,
    });
    expect(listing?.problems).toEqual([]);
  });

  test.each<[string, HostileNode, Asked, string, string]>([
    ['there is nothing at the address', folder({}), { at: 'nobody/' }, 'source/not-found', 'HTTP 404'],
    [
      'nothing says where they are, and the address has none',
      folder({ own: folder({ 'a.txt': file('a') }) }),
      { at: 'own/' },
      'source/not-found',
      'where the calendars of this person are',
    ],
    [
      'the server says that they are at another host',
      folder({}, { properties: calendarsAt('https://elsewhere.example/home/') }),
      {},
      'source/refused-redirect',
      'https://elsewhere.example/home/; the access token is not sent there',
    ],
    [
      'the principal is at another host',
      folder({}, { properties: principalAt('https://elsewhere.example/me/') }),
      {},
      'source/refused-redirect',
      'https://elsewhere.example/me/',
    ],
    [
      'the well-known address leads to another host',
      folder({}),
      { at: '/.well-known/caldav', mischief: redirectsTo('https://elsewhere.example/') },
      'source/refused-redirect',
      'https://elsewhere.example',
    ],
  ])('not, where %s: in plain words', async (_, root, asked, code, words) => {
    const { error } = await found(root, asked);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test.each([
    [401, 'source/unauthorized'],
    [503, 'source/unavailable'],
  ])('not, where the server answers %i: nothing else is tried in its place', async (status, code) => {
    const mischief: Mischief = (_, response) => {
      end(response, status);
      return true;
    };
    const { error, asked } = await found(folder({}), { mischief });
    expect(error).toMatchObject({ code });
    expect(asked().some((line) => line.includes('well-known'))).toBe(false);
  });
});

describe('what a home lists', () => {
  test('and is of no such kind, or of none that there is, is named: it may have been one', async () => {
    const home = folder({ work: calendar({}), friends: addressBook({}), plain: folder(), note: object('x') });
    const { listing } = await found(folder({ home }, { properties: calendarsAt('/dav/home/') }));
    expect(listing).toMatchObject({ problems: [], others: ['friends', 'plain', 'note'] });
    expect(names(listing as Listing)).toEqual(['work']);
  });

  test('is a problem, and not gone, where its type is not told, or two homes have one of the same name', async () => {
    const untold: HostileNode = {
      ...calendar({}),
      response: (href) =>
        `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:displayname>x</d:displayname></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`,
    };
    const root = folder(
      { one: folder({ work: calendar({}), odd: untold }), two: folder({ work: calendar({}) }) },
      { properties: calendarsAt('/dav/one/', '/dav/two/') },
    );
    const { listing } = await found(root);
    expect(names(listing as Listing)).toEqual(['work']);
    expect(listing?.problems.map(({ name, code }) => [name, code])).toEqual([
      ['odd', 'source/malformed'],
      ['work', 'source/malformed'],
    ]);
  });

  test.each([403, 404, 503])('is incomplete where one of several homes answers %i, which is named', async (status) => {
    const root = folder(
      { one: folder({ work: calendar({}) }), boss: folder({ meetings: calendar({}) }) },
      { properties: calendarsAt('/dav/one/', '/dav/boss/') },
    );
    const mischief: Mischief = ({ path }, response) => {
      if (path === '/dav/boss/') end(response, status);
      return path === '/dav/boss/';
    };
    const { listing } = await found(root, { mischief });
    expect(names(listing as Listing)).toEqual(['work']);
    expect(listing?.isIncomplete).toBe(true);
    const message = `The server names /dav/boss/ as another place of this person, and does not list it: `;
    expect(listing?.problems).toMatchObject([{ message: expect.stringContaining(message) }]);
    expect(listing?.problems[0]).not.toHaveProperty('name');
  });

  test('is its error where each of several homes fails, and where the token is refused at one', async () => {
    const root = folder({ one: folder({}), two: folder({}) }, { properties: calendarsAt('/dav/one/', '/dav/two/') });
    const answering = (statuses: Record<string, number>): Asked => ({
      mischief: ({ path }, response) => {
        const status = statuses[path];
        if (status !== undefined) end(response, status);
        return status !== undefined;
      },
    });
    const all = await found(root, answering({ '/dav/one/': 403, '/dav/two/': 404 }));
    expect(all.error).toMatchObject({ code: 'source/forbidden' });
    const { error } = await found(root, answering({ '/dav/': 401 }));
    expect(error).toMatchObject({ code: 'source/unauthorized' });
  });
});

describe('an object of which no size is listed', () => {
  const error = '{"error":"try again later"}';
  const card = 'BEGIN:VCARD\r\nEND:VCARD\r\n';
  const page = 'The server sent a web page, or a message of its own';
  const nothing = 'The server sent nothing, although it is not empty.';
  const cut = 'The server sent only the beginning of it.';
  const version = { etag: '"version 1"' };
  test.each([
    ['a message of the server', { 'content-type': 'application/json' }, error, page],
    ['a message of the server', { 'content-type': 'application/xml' }, '<error/>', page],
    ['nothing', { 'content-type': 'text/vcard' }, '', nothing],
    ['nothing', { 'content-type': 'text/plain' }, '', nothing],
    ['nothing, in its version', version, '', nothing],
    ['its beginning', { 'content-type': 'text/vcard' }, card.slice(0, -4), cut],
    ['its beginning, in its version', version, card.slice(0, 20), cut],
    ['its beginning in chunks, in its version', { ...version, 'transfer-encoding': 'chunked' }, card.slice(0, 14), cut],
  ])('is not %s: %o', async (_, headers, body, message) => {
    await opened(headers, body, async (reading) => {
      await expect(reading()).rejects.toMatchObject({ code: 'source/changed', retry: { afterMs: 0 } });
      await expect(reading()).rejects.toMatchObject({
        code: 'source/malformed',
        message: expect.stringContaining(message),
      });
    });
  });

  test.each([
    ['without its version, as it is', { 'content-type': 'text/vcard; charset=utf-8' }, card],
    ['without its version, as mere text', { 'content-type': 'text/plain' }, card],
    [
      'with its version, whatever the server takes it for',
      { 'content-type': 'application/json', etag: '"version 1"' },
      card,
    ],
    ['with other line ends, and something behind it', version, ' \nbegin:vcard\nFN:Mum\nend:vcard\n\n \0'],
    ['with its version, though it is none of its kind', version, 'Mum, 0123'],
  ])('is what comes %s', async (_, headers, body) => {
    await opened(headers, body, async (reading) => expect((await reading()).toString()).toBe(body));
  });

  /** What a GET of it brings, as the server answers it. */
  async function opened(
    headers: Record<string, string>,
    body: string,
    work: (reading: () => Promise<Buffer>) => Promise<void>,
  ): Promise<void> {
    const friends = addressBook({ 'mum.vcf': { ...object(card), hideSize: true } });
    await using server = await startHostileWebdav(personalTree(folder({ friends })));
    await using source = openSource(server.url, { kind: heldKinds.contacts, name: 'contacts' });
    const [root] = await source.roots(never);
    if (root === undefined) throw new Error('There is no root.');
    const book = memberNamed(await source.list(root.collection, never), 'friends');
    const entry = memberNamed(await source.list(book, never), 'mum.vcf');
    server.mischief = ({ method }, response) => {
      if (method !== 'GET') return false;
      if ('transfer-encoding' in headers) response.writeHead(200, headers).end(body);
      else end(response, 200, headers, body);
      return true;
    };
    await work(async () => contentOf(await source.open(entry, never)));
  }
});

test('more calendars than anybody has are refused, and a property that is too long is left out', async () => {
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`c${n}`, calendar({})]));
  const { error } = await found(personalTree(folder(many)));
  expect(error).toMatchObject({ code: 'source/too-large' });
  const long = calendar({}, 'x'.repeat(20_000));
  await using server = await startHostileWebdav(personalTree(folder({ long })));
  await using source = openSource(server.url, { kind: heldKinds.calendars });
  const [root] = await source.roots(never);
  if (root === undefined) throw new Error('There is no root.');
  const listing = await source.list(memberNamed(await source.list(root.collection, never), 'long'), never);
  const content = await contentOf(await source.open(memberNamed(listing, 'properties.json'), never));
  expect(content.toString()).toBe('{}\n');
});

describe('the properties of a calendar', () => {
  const open = async (root: HostileNode, work: (source: Source) => Promise<void>) => {
    await using server = await startHostileWebdav(root);
    await using source = openSource(server.url, { kind: heldKinds.calendars, name: 'calendars' });
    await work(source);
  };
  const listed = async (source: Source) => {
    const [root] = await source.roots(never);
    if (root === undefined) throw new Error('There is no root.');
    const work = memberNamed(await source.list(root.collection, never), 'work');
    const listing = await source.list(work, never);
    return { work, listing };
  };

  test('are one entry beside its objects, whose validator changes with them and with nothing else', async () => {
    const work = calendar({ 'a.ics': event() }, 'Work &amp; more', '1');
    const tree = personalTree(folder({ work }));
    const validators: (string | undefined)[] = [];
    const look = () =>
      open(tree, async (source) => {
        const { listing } = await listed(source);
        const entry = memberNamed(listing, 'properties.json');
        const reading = await source.open(entry, never);
        const content = (await contentOf(reading)).toString();
        expect(JSON.parse(content)).toHaveProperty('displayname');
        expect([reading.size, reading.validator]).toEqual([content.length, entry.validator]);
        validators.push(entry.validator);
      });
    await look();
    work.children?.set('b.ics', event());
    await look();
    work.properties = (work.properties ?? '').replace('Work', 'Play');
    await look();
    expect(validators[1]).toBe(validators[0]);
    expect(validators[2]).not.toBe(validators[0]);
  });

  test('and its change tag together tell whether anything of it changed, the same in its own listing and in that of its home', async () => {
    const work = calendar({ 'a.ics': event() }, 'Work', '1');
    const tree = personalTree(folder({ work, other: calendar({}, 'Other') }));
    const validators = new Set<string | undefined>();
    const look = () =>
      open(tree, async (source) => {
        const { work, listing } = await listed(source);
        expect(listing.validator).toBe(work.validator);
        validators.add(work.validator);
      });
    await look();
    await look();
    expect([...validators]).toEqual([expect.stringContaining('1')]);
    work.properties = (work.properties ?? '').replace('>1<', '>2<');
    await look();
    work.properties = (work.properties ?? '').replace('Work', 'Play');
    await look();
    expect(validators.size).toBe(3);
  });

  test('say what may be in it, whose it is, where it comes from and how it is shown', async () => {
    const properties = `<d:displayname>Club</d:displayname><d:owner><d:href>/principals/bob/</d:href></d:owner>
      <owner-displayname xmlns="http://nextcloud.com/ns">Bob Marlow</owner-displayname>
      <c:supported-calendar-component-set xmlns:c="urn:ietf:params:xml:ns:caldav"><c:comp name="VTODO"/><c:comp name='VEVENT'/></c:supported-calendar-component-set>
      <c:schedule-calendar-transp xmlns:c="urn:ietf:params:xml:ns:caldav"><c:transparent/></c:schedule-calendar-transp>
      <a:calendar-color xmlns:a="http://apple.com/ns/ical/">#FF0000FF</a:calendar-color><a:calendar-order xmlns:a="http://apple.com/ns/ical/">3</a:calendar-order>
      <o:calendar-enabled xmlns:o="http://owncloud.org/ns">1</o:calendar-enabled>`;
    const work = folder({}, { types: '<calendar xmlns="urn:ietf:params:xml:ns:caldav"/>', properties });
    await open(personalTree(folder({ work })), async (source) => {
      const { listing } = await listed(source);
      const content = await contentOf(await source.open(memberNamed(listing, 'properties.json'), never));
      expect(JSON.parse(content.toString())).toEqual({
        displayname: 'Club',
        owner: '/principals/bob/',
        'owner-displayname': 'Bob Marlow',
        'supported-calendar-component-set': ['VEVENT', 'VTODO'],
        'schedule-calendar-transp': 'transparent',
        'calendar-color': '#FF0000FF',
        'calendar-order': '3',
        'calendar-enabled': '1',
      });
    });
  });

  test('are all there is of a calendar that is only subscribed to, which is not asked for more', async () => {
    const source = (url: string) =>
      `<d:displayname>Holidays</d:displayname><s:source xmlns:s="http://calendarserver.org/ns/"><d:href>${url}</d:href></s:source>`;
    const types = '<subscribed xmlns="http://calendarserver.org/ns/"/>';
    const work = folder({ 'cached.ics': event() }, { types, properties: source('https://holidays.example/a.ics') });
    const root = personalTree(folder({ work }));
    const validators = new Set<string | undefined>();
    await using server = await startHostileWebdav(root);
    const look = async () => {
      await using calendars = openSource(server.url, { kind: heldKinds.calendars, name: 'calendars' });
      const { work: member, listing } = await listed(calendars);
      expect([names(listing), listing.problems]).toEqual([['properties.json'], []]);
      validators.add(member.validator);
      const content = await contentOf(await calendars.open(memberNamed(listing, 'properties.json'), never));
      return JSON.parse(content.toString());
    };
    expect(await look()).toEqual({ displayname: 'Holidays', source: 'https://holidays.example/a.ics' });
    expect(server.heard.filter(({ path }) => path.startsWith('/dav/home/work'))).toEqual([]);
    await look();
    expect(validators.size).toBe(1);
    work.properties = source('https://holidays.example/b.ics');
    expect(await look()).toMatchObject({ source: 'https://holidays.example/b.ics' });
    expect(validators.size).toBe(2);
    const books = await found(root, { kind: 'contacts' });
    expect(names(books.listing as Listing)).toEqual([]);
  });

  test('give way to an object of their name', async () => {
    const mine = file('{"mine": true}');
    await open(personalTree(folder({ work: calendar({ 'properties.json': mine }) })), async (source) => {
      const { listing } = await listed(source);
      expect(names(listing)).toEqual(['properties.json']);
      const content = await contentOf(await source.open(memberNamed(listing, 'properties.json'), never));
      expect(content.toString()).toBe('{"mine": true}');
    });
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { heldKinds } from '../../../src/sources/dav/held-kind.ts';
import type { Source } from '../../../src/sources/source.ts';
import { addressBook, calendar, multigetOf, object, personalTree, writings } from '../../support/fixtures/calendars.ts';
import { contentOf, memberNamed, never, openSource } from '../../support/fixtures/open-source.ts';
import {
  end,
  folder,
  type HostileNode,
  type Mischief,
  startHostileWebdav,
} from '../../support/servers/hostile-webdav.ts';

const event = (uid: string, lineEnd = '\r\n', summary = uid) =>
  ['BEGIN:VCALENDAR', `SUMMARY:${summary}`, `UID:${uid}`, 'END:VCALENDAR', ''].join(lineEnd);
const md5Of = (text: string) => createHash('md5').update(text).digest('hex');
/** As sabre/dav and Nextcloud make it. */
const withDigest = (text: string): HostileNode => ({ ...object(text), etag: `"${md5Of(text)}"` });
const odd = {
  'crlf.ics': event('crlf', '\r\n', 'tea & <cake> ünd ☂'),
  'lf.ics': event('lf', '\n'),
  'mixed.ics': `${event('mixed')}${event('three', '\n')}`,
  'bare return.ics': event('bare return', '\r'),
  'both.ics': `a\rb\r\nc\n`,
  'spaces.ics': `  \r\n${event('spaces')}\r\n  `,
  'no end.ics': 'BEGIN:VCALENDAR\r\nUID;X-A=b:no\r\n  end',
};

interface Asked {
  readonly kind?: keyof typeof heldKinds;
  readonly mischief?: Mischief;
  /** Of those expected, by name: only these are opened. */
  readonly open?: readonly string[];
}

/** What is read of a calendar whose objects are all expected, and what the server was asked. */
async function readAll(objects: Record<string, HostileNode>, { kind = 'calendars', mischief, open }: Asked = {}) {
  const only = kind === 'calendars' ? calendar(objects, 'Only') : addressBook(objects, 'Only');
  const root = personalTree(folder({ only }));
  await using server = await startHostileWebdav(root);
  server.mischief = mischief ?? multigetOf(root);
  await using source = openSource(server.url, { kind: heldKinds[kind], name: kind });
  const { members, collection } = await expectAll(source);
  const wanted = members.filter(({ name }) => open === undefined || open.includes(name));
  const read: Record<string, string> = {};
  const validators: Record<string, string | undefined> = {};
  for (const member of wanted) {
    const reading = await source.open(member, never);
    read[member.name] = (await contentOf(reading)).toString();
    validators[member.name] = reading.validator;
  }
  const heard = (method: string) =>
    server.heard.filter((one) => one.method === method && one.path.startsWith(collection.location));
  return { read, validators, reports: heard('REPORT'), gets: heard('GET'), members, bytes: source.traffic.bytes };
}

async function expectAll(source: Source) {
  const [root] = await source.roots(never);
  if (root === undefined) throw new Error('There is no root.');
  const collection = memberNamed(await source.list(root.collection, never), 'only');
  const { members } = await source.list(collection, never);
  source.expect?.(collection, members);
  return { collection, members };
}

const contents = (texts: Readonly<Record<string, string>>) => ({ ...texts, 'properties.json': expect.any(String) });
const nodes = (texts: Readonly<Record<string, string>>, make: (text: string) => HostileNode = object) =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, make(text)]));

describe('objects that are expected', () => {
  test.each(['calendars', 'contacts'] as const)('come by the hundred: %s', async (kind) => {
    const texts = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`${at}.ics`, event(`${at}`)]));
    const { read, reports, gets, validators, bytes } = await readAll(nodes(texts), { kind });
    expect(read).toEqual(contents(texts));
    expect([reports.length, gets.length]).toEqual([3, 0]);
    expect(
      new Set(Object.entries(validators).flatMap(([name, validator]) => (name.endsWith('.ics') ? [validator] : []))),
    ).toEqual(new Set(['"version 1"']));
    expect(bytes).toBe(Object.values(texts).reduce((sum, text) => sum + text.length, 0));
  });

  test.each(
    Object.entries(writings).flatMap(
      ([how, write]) =>
        [
          [how, 'a number', write, object],
          [how, 'the digest of the content', write, withDigest],
        ] as const,
    ),
  )(
    'have the bytes that a GET gives, whatever their line ends: written %s, the ETag is %s',
    async (how, _, write, make) => {
      const root = nodes(odd, make);
      const only = personalTree(folder({ only: calendar(root) }));
      const { read, gets } = await readAll(root, { mischief: multigetOf(only, write) });
      expect(read).toEqual(contents(odd));
      // Of line ends that are not CR LF, it is not certain that a GET gives them.
      expect(gets.length).toBe(how === 'without any CR' && make === object ? 7 : 4);
    },
  );

  test('are read by themselves where they are few, long or without a version', async () => {
    const few = await readAll(nodes({ 'a.ics': event('a'), 'b.ics': event('b') }));
    expect([few.reports.length, few.gets.length]).toEqual([0, 2]);
    const long = event('x'.repeat(64 * 1024));
    const { reports, gets, read } = await readAll({
      ...nodes({ 'a.ics': event('a'), 'b.ics': event('b'), 'c.ics': event('c'), 'long.ics': long, 'empty.ics': '' }),
      'new.ics': { ...object(event('new')), modified: new Date(Date.now() + 60_000) },
      'hidden.ics': { ...object(event('hidden')), hideSize: true },
    });
    expect(read).toMatchObject({ 'long.ics': long, 'empty.ics': '', 'hidden.ics': event('hidden') });
    expect(gets.map(({ path }) => path.split('/').at(-1)).toSorted()).toEqual([
      'empty.ics',
      'hidden.ics',
      'long.ics',
      'new.ics',
    ]);
    expect(reports).toHaveLength(1);
  });

  test('are asked for only once one of them is opened, and each is given once', async () => {
    const texts = { 'a.ics': event('a'), 'b.ics': event('b'), 'c.ics': event('c') };
    expect((await readAll(nodes(texts), { open: [] })).reports).toEqual([]);
    const root = personalTree(folder({ only: calendar(nodes(texts)) }));
    await using server = await startHostileWebdav(root);
    server.mischief = multigetOf(root);
    await using source = openSource(server.url, { kind: heldKinds.calendars, name: 'calendars' });
    const { members } = await expectAll(source);
    const first = memberNamed({ members, problems: [] }, 'a.ics');
    for (const _ of [1, 2]) expect((await contentOf(await source.open(first, never))).toString()).toBe(texts['a.ics']);
    expect(server.heard.map(({ method }) => method).filter((method) => method !== 'PROPFIND')).toEqual([
      'REPORT',
      'GET',
    ]);
  });
});

describe('what a multiget gives is not taken, and read by itself,', () => {
  const texts = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.ics`, event(name)]));
  const answering =
    (status: number, body = ''): Mischief =>
    ({ method }, response) => {
      if (method !== 'REPORT') return undefined;
      end(response, status, { 'content-type': 'application/xml' }, body);
      return true;
    };

  test.each<[string, Mischief]>([
    ['where the server knows no such report', answering(405)],
    ['where it refuses it', answering(403, '<error xmlns="DAV:"><supported-report/></error>')],
    ['where it fails', answering(500)],
    ['where it says that it is not found', answering(404)],
    ['where it answers with a web page', answering(200, '<html></html>')],
    ['where the answer is cut off', answering(207, '<multistatus xmlns="DAV:"><response>')],
    ['where the answer is empty', answering(207, '<multistatus xmlns="DAV:"/>')],
    [
      'where it is longer than may be',
      answering(207, `<multistatus xmlns="DAV:">${' '.repeat(9 * 1024 * 1024)}</multistatus>`),
    ],
  ])('%s', async (_, mischief) => {
    const { read, gets, reports } = await readAll(nodes(texts), { mischief });
    expect(read).toEqual(contents(texts));
    expect(gets).toHaveLength(4);
    expect(new Set(reports.map(({ method }) => method))).toEqual(new Set(['REPORT']));
  });

  test.each([
    ['the content is another one', (text: string) => text.replace('SUMMARY', 'NOTHING BUT SUMMARY')],
    ['a character is none of XML', (text: string) => text.replace('S', '\x07')],
    ['the content is missing', () => ''],
  ])('where %s', async (_, write) => {
    const root = personalTree(folder({ only: calendar(nodes(texts)) }));
    const { read, gets } = await readAll(nodes(texts), { mischief: multigetOf(root, write) });
    expect(read).toEqual(contents(texts));
    expect(gets).toHaveLength(4);
  });

  test('where it is of another version, or of another object', async () => {
    const others = personalTree(folder({ only: calendar({ ...nodes(texts), 'a.ics': object(event('A'), 2) }) }));
    const { read, gets } = await readAll(nodes(texts), { mischief: multigetOf(others) });
    expect(read).toEqual(contents(texts));
    expect(gets.map(({ path }) => path)).toEqual(['/dav/home/only/a.ics']);
  });

  test.each<[string, (text: string) => HostileNode, number]>([
    ['of two that are as long is given for the other', object, 2],
    ['is not named by its UID, unless the ETag proves it', (text) => object(text.replace(/UID:[ab]/, 'UID:x')), 2],
    ['has no UID, unless the ETag proves it', (text) => object(text.replace(/UID:[ab]/, 'DESCRIPTION:a')), 2],
    ['is proved by its ETag, whatever its UID is', (text) => withDigest(text.replace(/UID:[ab]/, 'UID:x')), 0],
  ])('where one %s', async (how, make, alone) => {
    const root = nodes(texts, make);
    const swap = (text: string) =>
      how.startsWith('of two')
        ? writings['as it is'](
            text.replace(/(SUMMARY|UID):([ab])/g, (_, name, one) => `${name}:${one === 'a' ? 'b' : 'a'}`),
          )
        : writings['as it is'](text);
    const { read, gets } = await readAll(root, {
      mischief: multigetOf(personalTree(folder({ only: calendar(root) })), swap),
    });
    expect(read).toEqual(
      contents(Object.fromEntries(Object.keys(texts).map((name) => [name, `${root[name]?.content}`]))),
    );
    expect(gets).toHaveLength(alone);
  });

  test('and a server that gives nothing of use is not asked for more', async () => {
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [`${at}.ics`, event(`${at}`)]));
    const { read, gets, reports } = await readAll(nodes(many), { mischief: answering(405) });
    expect(read).toEqual(contents(many));
    expect([reports.length, gets.length]).toEqual([1, 250]);
    const gone = await readAll(nodes(many), { mischief: answering(404) });
    expect([gone.reports.length, gone.gets.length]).toEqual([3, 250]);
  });
});

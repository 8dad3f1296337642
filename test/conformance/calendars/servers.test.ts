import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openSourceTarget } from '../../../src/flows/restores/source-target.ts';
import { heldKinds } from '../../../src/sources/dav/held-kind.ts';
import { davWriter } from '../../../src/sources/dav/writer.ts';
import { openServers } from '../../../src/sources/http/server.ts';
import type { Member, Source } from '../../../src/sources/source.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { parseId, type SnapshotId } from '../../../src/store/format/ids.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import type { RestoreProblem } from '../../../src/store/restorer/report.ts';
import { restoreInOrder } from '../../../src/store/restorer/restore-in-order.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { accessOf, atOnce, memberNamed, never, openSource, read } from '../../support/fixtures/open-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { apache } from '../../support/servers/apache.ts';
import { type BearerIssuer, bearerIssuer } from '../../support/servers/bearer-issuer.ts';
import { startBearerProxy } from '../../support/servers/bearer-proxy.ts';
import {
  radicale,
  sabreCalendars,
  startRadicale,
  startSabreCalendars,
  startXandikos,
  xandikos,
} from '../../support/servers/calendar-servers.ts';
import { davical, startDavical } from '../../support/servers/davical.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';
import type { RunningServer } from '../../support/servers/server-process.ts';

const password = 'pw';
const event = (uid: string, summary: string) =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\nDTEND:20260102T110000Z\r\nSUMMARY:${summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
const card = (uid: string, name: string) =>
  `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nN:${name};;;;\r\nFN:${name}\r\nEND:VCARD\r\n`;

const mixed = { calendars: 'alice/work', contacts: 'alice/friends' };
const servers = [
  { name: 'Radicale', isThere: radicale, start: startRadicale, at: ['', 'alice/', '.well-known/caldav'], paths: mixed },
  {
    name: 'xandikos',
    isThere: xandikos,
    start: startXandikos,
    at: ['', 'alice/', '.well-known/caldav'],
    paths: { calendars: 'alice/calendars/calendar', contacts: 'alice/contacts/addressbook' },
  },
  {
    // It has no well-known address.
    name: 'sabre/dav',
    isThere: sabreCalendars,
    start: startSabreCalendars,
    at: ['', 'principals/alice/', 'calendars/alice/'],
    paths: { calendars: 'calendars/alice/work', contacts: 'addressbooks/alice/friends' },
  },
  {
    name: 'DAViCal',
    isThere: davical,
    start: () => startDavical(inject('postgres')),
    at: ['caldav.php/', 'caldav.php/alice/', '.well-known/caldav'],
    paths: { calendars: 'caldav.php/alice/work', contacts: 'caldav.php/alice/friends' },
  },
];

for (const { name, isThere, start, at, paths } of servers)
  describe.skipIf(isThere === undefined || apache === undefined)(`calendars and contacts of ${name}`, () => {
    let home: TemporaryFolder;
    let server: RunningServer;
    let issuer: BearerIssuer;
    let token: string;
    let repository: Repository;
    let stock: { repository: string; password: string };

    const send = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
      const request = { method, headers: { authorization: `Bearer ${token}`, ...headers }, ...(body && { body }) };
      const answer = await fetch(new URL(path, server.url), request);
      await answer.arrayBuffer();
      if (answer.status >= 300) throw new Error(`${method} ${path} was answered ${answer.status}.`);
    };
    const put = (path: string, content: string) =>
      send('PUT', path, content, { 'content-type': path.endsWith('.ics') ? 'text/calendar' : 'text/vcard' });
    const open = (kind: keyof typeof heldKinds, address: string): Source =>
      openSource(server.url + address, { kind: heldKinds[kind], name: kind, access: accessOf(token) });

    /** One night, with both by the base of the server. */
    const night = async () => {
      await using calendars = open('calendars', '');
      await using contacts = open('contacts', '');
      const archived = await archiveNight(repository, [calendars, contacts]);
      const content = await contentOf(repository, archived.tree);
      const requests = calendars.traffic.requests + contacts.traffic.requests;
      return {
        ...archived,
        requests,
        paths: [...content.keys()].filter((path) => !path.endsWith('/')).toSorted(),
        content,
      };
    };

    beforeAll(async () => {
      home = await temporaryFolder('calendars');
      issuer = await bearerIssuer();
      token = await issuer.tokenFor('alice');
      server = await startBearerProxy(await start(), issuer);
      stock = { repository: join(home.path, 'repository'), password };
      repository = await newRepository(openLocalBackend(stock.repository), password);
      if (name !== 'xandikos') {
        await send('MKCALENDAR', `${paths.calendars}/`, calendarBody, { 'content-type': 'application/xml' });
        await send('MKCOL', `${paths.contacts}/`, bookBody, { 'content-type': 'application/xml' });
      }
      for (const uid of ['one', 'two', 'three']) await put(`${paths.calendars}/${uid}.ics`, event(uid, `Event ${uid}`));
      await put(`${paths.calendars}/odd.ics`, event('odd', `Tea & <cake> ünd ☂ ${'a long line '.repeat(20)}`));
      await put(`${paths.calendars}/lf.ics`, event('lf', 'Plain').replaceAll('\r', ''));
      for (const name of ['mum', 'dad', 'ümit & co'])
        await put(`${paths.contacts}/${encodeURIComponent(name)}.vcf`, card(name, name));
      // So that what is listed is no change of this moment.
      await sleep(3_500);
    }, 60_000);
    afterAll(async () => {
      await server?.stop();
      await home?.[Symbol.asyncDispose]();
    });

    test.each(at)('are found by the address /%s', async (address) => {
      await using source = open('calendars', address);
      const [root] = await source.roots(never);
      const { members, problems } = await source.list(
        root?.collection ?? { kind: 'collection', name: '', location: '' },
        never,
      );
      const member = memberNamed({ members, problems }, paths.calendars.split('/').at(-1) ?? '');
      expect([members.length, problems]).toEqual([1, []]);
      expect(member.validator).toMatch(/^ctag /);
      expect((await source.list(member, never)).validator).toBe(member.validator);
    });

    test('are refused with a token that is not good', async () => {
      await using source = openSource(server.url, {
        kind: heldKinds.calendars,
        access: accessOf(await issuer.tokenFor('alice', -300)),
      });
      await expect(source.roots(never)).rejects.toMatchObject({ code: 'source/unauthorized' });
    });

    test.each(['calendars', 'contacts'] as const)(
      'have the same bytes whether they are read one by one or many at once: %s',
      async (kind) => {
        const readings = await Promise.all(
          [true, false].map(async (atOnce) => {
            await using source = open(kind, '');
            const [root] = await source.roots(never);
            if (root === undefined) throw new Error('There is no root.');
            const collection = memberNamed(
              await source.list(root.collection, never),
              paths[kind].split('/').at(-1) ?? '',
            );
            const { members } = await source.list(collection, never);
            const objects = members.filter(({ location }) => !location.includes('?'));
            if (atOnce) source.expect?.(collection, objects);
            const before = source.traffic.requests;
            const contents = await Promise.all(
              objects.map(async (member) => {
                const { reading, content } = await read(source, member);
                return [member.name, reading.validator, content.toString('latin1')];
              }),
            );
            return { contents, requests: source.traffic.requests - before };
          }),
        );
        const [together, single] = readings;
        expect(together?.contents).toEqual(single?.contents);
        // One of the events has other line ends than CR LF, so that it is read by itself.
        if (kind === 'contacts') expect(together?.requests).toBe(1);
        expect(together?.requests).toBeLessThan(single?.requests ?? 0);
      },
    );

    test('are read also where one of them went away after it was listed', async () => {
      await put(`${paths.calendars}/gone.ics`, event('gone', 'Gone'));
      await using source = open('calendars', '');
      const [root] = await source.roots(never);
      if (root === undefined) throw new Error('There is no root.');
      const collection = memberNamed(
        await source.list(root.collection, never),
        paths.calendars.split('/').at(-1) ?? '',
      );
      // So that it is no change of this moment.
      await sleep(3_500);
      const { members } = await source.list(collection, never);
      await send('DELETE', `${paths.calendars}/gone.ics`);
      const objects = members.filter(({ location }) => !location.includes('?'));
      source.expect?.(collection, objects);
      for (const object of objects) {
        const reading = read(source, object);
        if (object.name === 'gone.ics') await expect(reading).rejects.toMatchObject({ code: 'source/not-found' });
        else expect((await reading).content.toString()).toContain('BEGIN:VCALENDAR');
      }
      expect(objects.map(({ name: one }) => one)).toContain('gone.ics');
    }, 20_000);

    test('are backed up whole at first, not read while nothing changes, and then as far as something did', async () => {
      const [work, friends] = [paths.calendars, paths.contacts].map((path) => path.split('/').at(-1));
      const all = [
        `calendars/${work}/lf.ics`,
        `calendars/${work}/odd.ics`,
        `calendars/${work}/one.ics`,
        `calendars/${work}/properties.json`,
        `calendars/${work}/three.ics`,
        `calendars/${work}/two.ics`,
        `contacts/${friends}/dad.vcf`,
        `contacts/${friends}/mum.vcf`,
        `contacts/${friends}/properties.json`,
        `contacts/${friends}/ümit & co.vcf`,
      ];
      const first = await night();
      expect({ problems: first.problems, paths: first.paths }).toEqual({ problems: [], paths: all });
      expect(first.content.get(`calendars/${work}/one.ics`)?.toString()).toContain('SUMMARY:Event one');
      const kept = JSON.parse(first.content.get(`calendars/${work}/properties.json`)?.toString() ?? '');
      expect(kept['supported-calendar-component-set']).toContain('VEVENT');
      expect(kept.owner ?? '/alice/').toContain('alice');
      const second = await night();
      expect({ problems: second.problems, paths: second.paths }).toEqual({ problems: [], paths: all });
      expect(second.seen).toMatchObject({ read: 0, unchanged: 10, passedOver: 2 });
      expect(second.requests).toBeLessThanOrEqual(8);
      expect(second.tree).toBe(first.tree);
      await put(`${paths.calendars}/one.ics`, event('one', 'Event one moved'));
      await put(`${paths.calendars}/four.ics`, event('four', 'Event four'));
      await send('DELETE', `${paths.calendars}/three.ics`);
      const third = await night();
      expect(third.problems).toEqual([]);
      expect(third.paths).toEqual([`calendars/${work}/four.ics`, ...all.filter((path) => !path.includes('three'))]);
      expect(third.content.get(`calendars/${work}/one.ics`)?.toString()).toContain('SUMMARY:Event one moved');
      expect(third.seen).toMatchObject({ read: 2, gone: 1, passedOver: 1 });
    }, 60_000);

    test.each(['calendars', 'contacts'] as const)(
      'are restored into a new one beside them, and nothing that is there is changed: %s',
      async (kind) => {
        const { snapshot, content } = await night();
        await using source = open(kind, '');
        const before = await collectionsOf(source);
        const access = accessOf(token);
        const { clock, log } = atOnce();
        await using writer = davWriter({
          ...{ url: server.url, location: before.home.location, access, servers: openServers(clock), clock, log },
        });
        const held = { kind: heldKinds[kind], displayName: 'Zurück ☂', components: ['VEVENT', 'VTODO'] };
        const name = 'Restored 2026-05-04 12.00';
        expect(await writer.makeHeld(name, held, never)).toBe(true);
        expect(await writer.makeHeld(name, held, never)).toBe(false);
        const written = { files: 0, bytes: 0 };
        const list = (path: readonly string[]) =>
          source.list({ kind: 'collection', name, location: writer.locationOf(path) }, never);
        const problems: RestoreProblem[] = [];
        const target = openSourceTarget({
          ...{ writer, list, below: [name], signal: never, written, problems, kind: heldKinds[kind] },
        });
        const from = `${kind}/${paths[kind].split('/').at(-1)}`;
        const saved = await repository.loadSnapshot(parseId<SnapshotId>(snapshot));
        const report = await restoreInOrder(repository, saved, target, { path: from });
        await target.end();
        const ofOwn = content.has(`${from}/properties.json`) ? 1 : 0;
        expect([[...report.problems, ...problems], written.files]).toEqual([[], report.files - ofOwn]);

        const after = await collectionsOf(source);
        expect(after.members.map((one) => one.name).toSorted()).toEqual(
          [...before.members.map((one) => one.name), name].toSorted(),
        );
        const contents = async (collection: Member) => {
          const { members } = await source.list(collection, never);
          return Object.fromEntries(
            await Promise.all(
              members.map(async (member) => [member.name, (await read(source, member)).content.toString()]),
            ),
          );
        };
        const { 'properties.json': properties, ...restored } = await contents(memberNamed(after, name));
        expect(JSON.parse(properties ?? '')).toMatchObject({ displayname: 'Zurück ☂' });
        const original = [...content].flatMap(([path, bytes]) =>
          path.startsWith(`${from}/`) && !path.endsWith('properties.json') && !path.endsWith('/')
            ? [[path.slice(from.length + 1), bytes.toString()]]
            : [],
        );
        expect(restored).toEqual(Object.fromEntries(original));
        const { validator } = memberNamed(after, from.split('/').at(-1) ?? '');
        expect(validator).toBe(memberNamed(before, from.split('/').at(-1) ?? '').validator);
        await send('DELETE', `${paths[kind].split('/').slice(0, -1).join('/')}/${encodeURIComponent(name)}/`);
      },
      60_000,
    );

    const collectionsOf = async (source: Source) => {
      const [root] = await source.roots(never);
      if (root === undefined) throw new Error('There is no root.');
      return { home: root.collection, ...(await source.list(root.collection, never)) };
    };

    test.skipIf(resticProgram === undefined)(
      'come back from stock restic as the server gave them',
      async () => {
        const { snapshot, content } = await night();
        const target = join(home.path, 'restored');
        expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
        await restic(stock, 'restore', snapshot, '--target', target, '--verify');
        for (const [path, bytes] of content)
          if (!path.endsWith('/')) expect((await readFile(join(target, path))).equals(bytes)).toBe(true);
        const there = await readdir(target, { recursive: true, withFileTypes: true });
        expect(there.filter((entry) => entry.isFile())).toHaveLength(10);
        const answer = await fetch(`${server.url}${paths.calendars}/two.ics`, {
          headers: { authorization: `Bearer ${token}` },
        });
        const restored = await readFile(join(target, 'calendars', paths.calendars.split('/').at(-1) ?? '', 'two.ics'));
        expect(restored.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
      },
      60_000,
    );
  });

const calendarBody = `<?xml version="1.0"?><c:mkcalendar xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>Work</displayname></prop></set></c:mkcalendar>`;
const bookBody = `<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:a="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><a:addressbook/></resourcetype><displayname>Friends</displayname></prop></set></mkcol>`;

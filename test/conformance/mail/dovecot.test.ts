import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { ImapOptions } from '../../../src/sources/imap/imap-source.ts';
import type { Source } from '../../../src/sources/source.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { archiveNight, contentOf } from '../../support/fixtures/archive-night.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { accessOf, find, never, rootOf } from '../../support/fixtures/open-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type Dovecot, dovecot, forgetNumbers, startDovecot } from '../../support/servers/dovecot.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';

const password = 'pw';
const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 0, minute));
const message = (subject: string, body = 'Hello.\r\n') =>
  `From: Mum <mum@example.org>\r\nTo: alice@example.org\r\nSubject: ${subject}\r\nDate: Thu, 1 Oct 2026 00:00:00 +0000\r\n\r\n${body}`;

const digestOf = async (path: string) => hash('sha256', await readFile(path));

describe.skipIf(dovecot === undefined)('mail on Dovecot', () => {
  let home: TemporaryFolder;
  let server: Dovecot;
  let repository: Repository;
  let stock: { repository: string; password: string };

  const open = (person: string, options: Partial<ImapOptions> = {}): Source =>
    openMail(server.urlOf(person), { clock: systemClock(), access: accessOf(`token of ${person}`), ...options });
  /** One night of a person, into a repository. */
  const night = async (person: string, into = repository, options: Partial<ImapOptions> = {}) => {
    await using source = open(person, options);
    const since = performance.now();
    const archived = await archiveNight(into, [source]);
    const ms = Math.round(performance.now() - since);
    const content = await contentOf(into, archived.tree);
    const paths = [...content.keys()].filter((path) => !path.endsWith('/')).toSorted();
    return { ...archived, content, paths, ms, requests: source.traffic.requests };
  };
  const recordIn = (content: ReadonlyMap<string, Buffer>, path: string) =>
    JSON.parse(content.get(`${path}/mailbox.json`)?.toString() ?? '');

  beforeAll(async () => {
    home = await temporaryFolder('mail');
    server = await startDovecot();
    for (const person of ['alice', 'bob', 'carol', 'dave']) server.tokens.set(`token of ${person}`, person);
    stock = { repository: join(home.path, 'repository'), password };
    repository = await newRepository(openLocalBackend(stock.repository), password);
    const messages = [
      ['INBOX', message('=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?b?IEvDtmxu?='), 'S'],
      ['INBOX', message('Re: what/where?'), ''],
      ['INBOX', message('Long', 'x'.repeat(3_000_000)), 'F'],
      ['Work/Projects', message('Plan'), 'RS'],
      ['Entwürfe/日本語', message(''), 'D'],
      ['Tom & Jerry', 'Subject: raw \xc3\xa9\r\n\r\n\x01\x80\xff', ''],
    ] as const;
    for (const [minute, [mailbox, content, flags]] of messages.entries())
      await server.deliver('alice', mailbox, {
        content: Buffer.from(content, 'latin1'),
        receivedAt: at(minute),
        flags,
      });
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await home?.[Symbol.asyncDispose]();
  });

  const all = [
    'mail/Entwürfe/日本語/2026-10-01 [1].eml',
    'mail/Entwürfe/日本語/mailbox.json',
    'mail/INBOX/2026-10-01 Grüße aus Köln [1].eml',
    'mail/INBOX/2026-10-01 Long [3].eml',
    'mail/INBOX/2026-10-01 Re_ what_where_ [2].eml',
    'mail/INBOX/mailbox.json',
    'mail/Sent/mailbox.json',
    'mail/Tom & Jerry/2026-10-01 raw é [1].eml',
    'mail/Tom & Jerry/mailbox.json',
    'mail/Work/Projects/2026-10-01 Plan [1].eml',
    'mail/Work/Projects/mailbox.json',
  ];

  test('is backed up whole at first, and not listed again while nothing changes', async () => {
    const first = await night('alice');
    expect({ problems: first.problems, paths: first.paths }).toEqual({ problems: [], paths: all.toSorted() });
    expect(recordIn(first.content, 'mail/INBOX')).toEqual({
      name: 'INBOX',
      delimiter: '/',
      uidValidity: expect.stringMatching(/^\d+$/),
      specialUse: [],
      subscribed: false,
      messages: {
        1: { receivedAt: at(0).toISOString(), flags: ['\\Seen'] },
        2: { receivedAt: at(1).toISOString(), flags: [] },
        3: { receivedAt: at(2).toISOString(), flags: ['\\Flagged'] },
      },
    });
    expect(recordIn(first.content, 'mail/Sent')).toMatchObject({ specialUse: ['\\Sent'], messages: {} });
    const second = await night('alice');
    expect(second.problems).toEqual([]);
    expect(second.seen).toMatchObject({ read: 0, unchanged: 11, passedOver: 5 });
    expect(second.tree).toBe(first.tree);
    // Connect, capabilities, login, namespaces, list.
    expect(second.requests).toBeLessThanOrEqual(6);
  }, 60_000);

  test('keeps its flags: nothing counts as seen by a backup', async () => {
    const before = await readdir(join(server.maildirOf('alice'), 'cur'));
    await using source = open('alice');
    for (const member of (await source.list(await find(source, 'INBOX'), never)).members)
      for await (const _ of (await source.open(member, never)).body);
    expect((await readdir(join(server.maildirOf('alice'), 'cur'))).toSorted()).toEqual(before.toSorted());
    expect(before.filter((name) => name.endsWith(':2,'))).toHaveLength(1);
  });

  test.skipIf(resticProgram === undefined)(
    'comes back from stock restic byte for byte as it is in its Maildir, with the time of its receipt',
    async () => {
      const { snapshot } = await night('alice');
      const target = join(home.path, 'restored');
      expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
      await restic(stock, 'restore', snapshot, '--target', target, '--verify');
      const restored: string[] = [];
      for (const entry of await readdir(target, { recursive: true, withFileTypes: true }))
        if (entry.isFile() && entry.name.endsWith('.eml'))
          restored.push(await digestOf(join(entry.parentPath, entry.name)));
      const kept: string[] = [];
      for (const mailbox of ['INBOX', 'Work/Projects', 'Entwürfe/日本語', 'Tom & Jerry'])
        for (const name of await readdir(join(server.maildirOf('alice', mailbox), 'cur')))
          kept.push(await digestOf(join(server.maildirOf('alice', mailbox), 'cur', name)));
      expect(restored.toSorted()).toEqual(kept.toSorted());
      const listed = await restic(stock, 'ls', '--json', snapshot, '/mail/Work/Projects');
      expect(listed).toContain(`"mtime":"2026-10-01T00:03:00`);
      expect(await restic(stock, 'find', '--snapshot', snapshot, '*Köln*')).toContain('Grüße aus Köln [1].eml');
    },
    60_000,
  );

  test('is read as far as something changed: new messages, flags, and messages that are gone', async () => {
    await server.deliver('alice', 'INBOX', { content: message('New'), receivedAt: at(9) });
    const fresh = await night('alice');
    expect(fresh.problems).toEqual([]);
    // The message, and the record of its mailbox.
    expect(fresh.seen).toMatchObject({ read: 2, gone: 0, passedOver: 4 });
    const projects = join(server.maildirOf('alice', 'Work/Projects'), 'cur');
    const [file = ''] = await readdir(projects);
    await rename(join(projects, file), join(projects, file.replace(/:2,.*/, ':2,FS')));
    const flagged = await night('alice');
    expect(flagged.seen).toMatchObject({ read: 1, gone: 0, passedOver: 4 });
    expect(recordIn(flagged.content, 'mail/Work/Projects').messages[1].flags).toEqual(['\\Flagged', '\\Seen']);
    await rm(join(projects, file.replace(/:2,.*/, ':2,FS')));
    const expunged = await night('alice');
    expect(expunged.problems).toEqual([]);
    expect(expunged.seen).toMatchObject({ read: 1, gone: 1 });
    expect(expunged.paths).not.toContain('mail/Work/Projects/2026-10-01 Plan [1].eml');
  }, 60_000);

  test('whose messages were numbered anew is read anew, and takes no room for it', async () => {
    const before = await night('alice');
    await forgetNumbers(server.maildirOf('alice'));
    const after = await night('alice');
    expect(after.problems).toEqual([]);
    expect(recordIn(after.content, 'mail/INBOX').uidValidity).not.toBe(
      recordIn(before.content, 'mail/INBOX').uidValidity,
    );
    expect(after.seen.read).toBe(5);
    expect(after.summary.data_added).toBeLessThan(20_000);
    expect(after.paths.filter((path) => path.startsWith('mail/INBOX/')).length).toBe(5);
  }, 60_000);

  test('is fetched with a fresh token where the one at hand has died, and not without one that is good', async () => {
    const access = accessOf('dead', 'token of alice');
    await using source = open('alice', { access });
    expect((await source.list(await rootOf(source), never)).members).toHaveLength(5);
    expect(access.asked).toEqual([{ minimumSeconds: 30 }, { minimumSeconds: 30, refused: 'dead' }]);
    await using foreign = open('alice', { access: accessOf('dead', 'token of bob') });
    await expect(foreign.roots(never)).rejects.toMatchObject({ code: 'source/unauthorized' });
  });

  test('is whole although the server’s process dies in the middle of a message', async () => {
    const content = message('Enormous', 'y'.repeat(20_000_000));
    await server.deliver('bob', 'INBOX', { content });
    await using source = open('bob');
    const { members } = await source.list(await find(source, 'INBOX'), never);
    const entry = members.find(({ name }) => name.includes('Enormous'));
    if (entry === undefined) throw new Error('It is not listed.');
    const parts: Uint8Array[] = [];
    for await (const part of (await source.open(entry, never)).body) {
      if (parts.push(part) !== 3) continue;
      const processes = execFileSync('pgrep', ['-x', 'imap', '-g', String(server.pid)])
        .toString()
        .trim()
        .split('\n');
      for (const pid of processes) process.kill(Number(pid), 'SIGKILL');
    }
    expect(Buffer.concat(parts).equals(Buffer.from(content))).toBe(true);
  }, 60_000);

  test('of 2,000 messages takes few requests, and fewer once nothing changes', async () => {
    for (let n = 0; n < 2_000; n++)
      await server.deliver('carol', 'INBOX', {
        content: message(`Number ${n}`, 'All is well.\r\n'.repeat(450)),
        receivedAt: at(n),
      });
    const into = await newRepository(openLocalBackend(join(home.path, 'many')), password);
    const first = await night('carol', into);
    expect(first.problems).toEqual([]);
    expect(first.seen).toMatchObject({ read: 2_002, gone: 0 });
    const files = await readdir(join(server.maildirOf('carol'), 'cur'));
    const kept = await Promise.all(files.map((name) => digestOf(join(server.maildirOf('carol'), 'cur', name))));
    const backedUp = [...first.content]
      .filter(([path]) => path.endsWith('.eml'))
      .map(([, bytes]) => hash('sha256', bytes));
    expect(backedUp.toSorted()).toEqual(kept.toSorted());
    const second = await night('carol', into);
    expect(second.seen).toMatchObject({ read: 0, passedOver: 2 });
    console.info(
      `2,000 messages: first ${first.ms} ms, ${first.requests} requests; unchanged ${second.ms} ms, ${second.requests}.`,
    );
    expect(first.requests).toBeLessThan(200);
    expect(second.requests).toBeLessThanOrEqual(6);
  }, 120_000);
});

describe.skipIf(dovecot === undefined)('mail on a Dovecot that takes one connection of a person', () => {
  test('is fetched over that one', async () => {
    await using server = await startDovecot({ connections: 1 });
    server.tokens.set('good', 'alice');
    for (let n = 0; n < 300; n++) await server.deliver('alice', 'INBOX', { content: message(`Number ${n}`) });
    await using home = await temporaryFolder('mail');
    const repository = await newRepository(openLocalBackend(join(home.path, 'repository')), password);
    await using source = openMail(server.urlOf('alice'), { clock: systemClock(), access: accessOf('good') });
    const { problems, seen } = await archiveNight(repository, [source]);
    expect({ problems, read: seen.read }).toEqual({ problems: [], read: 302 });
    expect(source.atOnce).toBe(32);
  }, 60_000);
});

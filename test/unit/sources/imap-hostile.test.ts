import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { scrub } from '../../../src/log.ts';
import { openMemoryBudget } from '../../../src/memory-budget.ts';
import type { Source } from '../../../src/sources/source.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { contentOf, find, memberNamed, never, read, rootOf } from '../../support/fixtures/open-source.ts';
import { type ImapServer, mailboxAt, plain, startImapServer } from '../../support/servers/imap-server.ts';

let server: ImapServer;
beforeEach(async () => {
  server = await startImapServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const top = async (source: Source) => source.list(await rootOf(source), never);
/** Answers this command so, instead of the server. */
const instead = (name: string, answer: (tag: string, socket: Socket, rest: string) => unknown) => {
  server.mischief = (command, tag, socket) => {
    if (command.name !== name) return false;
    answer(tag, socket, command.arguments);
    return true;
  };
};
const messagesIn = async (source: Source, path = 'INBOX') => {
  const { members } = await source.list(await find(source, path), never);
  return members.filter(({ name }) => name.endsWith('.eml'));
};

describe('a server that lists', () => {
  test('more mailboxes than a folder may have members is refused', async () => {
    for (let n = 0; n < 101; n++) mailboxAt(server, `box ${n}`);
    await using source = openMail(server.url, { limits: { members: 100 } });
    await expect(top(source)).rejects.toMatchObject({ code: 'source/too-large' });
    server.mailboxes.delete('box 0');
    expect((await top(source)).members).toHaveLength(100);
  });

  test('one mailbox of more levels than that is refused', async () => {
    mailboxAt(server, 'x/'.repeat(200));
    await using source = openMail(server.url, { limits: { members: 100 } });
    await expect(top(source)).rejects.toMatchObject({ code: 'source/too-large' });
  });

  test('mailboxes without end is left', async () => {
    instead('LIST', (_, socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write('* LIST () "/" INBOX\r\n'.repeat(1_000)));
      };
      socket.on('drain', more);
      more();
    });
    await using source = openMail(server.url, { limits: { bytes: 1024 ** 2 } });
    await expect(top(source)).rejects.toMatchObject({ code: 'source/too-large' });
  });

  test('more messages than a mailbox may have is a problem of that mailbox', async () => {
    for (let n = 0; n < 21; n++) server.put('INBOX', '');
    await using source = openMail(server.url, { limits: { members: 20 } });
    const inbox = memberNamed(await top(source), 'INBOX');
    await expect(source.list(inbox, never)).rejects.toMatchObject({ code: 'source/too-large', retry: undefined });
    server.expunge('INBOX', 1);
    expect((await source.list(inbox, never)).members).toHaveLength(21);
  });

  test('for longer than a listing may take is left', async () => {
    const clock = manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
    await using source = openMail(server.url, { clock, limits: { ms: 60_000 } });
    instead('LIST', async (tag, socket) => {
      await clock.advance(60_001);
      socket.write(`* LIST () "/" INBOX\r\n${tag} OK done\r\n`);
    });
    await expect(top(source)).rejects.toMatchObject({ code: 'source/too-slow' });
  });

  test('more than there is memory for may be listed when there is some again, and gives back what it took', async () => {
    for (let n = 0; n < 20; n++) server.put('INBOX', '');
    const memory = openMemoryBudget(20_000);
    {
      await using source = openMail(server.url, { memory });
      const inbox = memberNamed(await top(source), 'INBOX');
      await expect(source.list(inbox, never)).rejects.toMatchObject({
        code: 'source/too-large',
        retry: { afterMs: 0 },
      });
      for (let uid = 1; uid <= 5; uid++) server.expunge('INBOX', uid);
      for (let n = 0; n < 5; n++) expect((await source.list(inbox, never)).members).toHaveLength(16);
    }
    expect(memory.take(20_000)).toBe(true);
  });

  test('names that no folder can have, names of the record, and names of line ends, is read all the same', async () => {
    for (const name of ['..', 'a/../b', 'mailbox.json', 'a//b', 'x'.repeat(300)]) mailboxAt(server, name);
    server.mischief = ({ name }, _, socket) => {
      if (name === 'LIST')
        socket.write('* LIST () "/" {6}\r\na\r\nb\0c\r\n* LIST () "/" {5}\r\nINBOX\r\n* LIST () NIL "a/b"\r\n');
      return false;
    };
    await using source = openMail(server.url);
    const { members, problems } = await top(source);
    expect(problems).toMatchObject([{ code: 'source/malformed', path: 'a\\x0d\\x0ab\\x00c' }]);
    const names = members.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(
      names.every((name) => name !== '..' && name !== 'mailbox.json' && !name.includes('/') && name.length <= 255),
    ).toBe(true);
    const inA = await source.list(memberNamed({ members, problems }, 'a'), never);
    expect(inA.members.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^\.\. \[/),
      expect.stringMatching(/^\[/),
    ]);
  });

  test('more namespaces than any server has is refused: each name would be compared with all of them', async () => {
    const namespaces = (count: number) =>
      instead('NAMESPACE', (tag, socket) =>
        socket.write(`* NAMESPACE (${'("others" "/")'.repeat(count)}) NIL NIL\r\n${tag} OK done\r\n`),
      );
    mailboxAt(server, 'INBOX');
    await using source = openMail(server.url);
    namespaces(100);
    expect((await top(source)).members).toHaveLength(1);
    namespaces(101);
    await expect(top(source)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('a mailbox of more levels than a backup goes deep has a problem with that alone', async () => {
    for (const levels of [200, 201]) mailboxAt(server, Array(levels).fill(`x${levels}`).join('/'));
    await using source = openMail(server.url);
    const { members, problems } = await top(source);
    expect(members.map(({ name }) => name)).toEqual(['x200']);
    expect(problems).toMatchObject([{ code: 'source/malformed', path: expect.stringMatching(/^x201\/x201/) }]);
  });

  test('flags without end of each message, and uses of a mailbox, is not believed', async () => {
    const flags = Array.from({ length: 5_000 }, (_, n) => `$flag${n}`);
    server.put('INBOX', 'x', { flags: ['x'.repeat(101), ...flags] });
    mailboxAt(server, 'INBOX').attributes = Array(5_000).fill('\\Sent');
    await using source = openMail(server.url);
    const listing = await source.list(await find(source, 'INBOX'), never);
    const record = await contentOf(await source.open(memberNamed(listing, 'mailbox.json'), never));
    const { messages, specialUse } = JSON.parse(record.toString());
    expect([messages[1].flags.length, specialUse.length]).toEqual([200, 8]);
    expect(messages[1].flags).toContain('$flag0');
  });

  test('many flags of many messages takes of the memory for listings', async () => {
    const flags = Array.from({ length: 200 }, (_, n) => `$${String(n).padStart(99, 'x')}`);
    for (let n = 0; n < 20; n++) server.put('INBOX', '', { flags });
    await using source = openMail(server.url, { memory: openMemoryBudget(400_000) });
    const inbox = memberNamed(await top(source), 'INBOX');
    await expect(source.list(inbox, never)).rejects.toMatchObject({ code: 'source/too-large', retry: { afterMs: 0 } });
  });

  test('numbers of mailboxes that are none gives no validator', async () => {
    mailboxAt(server, 'INBOX');
    server.mischief = ({ name }, _, socket) =>
      name === 'LIST' &&
      socket.write(
        `* LIST () "/" a\r\n* STATUS a (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ${'x'.repeat(1_000)} HIGHESTMODSEQ 4)\r\n`,
      ) === undefined;
    await using source = openMail(server.url);
    expect(memberNamed(await top(source), 'a')).not.toHaveProperty('validator');
    expect(memberNamed(await top(source), 'INBOX')).toHaveProperty('validator');
  });

  test('fewer messages than it says there are cannot be taken for complete', async () => {
    for (const subject of ['one', 'two', 'three']) server.put('INBOX', `Subject: ${subject}\r\n\r\n`);
    await using source = openMail(server.url);
    const inbox = memberNamed(await top(source), 'INBOX');
    instead('UID FETCH', (tag, socket) =>
      socket.write(`* 1 FETCH (UID 1 RFC822.SIZE 4)\r\n* 1 FETCH (UID 1 RFC822.SIZE 4)\r\n${tag} OK done\r\n`),
    );
    expect(await source.list(inbox, never)).toMatchObject({ isIncomplete: true, members: [{ name: '[1].eml' }, {}] });
    instead('UID FETCH', (tag, socket) =>
      socket.write(`* 1 FETCH (UID 1 RFC822.SIZE 4)\r\n* 2 EXPUNGE\r\n* 2 EXPUNGE\r\n${tag} OK done\r\n`),
    );
    expect(await source.list(inbox, never)).not.toHaveProperty('isIncomplete');
  });
});

describe('a server that sends', () => {
  test.each([
    ['a greeting of another protocol', 'HTTP/1.1 400 Bad Request'],
    ['a greeting to somebody that it knows already', '* PREAUTH welcome'],
    ['a line without end', `* OK ${'x'.repeat(300_000)}`],
  ])('%s is told in words', async (_, greeting) => {
    server.greeting = greeting;
    await using source = openMail(server.url);
    await expect(source.roots(never)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test.each([
    ['a literal of terabytes', (tag: string) => `* 1 FETCH (UID 1 BODY[] {9999999999999}\r\n${tag}`],
    ['what nobody can read', () => '* 1 FETCH (UID 1 BODY[] "\r\n'],
    ['an end of another command', () => 'n999 OK done\r\n'],
    ['a question that nobody expects', () => '+ go on\r\n'],
    [
      'no message',
      (tag: string) =>
        `* 2 FETCH (UID 2 BODY[] {16}\r\nSubject: two\r\n\r\n)\r\n* 1 FETCH (UID 1 BODY[] NIL)\r\n${tag} OK done\r\n`,
    ],
  ])('%s in place of a message has a problem with that alone', async (_, answer) => {
    server.put('INBOX', 'Subject: one\r\n\r\n');
    server.put('INBOX', 'Subject: two\r\n\r\n');
    await using source = openMail(server.url);
    const [one, two] = await messagesIn(source);
    if (one === undefined || two === undefined) throw new Error('They are not listed.');
    server.mischief = ({ name, arguments: rest }, tag, socket) =>
      name === 'UID FETCH' && /^1[ :,]/.test(rest) ? socket.write(answer(tag)) || true : false;
    const opened = await Promise.allSettled([read(source, one), read(source, two)]);
    expect(opened[0]).toMatchObject({ status: 'rejected', reason: { code: 'source/malformed' } });
    expect(opened[1]).toMatchObject({ status: 'fulfilled', value: { content: Buffer.from('Subject: two\r\n\r\n') } });
  });

  test('untold megabytes in place of short messages is left', async () => {
    server.put('INBOX', 'short');
    await using source = openMail(server.url);
    const [one] = await messagesIn(source);
    if (one === undefined) throw new Error('It is not listed.');
    instead('UID FETCH', (_, socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(`* 2 FETCH (FLAGS (${'x'.repeat(10_000)}))\r\n`));
      };
      socket.on('drain', more);
      more();
    });
    await expect(source.open(one, never)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('untold megabytes where a short answer is expected is left', async () => {
    mailboxAt(server, 'INBOX');
    await using source = openMail(server.url);
    const inbox = memberNamed(await top(source), 'INBOX');
    instead('EXAMINE', (_, socket) => socket.write(`* OK ${'x'.repeat(1_000)}\r\n`.repeat(2_000)));
    await expect(source.list(inbox, never)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('a message more slowly than it may is left', async () => {
    server.put('INBOX', 'x'.repeat(100));
    const clock = manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
    await using source = openMail(server.url, { clock });
    const [one] = await messagesIn(source);
    if (one === undefined) throw new Error('It is not listed.');
    instead('UID FETCH', async (_, socket) => {
      socket.write('* 1 FETCH (UID 1 BODY[] {100}\r\nx');
      while (socket.bytesRead > 0 && !socket.destroyed) {
        await clock.advance(30_000);
        socket.write('x');
        await new Promise(setImmediate);
      }
    });
    await expect(source.open(one, never)).rejects.toMatchObject({ code: 'source/too-slow' });
  });

  test('a message that dies with its connection has a problem with that alone', async () => {
    for (let n = 1; n <= 5; n++) server.put('INBOX', `Subject: ${n}\r\n\r\n`);
    await using source = openMail(server.url);
    const messages = await messagesIn(source);
    server.mischief = ({ name, arguments: rest }, _, socket) => {
      const isDeadly = name === 'UID FETCH' && /^(1:|2[ :,]|2$)/.test(rest);
      if (isDeadly) socket.destroy();
      return isDeadly;
    };
    const opened = await Promise.allSettled(messages.map((message) => read(source, message)));
    expect(opened.map(({ status }) => status).toSorted()).toEqual([
      ...Array(3).fill('fulfilled'),
      ...Array(2).fill('rejected'),
    ]);
  });
});

describe('a server that repeats what it was sent, or names what it has,', () => {
  const token = 'Z'.repeat(60);
  const spellings = [token, Buffer.from(`auth=Bearer ${token}`).toString('base64').slice(20, 60), 'Divorce'];
  const said = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    return JSON.stringify(scrub(error));
  };

  test.each([
    ['BAD Unknown:', 'AUTHENTICATE'],
    ['NO [UNAVAILABLE] Divorce cannot be opened now:', 'AUTHENTICATE'],
    ['NO Divorce is not there:', 'LIST'],
    ['BYE', 'AUTHENTICATE'],
  ])('as in %s, to %s, puts none of it into the log', async (answer, command) => {
    server.mischief = ({ name, arguments: rest }, tag, socket) =>
      name === command && socket.write(`${answer === 'BYE' ? '*' : tag} ${answer} ${rest}\r\n`) !== undefined;
    await using source = openMail(server.url, { access: async () => ({ token }) });
    const logged = await said(source.roots(never).then(() => top(source)));
    for (const spelling of spellings) expect(logged).not.toContain(spelling);
  });
});

test.each([
  ['NO', 'connection '],
  ['NO', 'exceeded '],
  ['BYE', 'connection '],
  ['NO [OVERQUOTA]', 'exceeded '],
])('a server that says %s in as many words as a line may have holds nobody up: %s', async (answer, word) => {
  server.mischief = ({ name }, tag, socket) =>
    name === 'LIST' &&
    socket.write(`${answer === 'BYE' ? '*' : tag} ${answer} ${word.repeat(250_000 / word.length)}\r\n`) !== undefined;
  await using source = openMail(server.url);
  const before = process.cpuUsage();
  await expect(top(source)).rejects.toBeInstanceOf(AppError);
  const { user } = process.cpuUsage(before);
  expect(user).toBeLessThan(1_000_000);
});

test('a server that tells again and again of an inbox by another name holds nobody up', async () => {
  const count = 12_000;
  const boxes = Array.from({ length: count }, (_, n) => `* LIST () "/" b${n}\r\n`).join('');
  instead('LIST', (tag, socket) =>
    socket.write(`${boxes}${'* STATUS inbox (MESSAGES 1)\r\n'.repeat(count)}${tag} OK done\r\n`),
  );
  await using source = openMail(server.url);
  const before = process.cpuUsage();
  expect((await top(source)).members).toHaveLength(count);
  const { user } = process.cpuUsage(before);
  expect(user).toBeLessThan(1_500_000);
});

describe('a size that is listed', () => {
  test.each([3, 100_000, 400_000])(
    'wrongly for a message of %i bytes is found out by reading it twice',
    async (length) => {
      const message = server.put('INBOX', Buffer.alloc(length, 'x'));
      message.listedSize = length + 5;
      await using source = openMail(server.url);
      const [entry] = await messagesIn(source);
      if (entry === undefined) throw new Error('It is not listed.');
      const readOnce = async () => contentOf(await source.open(entry, never));
      await expect(readOnce()).rejects.toMatchObject({ code: 'source/changed', retry: { afterMs: 0 } });
      const { content, reading } = await read(source, entry);
      expect([content.length, reading.validator]).toEqual([length, entry.validator]);
    },
  );

  test('wrongly, and then other bytes each time, is refused for good', async () => {
    const message = server.put('INBOX', 'abc');
    message.listedSize = 10;
    await using source = openMail(server.url);
    const [entry] = await messagesIn(source);
    if (entry === undefined) throw new Error('It is not listed.');
    await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/changed' });
    message.content = Buffer.from('abcd');
    await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/malformed', retry: undefined });
  });

  test('rightly, of which less at a time is given than was requested, is read to its end', async () => {
    const content = Buffer.from('0123456789'.repeat(60_000));
    server.put('INBOX', content);
    instead('UID FETCH', (tag, socket, rest) => {
      const from = /<(\d+)\./.exec(rest)?.[1];
      if (from === undefined)
        return socket.write(`* 1 FETCH (UID 1 RFC822.SIZE ${content.length})\r\n${tag} OK done\r\n`);
      const part = content.subarray(Number(from), Number(from) + 100_000);
      return socket.write(`* 1 FETCH (UID 1 BODY[]<${from}> {${part.length}}\r\n${part})\r\n${tag} OK done\r\n`);
    });
    await using source = openMail(server.url);
    const [entry] = await messagesIn(source);
    if (entry === undefined) throw new Error('It is not listed.');
    expect((await contentOf(await source.open(entry, never))).equals(content)).toBe(true);
  });

  test.each([1024 ** 2 - 1, 1024 ** 2, 1024 ** 2 + 1])(
    'as what a part has, while there is more, is found out: %i',
    async (size) => {
      const message = server.put('INBOX', Buffer.alloc(1_500_000, 'x'));
      message.listedSize = size;
      await using source = openMail(server.url);
      const [entry] = await messagesIn(source);
      if (entry === undefined) throw new Error('It is not listed.');
      await expect(source.open(entry, never).then(contentOf)).rejects.toMatchObject({ code: 'source/changed' });
      expect((await read(source, entry)).content.length).toBe(1_500_000);
    },
  );

  test('beyond what a file may have is not fetched', async () => {
    server.put('INBOX', Buffer.alloc(3_000));
    await using source = openMail(server.url, { fileBytes: 2_999 });
    const [entry] = await messagesIn(source);
    if (entry === undefined) throw new Error('It is not listed.');
    const before = server.heard.length;
    await expect(source.open(entry, never)).rejects.toMatchObject({ code: 'source/too-large' });
    expect(server.heard).toHaveLength(before);
  });
});

test('a message that is longer than a file may be, though it is listed shorter, is left in the middle', async () => {
  const message = server.put('INBOX', Buffer.alloc(4_000_000));
  message.listedSize = 300_000;
  await using source = openMail(server.url, { fileBytes: 2_000_000 });
  const [entry] = await messagesIn(source);
  if (entry === undefined) throw new Error('It is not listed.');
  const { body } = await source.open(entry, never);
  const readOn = async () => {
    for await (const _ of body);
  };
  await expect(readOn()).rejects.toMatchObject({ code: 'source/too-large' });
  expect(source.traffic.bytes).toBeLessThan(3_000_000);
});

test('a server that knows neither lists of its own nor what changes gives no validators of mailboxes, and all of them', async () => {
  server.capabilities = plain;
  server.delimiter = '.';
  for (const name of ['INBOX', 'INBOX.Sent', 'a.b.c']) server.put(name, 'Subject: x\r\n\r\n');
  mailboxAt(server, 'INBOX.Sent').attributes.push('\\Subscribed', '\\Sent');
  mailboxAt(server, 'Others.bob').attributes.push('\\Noselect');
  await using source = openMail(server.url);
  const { members } = await top(source);
  expect(members).toEqual([
    { kind: 'collection', name: 'INBOX', location: 'INBOX' },
    { kind: 'collection', name: 'a', location: 'a' },
    { kind: 'collection', name: 'Others', location: 'Others' },
  ]);
  const sent = await source.list(await find(source, 'INBOX/Sent'), never);
  const record = await contentOf(await source.open(memberNamed(sent, 'mailbox.json'), never));
  expect(JSON.parse(record.toString())).toMatchObject({ name: 'INBOX.Sent', specialUse: ['\\Sent'], subscribed: true });
  expect((await source.list(await find(source, 'a/b'), never)).members).toHaveLength(1);
});

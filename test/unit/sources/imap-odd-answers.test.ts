import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modern } from '../../../demo/mail/imap.ts';
import type { Source } from '../../../src/sources/source.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { contentOf, find, memberNamed, never, read, rootOf } from '../../support/fixtures/open-source.ts';
import { type ImapServer, mailboxAt, plain, startImapServer } from '../../support/servers/imap-server.ts';

/* What servers of mail answer that mean well. */

let server: ImapServer;
beforeEach(async () => {
  server = await startImapServer();
  for (const subject of ['one', 'two', 'three']) server.put('INBOX', `Subject: ${subject}\r\n\r\n${subject}`);
});
afterEach(() => server[Symbol.asyncDispose]());

const top = async (source: Source) => source.list(await rootOf(source), never);
const inboxOf = async (source: Source) => source.list(await find(source, 'INBOX'), never);
/** Answers such commands so, so often. */
function answer(command: RegExp, text: string, times = Number.POSITIVE_INFINITY): void {
  let left = times;
  server.mischief = ({ name, arguments: rest }, tag, socket) => {
    if (!command.test(`${name} ${rest}`) || left-- <= 0) return false;
    socket.write(`${text.replaceAll('TAG', tag)}\r\n`);
    return true;
  };
}
const listed = (uid: number, subject: string) =>
  `* ${uid} FETCH (UID ${uid} RFC822.SIZE ${17 + 2 * subject.length} BODY[HEADER.FIELDS (SUBJECT)] "Subject: ${subject}")`;

describe('a list of mailboxes', () => {
  test.each([
    ['nothing', ''],
    ['all but the inbox', '* LIST () "/" "Work"\r\n'],
  ])('that names %s is incomplete where there is an inbox', async (_, list) => {
    mailboxAt(server, 'Work');
    answer(/^(LIST|LSUB) /, `${list}TAG OK done`);
    await using source = openMail(server.url);
    const found = await top(source);
    expect(found).toMatchObject({
      isIncomplete: true,
      problems: [{ name: 'INBOX', message: 'The mail server does not list the inbox, which is there.' }],
    });
    for (const { name } of found.members)
      expect(await source.list(memberNamed(found, name), never)).toMatchObject({ isIncomplete: true });
  });

  test('is as it is where the server has no inbox for this person', async () => {
    server.mailboxes.delete('INBOX');
    server.put('Archive', 'Subject: old\r\n\r\n');
    await using source = openMail(server.url);
    expect(await top(source)).toEqual({ members: [expect.objectContaining({ name: 'Archive' })], problems: [] });
  });

  test('that names nothing where there is no inbox either is no list', async () => {
    server.mailboxes.clear();
    await using source = openMail(server.url);
    await expect(top(source)).rejects.toMatchObject({
      code: 'source/malformed',
      message: 'The mail server lists no mailbox, not even an inbox.',
    });
  });

  test('does not need what one of them does not say of itself', async () => {
    mailboxAt(server, 'Broken');
    server.capabilities = modern.filter((one) => one !== 'LIST-STATUS');
    answer(/^STATUS "Broken"/, 'TAG NO [SERVERBUG] Internal error occurred. Refer to server log for more information.');
    await using source = openMail(server.url);
    const { members } = await top(source);
    expect(members.map(({ name, validator }) => [name, typeof validator])).toEqual([
      ['INBOX', 'string'],
      ['Broken', 'undefined'],
    ]);
  });

  test.each(['\\Noselect', '\\NonExistent'])(
    'that calls one %s is not believed where the server knows how many messages are in it',
    async (attribute) => {
      server.put('Work', 'Subject: four\r\n\r\n');
      mailboxAt(server, 'Level').attributes.push(attribute);
      const lines = ['INBOX', 'Work', 'Level'].map((path) => `* LIST (${attribute}) "/" ${path}`);
      answer(/^LIST /, `${lines.join('\r\n')}\r\nTAG OK done`);
      await using source = openMail(server.url);
      const listing = await top(source);
      expect(listing).not.toHaveProperty('isIncomplete');
      const counts = await Promise.all(
        listing.members.map(async (member) => (await source.list(member, never)).members.length),
      );
      // With the record of each mailbox; what is only a level of names has none.
      expect(counts).toEqual([4, 2, 0]);
    },
  );

  test('that names only what is below the inbox is incomplete', async () => {
    answer(/^LIST /, '* LIST () "/" INBOX/Work\r\nTAG OK done');
    await using source = openMail(server.url);
    expect(await top(source)).toMatchObject({ isIncomplete: true, problems: [{ name: 'INBOX' }] });
    expect(await inboxOf(source)).toMatchObject({ isIncomplete: true });
  });

  test('that is refused says so in words', async () => {
    answer(/^(LIST|LSUB) /, 'TAG NO [CANNOT] Not here.');
    await using source = openMail(server.url);
    await expect(top(source)).rejects.toMatchObject({
      code: 'source/forbidden',
      message: 'The mail server refuses to give this.',
    });
  });
});

describe('a list of messages', () => {
  const lacking = 'The mail server says that there are 3 messages in this mailbox, and lists 2.';

  test.each([
    ['ends well', 'OK done'],
    ['ends with a refusal, as of Gmail', 'NO Some messages could not be FETCHed (Failure)'],
  ])('that lacks one and %s is incomplete, and says so', async (_, end) => {
    answer(/^UID FETCH 1:\*/, `${listed(1, 'one')}\r\n${listed(3, 'three')}\r\nTAG ${end}`);
    await using source = openMail(server.url);
    const listing = await inboxOf(source);
    expect(listing).toMatchObject({
      isIncomplete: true,
      problems: [{ path: 'INBOX', code: 'source/malformed', message: lacking }],
    });
    expect(listing.members.map(({ name }) => name)).toEqual(['one [1].eml', 'three [3].eml', 'mailbox.json']);
  });

  test('is complete where others deleted what it lacks since the mailbox was opened', async () => {
    await using source = openMail(server.url);
    const inbox = memberNamed(await top(source), 'INBOX');
    const { mischief } = server;
    server.mischief = (command, tag, socket) => {
      if (command.name === 'NOOP') return socket.write(`* 2 EXPUNGE\r\n${tag} OK done\r\n`) || true;
      if (command.name !== 'UID FETCH') return mischief(command, tag, socket);
      return socket.write(`${listed(1, 'one')}\r\n${listed(3, 'three')}\r\n${tag} OK done\r\n`) || true;
    };
    const listing = await source.list(inbox, never);
    expect(listing).not.toHaveProperty('isIncomplete');
    expect(listing.problems).toEqual([]);
  });

  describe.each([
    ['none', '* 0 EXISTS', modern],
    ['none', '* 0 EXISTS', [...modern, 'ESEARCH']],
    ['none', '* 0 EXISTS', plain],
    ['fewer', '* 1 EXISTS', modern],
    ['fewer', '* 1 EXISTS', plain],
    ['fewer', '* 1 EXISTS', modern.filter((one) => one !== 'CONDSTORE')],
    ['nothing of it', '* OK', plain],
  ])('of which the server says as it opens the mailbox that there are %s', (_, exists, capabilities) => {
    beforeEach(() => {
      server.capabilities = capabilities;
      mailboxAt(server, 'INBOX').exists = exists;
    });

    test('is asked for where others are found, and complete', async () => {
      await using source = openMail(server.url);
      const listing = await inboxOf(source);
      expect(listing).not.toHaveProperty('isIncomplete');
      expect(listing.members.map(({ name }) => name)).toHaveLength(4);
    });

    test('is incomplete where it does not name what it finds', async () => {
      answer(/^UID FETCH 1:\*/, exists === '* 1 EXISTS' ? `${listed(1, 'one')}\r\nTAG OK done` : 'TAG OK done');
      await using source = openMail(server.url);
      expect(await inboxOf(source)).toMatchObject({
        isIncomplete: true,
        problems: [{ message: expect.stringContaining('that there are 3 messages in this mailbox, and lists') }],
      });
    });
  });

  test('is incomplete where it is empty, though messages were counted before, and the server does not search', async () => {
    mailboxAt(server, 'INBOX').exists = '* 0 EXISTS';
    server.mischief = ({ name }, tag, socket) =>
      (name === 'UID SEARCH' && socket.write(`${tag} BAD What?\r\n`)) ||
      (name === 'UID FETCH' && socket.write(`${tag} OK none\r\n`));
    await using source = openMail(server.url);
    expect(await inboxOf(source)).toMatchObject({
      isIncomplete: true,
      problems: [{ message: 'The mail server says that there are 3 messages in this mailbox, and lists 0.' }],
    });
  });

  test('that is empty is complete, and so is one of which more were counted before', async () => {
    mailboxAt(server, 'INBOX').messages.length = 0;
    answer(/^LIST /, '* LIST () "/" INBOX\r\n* STATUS INBOX (MESSAGES 3 UIDVALIDITY 7)\r\nTAG OK done');
    await using source = openMail(server.url);
    const { members, problems, isIncomplete } = await inboxOf(source);
    expect([members.length, problems, isIncomplete]).toEqual([1, [], undefined]);
  });

  test('that is refused at once is none', async () => {
    answer(/^UID FETCH/, 'TAG NO [CANNOT] Not this one.');
    await using source = openMail(server.url);
    await expect(inboxOf(source)).rejects.toMatchObject({ code: 'source/forbidden' });
  });
});

describe('what comes in place of a message', () => {
  const error =
    'Subject: Retrieval using the IMAP4 protocol failed for the following message: 2\r\n\r\nThe server failed.';
  test.each([
    ['nothing', ''],
    ['a message of the server about the failure', error],
    ['one without a subject', 'From: postmaster\r\n\r\nSomething went wrong.'],
  ])('is not taken for it, however often it comes: %s', async (_, content) => {
    await using source = openMail(server.url);
    const entry = memberNamed(await inboxOf(source), '2020-02-03 two [2].eml');
    for (const message of mailboxAt(server, 'INBOX').messages)
      if (message.uid === 2) message.content = Buffer.from(content);
    const open = async () => contentOf(await source.open(entry, never));
    await expect(open()).rejects.toMatchObject({ code: 'source/changed', retry: { afterMs: 0 } });
    await expect(open()).rejects.toMatchObject({
      code: 'source/malformed',
      message: 'The mail server sends something other than the message.',
    });
  });

  test.each([10, 400_000])(
    'is it where its subject is the one listed, of %i bytes, whatever size is listed',
    async (length) => {
      const subject = '=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus Berlin: 100%';
      const message = server.put('INBOX', `From: a@b\r\nsubject: ${subject}\r\n\r\n${'x'.repeat(length)}`);
      message.listedSize = length;
      await using source = openMail(server.url);
      const entry = (await inboxOf(source)).members.find(({ name }) => name.includes('Grüße aus Berlin'));
      if (entry === undefined) throw new Error('It is not listed.');
      const open = async () => contentOf(await source.open(entry, never));
      await expect(open()).rejects.toMatchObject({ code: 'source/changed' });
      expect((await read(source, entry)).content.equals(message.content)).toBe(true);
    },
  );
});

test.each(['NIL', '""', '{0}\r\n'])('a message of no bytes is one, given as %s', async (nothing) => {
  const { uid } = server.put('INBOX', '');
  answer(/^UID FETCH \d+ \(UID BODY/, `* 4 FETCH (UID ${uid} BODY[] ${nothing})\r\nTAG OK done`);
  await using source = openMail(server.url);
  const { members } = await inboxOf(source);
  const empty = members.find(({ size }) => size === 0);
  if (empty === undefined) throw new Error('It is not listed.');
  expect(await contentOf(await source.open(empty, never))).toEqual(Buffer.of());
});

describe('a refusal', () => {
  test.each([
    'NO Temporary authentication failure. [mail:2026-11-28 01:00:00]',
    'NO [ALERT] Account exceeded command or bandwidth limits. (Failure)',
    'NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)',
    'BAD User is authenticated but not connected.',
  ])('of the moment may pass: %s', async (text) => {
    answer(/^(AUTHENTICATE|LIST|NAMESPACE)/, `TAG ${text}`);
    await using source = openMail(server.url);
    await expect(top(source)).rejects.toMatchObject({ code: 'source/unavailable' });
    answer(/^(AUTHENTICATE|LIST|NAMESPACE)/, `TAG ${text}`, 1);
    expect((await top(source)).members).toHaveLength(1);
  });

  test.each([
    ['NO [AUTHENTICATIONFAILED] Too bad, try again later.', 'source/unauthorized', 'refuses the access token'],
    [
      'NO [AUTHORIZATIONFAILED] IMAP is disabled for you.',
      'source/forbidden',
      'takes the access token, and does not let',
    ],
    ['BAD Command Argument Error. 11', 'source/malformed', 'does not understand how the access token is shown'],
  ])('of a login means what it says: %s', async (text, code, words) => {
    answer(/^AUTHENTICATE/, `TAG ${text}`);
    await using source = openMail(server.url);
    await expect(top(source)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('of what a server can is told in words', async () => {
    answer(/^CAPABILITY/, 'TAG BAD What?');
    await using source = openMail(server.url);
    await expect(top(source)).rejects.toMatchObject({ code: 'source/malformed' });
  });

  test('that names a pause is obeyed, unless the run had better wait for it in the queue', async () => {
    const throttled = (ms: number) => `TAG BAD Request is throttled. Suggested Backoff Time: ${ms} milliseconds`;
    const clock = manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
    await using source = openMail(server.url, { clock });
    await top(source);
    const before = clock.elapsed();
    answer(/^LIST/, throttled(92_415), 1);
    expect((await top(source)).members).toHaveLength(1);
    expect(clock.elapsed() - before).toBe(92_415);
    answer(/^LIST/, throttled(900_000));
    await expect(top(source)).rejects.toMatchObject({ code: 'source/unavailable', retry: { afterMs: 900_000 } });
    expect(clock.elapsed() - before).toBe(92_415);
  });

  test('at the door is told in the words of the server', async () => {
    server.greeting = '* BYE Down for maintenance until 06:00.';
    await using source = openMail(server.url);
    await expect(top(source)).rejects.toMatchObject({
      code: 'source/unavailable',
      message: 'The mail server closes the connection, and says: Down for maintenance until 06:00.',
    });
  });
});

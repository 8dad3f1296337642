import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { modern } from '../../../demo/mail/imap.ts';
import { checkMailServer, mailboxes } from '../../../src/doctor/checks/mailboxes.ts';
import type { Installation } from '../../../src/doctor/installation.ts';
import { memoryOfMember, openMemoryBudget } from '../../../src/memory-budget.ts';
import { openServers } from '../../../src/sources/http/server.ts';
import { inspectMailServer } from '../../../src/sources/imap/inspect-mail-server.ts';
import { parseMailAddress } from '../../../src/sources/imap/mail-address.ts';
import type { Access, Member, Source } from '../../../src/sources/source.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { openMail } from '../../support/fixtures/open-mail.ts';
import { accessOf, contentOf, find, heardLog, memberNamed, never, rootOf } from '../../support/fixtures/open-source.ts';
import { type ImapServer, mailboxAt, plain, startImapServer } from '../../support/servers/imap-server.ts';

let server: ImapServer;
beforeEach(async () => {
  server = await startImapServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const messagesIn = async (source: Source, path = 'INBOX'): Promise<Member[]> => {
  const { members } = await source.list(await find(source, path), never);
  return members.filter(({ name }) => name.endsWith('.eml'));
};
const readAll = (source: Source, entries: readonly Member[]) =>
  Promise.all(entries.map(async (entry) => (await contentOf(await source.open(entry, never))).toString()));
const names = (since = 0) => server.heard.slice(since).map(({ name }) => name);

describe('a login', () => {
  test('shows the token in the first command where the server can take it so', async () => {
    await using source = openMail(`imap://a%3Db%2Cc@127.0.0.1:${server.port}`);
    await source.roots(never);
    expect(names()).toEqual(['CAPABILITY', 'AUTHENTICATE']);
    expect(server.shown).toEqual([
      `n,a=a=3Db=2Cc,\x01host=127.0.0.1\x01port=${server.port}\x01auth=Bearer good-token\x01\x01`,
    ]);
  });

  test('needs no question where the greeting answers it, and shows XOAUTH2 where that alone is known', async () => {
    server.capabilities = plain;
    server.greeting = `* OK [CAPABILITY ${plain.join(' ')}] ready`;
    await using source = openMail(server.url);
    await source.roots(never);
    expect(names()).toEqual(['AUTHENTICATE']);
    expect(server.shown).toEqual(['user=alice\x01auth=Bearer good-token\x01\x01']);
  });

  test.each([modern, plain])('takes a fresh token once where the one at hand is refused', async (...capabilities) => {
    server.capabilities = capabilities.flat();
    server.tokens = new Set(['fresh']);
    const access = accessOf('old', 'fresh');
    await using source = openMail(server.url, { access });
    await source.roots(never);
    expect(access.asked).toEqual([{ minimumSeconds: 30 }, { minimumSeconds: 30, refused: 'old' }]);
  });

  test('that is refused with a fresh token ends the source, and nobody asks for another', async () => {
    server.tokens = new Set();
    const access = accessOf('one', 'two', 'three');
    await using source = openMail(server.url, { access });
    for (let n = 0; n < 3; n++)
      await expect(source.roots(never)).rejects.toMatchObject({ code: 'source/unauthorized' });
    expect(server.shown).toHaveLength(2);
  });

  test('with a token that is bound to a key says in words why it may be refused', async () => {
    server.tokens = new Set();
    const access: Access = async () => ({ token: 'bound', prove: async () => 'proof' });
    await using source = openMail(server.url, { access });
    await expect(source.roots(never)).rejects.toThrow(/DPoP.*OIDC_DPOP=off/);
  });

  test('is not tried at a server that takes no tokens', async () => {
    server.capabilities = ['IMAP4rev1', 'AUTH=PLAIN'];
    await using source = openMail(server.url);
    await expect(source.roots(never)).rejects.toThrow('offers neither OAUTHBEARER nor XOAUTH2');
    expect(names()).toEqual(['CAPABILITY']);
  });

  test('that is refused for the moment is tried again, and the token is not to blame', async () => {
    let refusals = 1;
    server.mischief = ({ name }, tag, socket) =>
      name === 'AUTHENTICATE' && refusals-- > 0 ? socket.write(`${tag} NO [UNAVAILABLE] Later.\r\n`) : false;
    const access = accessOf('good');
    await using source = openMail(server.url, { access });
    await source.roots(never);
    expect(access.asked.every(({ refused }) => refused === undefined)).toBe(true);
  });
});

describe('connections', () => {
  test('are three at most, whatever waits for one', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) server.put(name, 'x');
    await using source = openMail(server.url);
    const { members } = await source.list(await rootOf(source), never);
    await Promise.all(members.map((member) => source.list(member, never)));
    expect(server.sockets.size).toBe(3);
    expect(source.atOnce).toBe(96);
  });

  test.each([
    ['at the login', '[LIMIT] Maximum number of connections exceeded'],
    ['at the login, in other words', '[ALERT] Too many simultaneous connections. (Failure)'],
  ])('are fewer where the server takes no more %s', async (_, refusal) => {
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) server.put(name, 'x');
    server.mischief = ({ name }, tag, socket) =>
      name === 'AUTHENTICATE' && server.sockets.size > 1 ? socket.write(`${tag} NO ${refusal}\r\n`) : false;
    const { log, lines } = heardLog();
    await using source = openMail(server.url, { log });
    const { members } = await source.list(await rootOf(source), never);
    const listings = await Promise.all(members.map((member) => source.list(member, never)));
    expect(listings.every((listing) => listing.members.length === 2)).toBe(true);
    expect(source.atOnce).toBe(32);
    expect(lines.filter((line) => line.includes('source.fewer-connections')).length).toBeGreaterThan(0);
  });

  test('are fewer where the server says so in place of a greeting', async () => {
    for (const name of ['a', 'b', 'c', 'd']) server.put(name, 'x');
    const greeting = () => (server.sockets.size > 1 ? '* BYE Too many connections' : '* OK ready');
    Object.defineProperty(server, 'greeting', { get: greeting });
    await using source = openMail(server.url);
    const { members } = await source.list(await rootOf(source), never);
    await Promise.all(members.map((member) => source.list(member, never)));
    expect(source.atOnce).toBe(32);
  });

  test('are not tried again once so many attempts in a row came to nothing that the server counts as down', async () => {
    mailboxAt(server, 'INBOX');
    await using source = openMail(server.url);
    const inbox = memberNamed(await source.list(await rootOf(source), never), 'INBOX');
    const before = server.heard.length;
    server.mischief = ({ name }, _, socket) => /^(EXAMINE|LIST)$/.test(name) && Boolean(socket.destroy());
    for (let n = 0; n < 40; n++)
      await expect(source.list(inbox, never)).rejects.toMatchObject({ code: 'source/unavailable' });
    expect(names(before).filter((name) => /^(EXAMINE|LIST)$/.test(name))).toHaveLength(32 * 4 + 8);
  });

  test('are made anew where the server has closed them, and a listing that broke off is asked for again', async () => {
    for (let n = 1; n <= 3; n++) server.put('INBOX', `Subject: ${n}\r\n\r\n`);
    await using source = openMail(server.url);
    const inbox = memberNamed(await source.list(await rootOf(source), never), 'INBOX');
    for (const socket of server.sockets) socket.destroy();
    let breaks = 2;
    server.mischief = ({ name }, _, socket) => {
      if (name !== 'UID FETCH' || breaks-- <= 0) return false;
      socket.end('* 1 FETCH (UID 1 RFC822.SIZE 3)\r\n* BYE Going down.\r\n');
      return true;
    };
    expect((await source.list(inbox, never)).members).toHaveLength(4);
  });

  test('that nobody answers are given up after some tries, as something that may pass', async () => {
    await using source = openMail(server.url);
    await source.roots(never);
    server.greeting = '* BYE Too many connections from your address';
    for (const socket of server.sockets) socket.destroy();
    await expect(source.list(await rootOf(source), never)).rejects.toMatchObject({
      code: 'source/unavailable',
      message: 'The mail server takes no more connections of this person at the moment.',
      retry: { afterMs: 0 },
    });
  });

  test('that stay silent are given up', async () => {
    server.mischief = ({ name }) => name === 'LIST';
    await using source = openMail(server.url, { timeouts: { silenceMs: 20 } });
    await expect(source.list({ kind: 'collection', name: 'mail', location: '' }, never)).rejects.toMatchObject({
      code: 'source/unavailable',
    });
  });

  test('to a port that speaks no TLS are told in words', async () => {
    server.greeting = '* OK ready';
    await using source = openMail(server.url.replace('imap:', 'imaps:'));
    await expect(source.roots(never)).rejects.toThrow('The mail server speaks no TLS at that port.');
  });

  test('end with the reason of the signal, whatever they wait for', async () => {
    server.mischief = ({ name }) => name === 'LIST';
    await using source = openMail(server.url);
    await source.roots(never);
    const stop = new AbortController();
    const listing = source.list({ kind: 'collection', name: 'mail', location: '' }, stop.signal);
    stop.abort(new Error('enough'));
    await expect(listing).rejects.toThrow('enough');
  });
});

describe('messages', () => {
  test('that are wanted at the same time come in few commands, each once', async () => {
    for (let n = 1; n <= 500; n++) server.put('INBOX', `Subject: ${n}\r\n\r\n`);
    await using source = openMail(server.url);
    const entries = await messagesIn(source);
    const before = server.heard.length;
    const contents = await readAll(source, entries);
    expect(contents).toEqual(entries.map((_, at) => `Subject: ${at + 1}\r\n\r\n`));
    expect(
      server.heard
        .slice(before)
        .filter(({ name }) => name === 'UID FETCH')
        .map(({ arguments: rest }) => rest.split(' ')[0])
        .toSorted(),
    ).toEqual(['101:200', '1:100', '201:300', '301:400', '401:500']);
  });

  test('together are no more than some megabytes, and a long one comes in parts by itself', async () => {
    for (let n = 1; n <= 40; n++) server.put('INBOX', Buffer.alloc(200_000, n));
    server.put('INBOX', Buffer.alloc(2_500_000, 41));
    await using source = openMail(server.url);
    const entries = await messagesIn(source);
    const before = server.heard.length;
    const contents = await readAll(source, entries);
    expect(contents.map(({ length }) => length)).toEqual([...Array(40).fill(200_000), 2_500_000]);
    const asked = server.heard.slice(before).filter(({ name }) => name === 'UID FETCH');
    expect(asked.filter(({ arguments: rest }) => rest.includes('BODY.PEEK[]<'))).toHaveLength(3);
    expect(asked.length).toBe(5);
  });

  test('of different mailboxes are fetched from the mailbox of each', async () => {
    for (const name of ['a', 'b', 'c']) for (let n = 1; n <= 3; n++) server.put(name, `${name}${n}`);
    await using source = openMail(server.url);
    const entries = (await Promise.all(['a', 'b', 'c'].map((name) => messagesIn(source, name)))).flat();
    expect(await readAll(source, entries)).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2', 'c3']);
  });

  test('that were numbered anew since they were listed are not taken for what they were', async () => {
    for (const content of ['before', 'and after']) server.put('INBOX', content);
    await using source = openMail(server.url);
    const entries = await messagesIn(source);
    Object.assign(mailboxAt(server, 'INBOX'), { uidValidity: 8 });
    for (const socket of server.sockets) socket.destroy();
    const before = server.heard.length;
    const opened = await Promise.allSettled(entries.map((entry) => source.open(entry, never)));
    const changed = {
      status: 'rejected',
      reason: expect.objectContaining({ code: 'source/changed', retry: undefined }),
    };
    expect(opened).toEqual([changed, changed]);
    expect(names(before).filter((name) => name === 'EXAMINE')).toHaveLength(1);
  });

  test('are fetched without being seen, and mailboxes opened to be read only', async () => {
    server.put('INBOX', 'x');
    await using source = openMail(server.url);
    await readAll(source, await messagesIn(source));
    expect(names()).toEqual(expect.arrayContaining(['EXAMINE', 'UID FETCH']));
    const writing = /^(SELECT|STORE|APPEND|EXPUNGE|UID (STORE|COPY|MOVE|EXPUNGE)|CREATE|DELETE|RENAME|SUBSCRIBE)/;
    expect(names().filter((name) => writing.test(name))).toEqual([]);
    expect(server.heard.filter(({ arguments: rest }) => /BODY\[/.test(rest))).toEqual([]);
  });
});

test('a run that shares the thread with another one gets all, in its turns', async () => {
  const clock = manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
  const servers = openServers(
    clock,
    undefined,
    () => 0,
    () => 0,
  );
  using _other = servers.processor.open();
  for (let n = 1; n <= 300; n++) server.put('INBOX', Buffer.alloc(2_000, n));
  server.put('INBOX', Buffer.alloc(1_500_000, 1));
  await using source = openMail(server.url, { clock, servers });
  const contents = await readAll(source, await messagesIn(source));
  expect(contents.map(({ length }) => length)).toEqual([...Array(300).fill(2_000), 1_500_000]);
});

test('nothing is fetched before it is the turn of the run', async () => {
  server.put('INBOX', 'short');
  server.put('INBOX', Buffer.alloc(300_000));
  const turn = Promise.withResolvers<void>();
  const share = openServers(manualClock('2026-11-23T01:00:00Z')).processor.open();
  let isGated = false;
  const processor = Object.assign(Object.create(share), { turn: () => (isGated ? turn.promise : Promise.resolve()) });
  await using source = openMail(server.url, { processor });
  const entries = await messagesIn(source);
  const before = server.heard.length;
  isGated = true;
  const reading = readAll(source, entries);
  // Connections are made meanwhile.
  while (!names(before).includes('AUTHENTICATE')) await new Promise(setImmediate);
  expect(names(before)).not.toContain('UID FETCH');
  turn.resolve();
  expect((await reading).map(({ length }) => length)).toEqual([5, 300_000]);
});

test.each([
  ['EXAMINE', 'NO [NONEXISTENT] It is gone.', 'source/not-found'],
  ['EXAMINE', 'NO It does not exist, or is not yours.', 'source/not-found'],
  ['EXAMINE', 'NO [NOPERM] It is not yours.', 'source/forbidden'],
  ['EXAMINE', 'NO [AUTHORIZATIONFAILED] It is not yours.', 'source/forbidden'],
  ['EXAMINE', 'NO [INUSE] Later.', 'source/unavailable'],
  ['EXAMINE', 'NO [SERVERBUG] Internal error.', 'source/unavailable'],
  ['EXAMINE', 'BAD What?', 'source/malformed'],
  ['EXAMINE', 'WHAT', 'source/malformed'],
  ['UID FETCH', 'NO It cannot be read.', 'source/forbidden'],
  ['UID FETCH', 'NO [NONEXISTENT] It is gone.', 'source/not-found'],
  ['UID FETCH', 'NO [UNAVAILABLE] Later.', 'source/unavailable'],
  ['UID FETCH', 'BAD What?', 'source/malformed'],
])('the refusal of %s by %j is %s', async (refused, answer, code) => {
  for (const content of ['one', 'two']) server.put('INBOX', content);
  await using source = openMail(server.url);
  const inbox = memberNamed(await source.list(await rootOf(source), never), 'INBOX');
  const { members } = await source.list(inbox, never);
  for (const socket of server.sockets) socket.destroy();
  server.mischief = ({ name }, tag, socket) =>
    name === refused && Boolean(socket.write(`${tag} ${answer}\r\n`) || true);
  await expect(source.list(inbox, never)).rejects.toMatchObject({ code });
  const messages = members.filter(({ name }) => name.endsWith('.eml'));
  const opened = await Promise.allSettled(messages.map((entry) => source.open(entry, never)));
  const refusal = { status: 'rejected', reason: expect.objectContaining({ code }) };
  expect(opened).toEqual([refusal, refusal]);
});

test.each([
  'imaps://imap.example',
  'imaps://a:b@imap.example',
  'imaps://a@imap.example/INBOX',
  'imaps://a@imap.example?x',
  'https://a@imap.example',
  'nothing',
])('%s is no address of mail', (url) => {
  expect(() => openMail(url)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
});

test('an address of mail has the usual port where it names none', () => {
  expect(parseMailAddress('imaps://a%40b.example@IMAP.example')).toEqual({
    ...{ host: 'imap.example', port: 993, isSecure: true, user: 'a@b.example' },
  });
  expect(parseMailAddress('imap://a@[::1]/')).toEqual({ host: '::1', port: 143, isSecure: false, user: 'a' });
  expect(parseMailAddress('imaps://a@h:1993')).toMatchObject({ port: 1993 });
});

describe('mailboxes', () => {
  test('are listed again where the first listing failed, and where something in one was not found, but not without end', async () => {
    server.put('INBOX', 'x');
    await using source = openMail(server.url);
    const inbox: Member = { kind: 'collection', name: 'INBOX', location: 'INBOX' };
    server.mischief = ({ name }, tag, socket) =>
      name === 'LIST' && Boolean(socket.write(`${tag} NO [SERVERBUG] No.\r\n`) || true);
    await expect(source.list(await rootOf(source), never)).rejects.toMatchObject({ code: 'source/unavailable' });
    server.mischief = () => false;
    const before = server.heard.length;
    for (let n = 0; n < 30; n++) expect((await source.list(inbox, never)).members).toHaveLength(2);
    expect(names(before).filter((name) => name === 'LIST')).toHaveLength(1 + 16);
  });

  test('are asked for no numbers that say nothing without CONDSTORE', async () => {
    mailboxAt(server, 'INBOX');
    server.capabilities = modern.filter((one) => one !== 'CONDSTORE');
    await using source = openMail(server.url);
    await source.list(await rootOf(source), never);
    expect(server.heard.find(({ name }) => name === 'LIST')?.arguments).toBe(
      '"" "*" RETURN (SUBSCRIBED SPECIAL-USE STATUS (MESSAGES))',
    );
    expect(names()).not.toContain('STATUS');
  });

  test('are asked for one by one where the server tells their numbers with no list', async () => {
    for (const name of ['a', 'b']) server.put(name, 'x');
    server.capabilities = [...plain, 'CONDSTORE'];
    await using source = openMail(server.url);
    const { members } = await source.list(await rootOf(source), never);
    expect(members.map(({ validator }) => validator)).toEqual([expect.any(String), expect.any(String)]);
    expect(
      server.heard.filter(({ name, arguments: rest }) => name === 'STATUS' && !rest.startsWith('"INBOX"')),
    ).toHaveLength(2);
  });

  test('that only hold others, with a delimiter behind their name, are those folders', async () => {
    mailboxAt(server, 'a/').attributes.push('\\Noselect');
    mailboxAt(server, 'a/b');
    await using source = openMail(server.url);
    const { members } = await source.list(await rootOf(source), never);
    expect(members).toMatchObject([{ name: 'a', location: 'a' }]);
    expect((await source.list(memberNamed({ members, problems: [] }, 'a'), never)).members).toMatchObject([
      { name: 'b' },
    ]);
  });

  test('of other people and shared ones are left out, by the longest name that their own begins with', async () => {
    for (const name of ['INBOX', 'INBOX/Sent', 'Others/bob', 'Public', 'Public/News', 'Publicity'])
      mailboxAt(server, name);
    server.mischief = ({ name }, tag, socket) =>
      name === 'NAMESPACE'
        ? socket.write(`* NAMESPACE (("" "/")) (("Others/" "/")) (("Public/" "/"))\r\n${tag} OK done\r\n`)
        : false;
    const namesIn = async () => {
      await using source = openMail(server.url);
      return (await source.list(await rootOf(source), never)).members.map(({ name }) => name);
    };
    expect(await namesIn()).toEqual(['INBOX', 'Publicity']);
    server.mischief = ({ name }, tag, socket) =>
      name === 'NAMESPACE'
        ? socket.write(`* NAMESPACE (("INBOX/" "/")) (("Others/" "/")) (("" "/"))\r\n${tag} OK done\r\n`)
        : false;
    expect(await namesIn()).toEqual(['INBOX']);
  });

  test('have another validator whenever messages, flags, uses or subscriptions are others, in them or below', async () => {
    server.put('a/b/c', 'Subject: x\r\n\r\n');
    mailboxAt(server, 'a/b');
    const validators = async () => {
      await using source = openMail(server.url);
      const top = await source.list(await rootOf(source), never);
      return [
        memberNamed(top, 'a').validator,
        memberNamed(await source.list(memberNamed(top, 'a'), never), 'b').validator,
      ];
    };
    let before = await validators();
    expect(await validators()).toEqual(before);
    const changes = [
      () => server.put('a/b/c', ''),
      () => server.flag('a/b/c', 1, ['\\Seen']),
      () => server.expunge('a/b/c', 2),
      () => mailboxAt(server, 'a/b/c').attributes.push('\\Archive'),
      () => mailboxAt(server, 'a/b').attributes.push('\\Subscribed'),
      () => mailboxAt(server, 'a/b/d'),
    ];
    for (const change of changes) {
      change();
      const after = await validators();
      expect(after.every((validator, at) => validator !== undefined && validator !== before[at])).toBe(true);
      before = after;
    }
    mailboxAt(server, 'a/b/c').modSeq = 0;
    expect(await validators()).toEqual([undefined, undefined]);
  });
});

describe('the record of a mailbox', () => {
  const recordIn = async (source: Source, path = 'INBOX') =>
    (await contentOf(await source.open(await find(source, `${path}/mailbox.json`), never))).toString();

  test('keeps what there is to know of it and of its messages, in one order, and nothing that only this session says', async () => {
    mailboxAt(server, 'Sent &AOk-').attributes.push('\\HasNoChildren', '\\Subscribed', '\\Sent');
    server.put('Sent &AOk-', 'one', { flags: ['\\Seen', '\\Recent', '$Forwarded', '\\Answered'] });
    server.put('Sent &AOk-', 'two', { receivedAt: new Date('2021-12-31T23:59:59Z') });
    await using source = openMail(server.url);
    expect(await recordIn(source, 'Sent é')).toBe(`{
  "name": "Sent é",
  "delimiter": "/",
  "uidValidity": "7",
  "specialUse": [
    "\\\\Sent"
  ],
  "subscribed": true,
  "messages": {
    "1": {"receivedAt":"2020-02-03T04:05:06.000Z","flags":["$Forwarded","\\\\Answered","\\\\Seen"]},
    "2": {"receivedAt":"2021-12-31T23:59:59.000Z","flags":[]}
  }
}
`);
  });

  test('is one of no messages where there are none', async () => {
    mailboxAt(server, 'INBOX');
    await using source = openMail(server.url);
    expect(JSON.parse(await recordIn(source))).toMatchObject({ name: 'INBOX', subscribed: false, messages: {} });
  });

  test('needs memory as well, and is listed again when there is some', async () => {
    server.put('INBOX', 'x');
    const memory = openMemoryBudget(memoryOfMember('INBOX') + memoryOfMember('1 INBOX'));
    await using source = openMail(server.url, { memory });
    const inbox = memberNamed(await source.list(await rootOf(source), never), 'INBOX');
    await expect(source.list(inbox, never)).rejects.toMatchObject({ code: 'source/too-large', retry: { afterMs: 0 } });
    const record: Member = { kind: 'entry', name: 'mailbox.json', location: 'record INBOX' };
    await expect(source.open(record, never)).rejects.toMatchObject({ code: 'source/not-found' });
    expect(await source.openRest?.(record, 1, never)).toBeUndefined();
  });
});

describe('the doctor', () => {
  test('says nothing of mail where none is backed up', async () => {
    const installation = { option: () => undefined } as unknown as Installation;
    expect(await mailboxes.run(installation)).toEqual([]);
  });

  const look = async (url = server.url, { requiresBound = false } = {}) =>
    checkMailServer(await inspectMailServer(url, manualClock('2026-11-23T01:00:00Z')), { requiresBound });

  test('says by which ways the mail server takes tokens, without showing one', async () => {
    expect(await look()).toMatchObject({
      state: 'ok',
      finding: `127.0.0.1:${server.port} takes access tokens (OAUTHBEARER, XOAUTH2).`,
    });
    expect(server.shown).toEqual([]);
  });

  test('says what is wrong', async () => {
    expect(await look(server.url, { requiresBound: true })).toMatchObject({
      state: 'wrong',
      finding: expect.stringContaining('OIDC_DPOP=required'),
    });
    server.capabilities = ['IMAP4rev1'];
    expect(await look()).toMatchObject({
      state: 'wrong',
      finding: expect.stringContaining('neither OAUTHBEARER nor XOAUTH2'),
    });
    expect(await look('imaps://a@127.0.0.1:1')).toMatchObject({
      state: 'wrong',
      finding: '127.0.0.1:1: The mail server does not answer, or breaks off its answers.',
    });
    const open = { host: 'mail.example', port: 143, isSecure: false, ways: ['XOAUTH2'] };
    expect(checkMailServer(open, { requiresBound: false })).toMatchObject({ state: 'warn' });
  });
});

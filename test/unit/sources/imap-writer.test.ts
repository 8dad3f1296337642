import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writable } from '../../../demo/mail/imap.ts';
import type { HeardCommand } from '../../../demo/mail/imap-session.ts';
import { AppError } from '../../../src/errors.ts';
import { letOthers } from '../../../src/pieces.ts';
import type { MailWriter } from '../../../src/sources/imap/mail-writer.ts';
import type { NewMessage } from '../../../src/sources/imap/new-message.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { newMessage, openMailWriter } from '../../support/fixtures/open-mail.ts';
import { accessOf, never } from '../../support/fixtures/open-source.ts';
import { type ImapServer, mailboxAt, plain, startImapServer } from '../../support/servers/imap-server.ts';

let server: ImapServer;
beforeEach(async () => {
  server = await startImapServer();
  server.capabilities = writable;
});
afterEach(() => server[Symbol.asyncDispose]());

const second = (n: number) => new Date(Date.UTC(2026, 2, 4, 5, 6, n));
const withId = (id: number | string, body = 'Hello.') => `Message-ID: <${id}@example.org>\r\n\r\n${body}\r\n`;
/** Messages that are each received in a second of their own. */
const several = (count: number, more: Partial<NewMessage> = {}) =>
  Array.from({ length: count }, (_, n) =>
    newMessage(withId(n), { receivedAt: second(n), isAloneInSecond: true, ...more }),
  );
/** Writes them as a restore does; what became of each. */
async function write(messages: readonly NewMessage[], writer: MailWriter, levels: readonly string[] = ['Restored']) {
  await writer.makeMailbox(levels, never);
  const mailbox = await writer.openMailbox(levels, never);
  return Promise.allSettled(messages.map((message) => mailbox.write(message, never)));
}
async function writeAll(messages: readonly NewMessage[], levels?: readonly string[]) {
  await using writer = openMailWriter(server.url);
  return await write(messages, writer, levels);
}
const held = (path = 'Restored') =>
  (server.mailboxes.get(path)?.messages ?? []).map(({ content, receivedAt, flags }) => ({
    content: content.toString('latin1'),
    receivedAt,
    flags,
  }));
const contents = (path?: string) => held(path).map(({ content }) => content);
const heard = (name: string) => server.heard.filter((one) => one.name === name);
const codes = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((one) => (one.status === 'fulfilled' ? 'written' : (one.reason as AppError).code));
/** Answers the n-th of these commands so, instead of the server. */
const nth = (wanted: number, name: string, answer: (tag: string, socket: Socket, command: HeardCommand) => unknown) => {
  let count = 0;
  server.mischief = (command, tag, socket) => {
    if (command.name !== name || ++count !== wanted) return false;
    return answer(tag, socket, command) !== false;
  };
};

describe('a message', () => {
  test.each([
    ['with what makes it fast', writable],
    ['with little more than RFC 3501', plain],
    ['with short literals alone', [...plain, 'LITERAL-']],
  ])('is written byte for byte, with flags and the time of its receipt, to a server %s', async (_, capabilities) => {
    server.capabilities = capabilities;
    const odd = Buffer.concat([Buffer.from('Subject: raw \xe9\r\n\r\n', 'latin1'), Buffer.from([1, 128, 255, 10, 13])]);
    const long = Buffer.alloc(700_000, 'long line\r\n');
    const receivedAt = new Date('2019-01-02T03:04:05Z');
    const results = await writeAll([
      newMessage(odd, { receivedAt, flags: ['\\Seen', '$Work'] }),
      newMessage('', { receivedAt }),
      newMessage(long, { receivedAt, flags: ['\\Flagged'] }),
      newMessage('A1 LOGOUT\r\n{3}\r\n', { receivedAt }),
    ]);
    expect(codes(results)).toEqual(['written', 'written', 'written', 'written']);
    expect(held()).toHaveLength(4);
    const expected = [
      { content: odd.toString('latin1'), receivedAt, flags: ['\\Seen', '$Work'] },
      { content: '', receivedAt, flags: [] },
      { content: long.toString('latin1'), receivedAt, flags: ['\\Flagged'] },
      { content: 'A1 LOGOUT\r\n{3}\r\n', receivedAt, flags: [] },
    ];
    for (const one of expected) expect(held()).toContainEqual(one);
  });

  test('goes with others that are to be written at the same time', async () => {
    await writeAll(several(250));
    expect(contents()).toEqual(several(250).map((_, n) => withId(n)));
    // One alone, and what came meanwhile, a hundred at a time.
    expect(heard('APPEND').length).toBeLessThanOrEqual(5);
  });

  test('of a time that no server knows is written without it', async () => {
    await writeAll([newMessage('x', { receivedAt: undefined }), newMessage('y', { receivedAt: new Date(8.6e15) })]);
    expect(contents()).toEqual(['x', 'y']);
    expect(heard('APPEND').every(({ arguments: rest }) => !rest.includes('-'))).toBe(true);
  });

  test('whose flags are no flags says nothing else to the server', async () => {
    const flags = ['\\Seen', 'x) {3}\r\nn9 DELETE INBOX', '\\Recent', 'ok', 'ü', 'a b', ''];
    const [result] = await writeAll([newMessage('x', { flags })]);
    expect(held()[0]?.flags).toEqual(['\\Seen', 'ok']);
    expect(result).toMatchObject({ value: [flags[1], '\\Recent', 'ü', 'a b', ''] });
    expect(heard('DELETE')).toEqual([]);
  });

  test.each([
    [['\\Seen', '\\Flagged'], ['\\Seen'], ['$Work']],
    [['\\Seen', '\\Flagged', '\\*'], ['\\Seen', '$Work'], []],
    [['$work', '\\*'], ['$Work'], ['\\Seen']],
    [[], [], ['\\Seen', '$Work']],
  ])('in a mailbox that keeps %j has these alone, and it is said which are left out', async (kept, sent, leftOut) => {
    Object.assign(mailboxAt(server, 'Restored'), { permanentFlags: kept });
    const [result] = await writeAll([newMessage('x', { flags: ['\\Seen', '$Work'] })]);
    expect(held()[0]?.flags).toEqual(sent);
    expect(result).toMatchObject({ value: leftOut });
  });

  test.each(['LIMIT', 'CANNOT', 'BAD'])(
    'that is refused for its keywords (%s) is written without them, and it is said so',
    async (code) => {
      server.refuse = ({ flags }) => (flags.includes('$Work') ? code : undefined);
      const results = await writeAll([
        newMessage('x', { flags: ['\\Seen', '$Work'] }),
        newMessage('y', { flags: ['\\Seen'] }),
      ]);
      expect(results).toMatchObject([{ value: ['$Work'] }, { value: [] }]);
      expect(held().map(({ flags }) => flags)).toEqual([['\\Seen'], ['\\Seen']]);
    },
  );

  test.each([
    ['TOOBIG', 'source/too-large'],
    ['CANNOT', 'source/forbidden'],
    ['LIMIT', 'source/forbidden'],
    ['NOPERM', 'source/forbidden'],
    ['OVERQUOTA', 'source/full'],
    ['BAD', 'source/malformed'],
  ])('that the server refuses with %s does not keep the others', async (code, expected) => {
    server.refuse = ({ content }) => (content.includes('<3@') ? code : undefined);
    const results = await writeAll(several(6));
    expect(codes(results)).toEqual(['written', 'written', 'written', expected, 'written', 'written']);
    expect(contents().toSorted()).toEqual([0, 1, 2, 4, 5].map((n) => withId(n)));
  });

  test.each([
    ['OVERQUOTA] Account exceeded command or bandwidth limits. [', 1],
    ['UNAVAILABLE', 1],
    ['OVERQUOTA] You have exceeded the limit of your mailbox. [', 0],
    ['LIMIT', 0],
  ])('that is refused with [%s] is sent again only where that may pass', async (code, times) => {
    server.capabilities = plain;
    let refusals = 0;
    server.refuse = () => (refusals++ === 0 ? code : undefined);
    const results = await writeAll(several(1));
    expect(codes(results)[0] === 'written').toBe(times === 1);
    expect(heard('APPEND')).toHaveLength(1 + times);
  });

  test.each([writable, plain])('that cannot be read is not written, and the next one is', async (...capabilities) => {
    server.capabilities = capabilities.flat();
    const damaged = new AppError('repository/damaged', 'It is damaged.');
    const broken = async function* () {
      yield Buffer.alloc(300_000);
      throw damaged;
    };
    const short = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(0);
      throw damaged;
    };
    const results = await writeAll([
      newMessage('x', { size: 600_000, content: broken }),
      newMessage('x', { size: 10, content: short }),
      newMessage('z'),
    ]);
    expect(results).toMatchObject([{ reason: damaged }, { reason: damaged }, { value: [] }]);
    expect(contents()).toEqual(['z']);
  });

  test.each([299_999, 300_001])('that is not as long as was said is not written (%i)', async (length) => {
    const content = async function* () {
      yield Buffer.alloc(length);
    };
    await writeAll([newMessage('', { size: 300_000, content })]);
    expect(contents()).toEqual([]);
  });

  test.each([
    ['all mailboxes', ['APPENDLIMIT=40'], undefined],
    ['this one', ['APPENDLIMIT'], '40'],
    ['none', ['APPENDLIMIT'], 'NIL'],
  ])('that is longer than the server says of %s is not sent', async (_, more, ofMailbox) => {
    server.capabilities = [...writable, ...more];
    server.mischief = ({ name, arguments: rest }, tag, socket) => {
      if (name !== 'STATUS' || !rest.includes('APPENDLIMIT')) return false;
      socket.write(`* STATUS Restored (APPENDLIMIT ${ofMailbox})\r\n${tag} OK done\r\n`);
      return true;
    };
    const results = await writeAll([newMessage('x'.repeat(41)), newMessage('x'.repeat(40))]);
    const isFree = ofMailbox === 'NIL';
    expect(codes(results)).toEqual([isFree ? 'written' : 'source/too-large', 'written']);
    if (!isFree) expect(results[0]).toMatchObject({ reason: { message: expect.stringContaining('40 bytes') } });
    expect(contents().map((one) => one.length)).toEqual(isFree ? [41, 40] : [40]);
  });
});

describe('an answer that is lost', () => {
  /** Stores what the n-th command brings, and closes the connection instead of saying so. */
  const storeAndClose = (wanted: number) => {
    let count = 0;
    const { store } = server;
    server.store = (content) => {
      for (const socket of server.sockets) if (++count === wanted) socket.destroy();
      return store(content);
    };
  };

  test.each([writable, plain])('is looked for: what was stored is not sent again', async (...capabilities) => {
    server.capabilities = capabilities.flat();
    storeAndClose(2);
    expect(codes(await writeAll(several(3)))).toEqual(['written', 'written', 'written']);
    expect(contents()).toEqual([0, 1, 2].map((n) => withId(n)));
  });

  test.each([
    ['of a second of their own', true],
    ['of one second', false],
  ])('of one of several messages with the same bytes, %s, leaves as many as there are', async (_, isAloneInSecond) => {
    server.capabilities = plain;
    for (const wanted of [1, 2, 3]) {
      server.mailboxes.clear();
      server.store = (content) => content;
      storeAndClose(wanted);
      const twins = Array.from({ length: 3 }, (_, n) =>
        newMessage('no id, the same', { receivedAt: second(isAloneInSecond ? n : 0), isAloneInSecond }),
      );
      expect(codes(await writeAll(twins))).toEqual(['written', 'written', 'written']);
      expect(contents()).toHaveLength(3);
    }
  });

  test('of which nothing was stored is sent again', async () => {
    nth(1, 'APPEND', (_, socket) => socket.destroy());
    expect(codes(await writeAll(several(3)))).toEqual(['written', 'written', 'written']);
    expect(contents()).toEqual([0, 1, 2].map((n) => withId(n)));
  });

  test('of a long message is looked for by its bytes, whatever is of its size', async () => {
    const long = (letter: string) => newMessage(Buffer.alloc(600_000, letter));
    storeAndClose(2);
    expect(codes(await writeAll([long('a'), long('b'), long('a')]))).toEqual(['written', 'written', 'written']);
    expect(contents().map(([letter]) => letter)).toEqual(['a', 'b', 'a']);
  });

  test('again and again for one message does not keep the others', async () => {
    server.refuse = ({ content }) => {
      if (content.includes('<2@')) for (const socket of server.sockets) socket.destroy();
      return content.includes('<2@') ? 'CANNOT' : undefined;
    };
    expect(codes(await writeAll(several(4)))).toEqual(['written', 'written', 'source/unavailable', 'written']);
    expect(contents()).toEqual([0, 1, 3].map((n) => withId(n)));
  });

  test('on a server with a fresh token where the one at hand has died meanwhile', async () => {
    const access = accessOf('old', 'fresh');
    server.tokens = new Set(['old']);
    nth(1, 'APPEND', (_, socket) => {
      server.tokens = new Set(['fresh']);
      socket.destroy();
    });
    await using writer = openMailWriter(server.url, { access });
    expect(codes(await write(several(2), writer))).toEqual(['written', 'written']);
    expect(access.asked.at(-1)).toEqual({ minimumSeconds: 30, refused: 'old' });
  });
});

describe('a mailbox', () => {
  test.each([
    [writable, '/', '', 'Restored &- &2D3cPAHpAOk-/INBOX/a_b'],
    [writable, '.', 'INBOX.', 'INBOX.Restored &- &2D3cPAHpAOk-.INBOX.a/b'],
    [plain, '.', '', 'Restored &- &2D3cPAHpAOk-.INBOX.a/b'],
    [writable, '', '', 'Restored &- &2D3cPAHpAOk- - INBOX - a/b'],
  ])('is named as the server has names', async (capabilities, delimiter, prefix, expected) => {
    Object.assign(server, { capabilities, delimiter, prefix });
    await using writer = openMailWriter(server.url);
    const levels = ['Restored & 🐼ǩé'.replace('ǩ', 'é').replace('🐼éé', '🐼ǩé'), 'INBOX', 'a/b'];
    await writer.makeMailbox(levels, never);
    expect([...server.mailboxes.keys()]).toHaveLength(1);
    const [path = ''] = server.mailboxes.keys();
    expect(path.replace(/&[A-Za-z0-9+,]+-/, '')).toBe(expected.replace(/&2D3cPAHpAOk-/, ''));
  });

  test('is subscribed to, so that programs show it, and is made although an answer was lost', async () => {
    for (const lost of ['CREATE', 'SUBSCRIBE']) {
      server.mailboxes.clear();
      nth(1, lost, (_, socket, { arguments: rest }) => {
        if (lost === 'CREATE') mailboxAt(server, JSON.parse(rest));
        socket.destroy();
      });
      await using writer = openMailWriter(server.url);
      expect(await writer.makeMailbox(['Restored'], never)).toBe(true);
      expect(server.mailboxes.get('Restored')?.attributes).toContain('\\Subscribed');
    }
  });

  test.each(['Restored', 'What*? %'])('that is there is left alone (%s)', async (name) => {
    server.put(name, 'mine');
    await using writer = openMailWriter(server.url);
    expect(await writer.makeMailbox([name], never)).toBe(false);
    expect(server.mailboxes.get(name)?.attributes).toEqual([]);
  });

  test.each([
    ['NO [NOPERM] You may not.', 'source/forbidden'],
    ['NO Mailbox cannot be made.', 'source/forbidden'],
    ['NO [OVERQUOTA] Full.', 'source/full'],
    ['BAD What?', 'source/malformed'],
  ])('that the server does not make (%s) is refused', async (answer, code) => {
    server.mischief = ({ name }, tag, socket) => name === 'CREATE' && socket.write(`${tag} ${answer}\r\n`);
    await using writer = openMailWriter(server.url);
    await expect(writer.makeMailbox(['Restored'], never)).rejects.toMatchObject({ code });
  });

  test('is beside the first where none can be in that', async () => {
    server.mischief = ({ name }, tag, socket) => {
      if (name === 'CREATE') queueMicrotask(() => server.mailboxes.get('Restored')?.attributes.push('\\NoInferiors'));
      return tag === '' && socket.destroyed;
    };
    await using writer = openMailWriter(server.url);
    await writer.makeMailbox(['Restored'], never);
    await write([newMessage('x')], writer, ['Restored', 'Work', 'Deep']);
    await using later = openMailWriter(server.url);
    await write([newMessage('x')], later, ['Restored', 'Work', 'Deep']);
    expect(contents('Restored - Work - Deep')).toEqual(['x']);
  });
});

describe('what is there already', () => {
  test('is not written again, however it is told', async () => {
    const messages = [
      ...several(3),
      newMessage(withId('same'), { receivedAt: second(9) }),
      newMessage(withId('same'), { receivedAt: second(9) }),
      newMessage('no id at all', { receivedAt: second(20), isAloneInSecond: true }),
      newMessage(Buffer.alloc(600_000, 'long'), { receivedAt: second(21) }),
    ];
    await writeAll(messages);
    const before = held();
    const results = await writeAll([...messages, newMessage(withId('same'), { receivedAt: second(9) })]);
    expect(codes(results)).toEqual(Array(8).fill('written'));
    expect(held()).toEqual([...before, { content: withId('same'), receivedAt: second(9), flags: [] }]);
  });

  test('is fetched only where its time and Message-ID do not tell', async () => {
    await writeAll(several(50));
    server.heard.splice(0);
    await writeAll(several(50));
    expect(heard('UID FETCH').map(({ arguments: rest }) => rest)).toEqual([
      '1:* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])',
    ]);
    expect(heard('APPEND')).toEqual([]);
  });

  test('is fetched together where only its bytes tell', async () => {
    const messages = Array.from({ length: 60 }, (_, n) => newMessage(`no id ${'x'.repeat(n % 20)} ${n}`));
    await writeAll(messages);
    server.heard.splice(0);
    await writeAll(messages);
    expect(contents()).toHaveLength(60);
    expect(heard('APPEND')).toEqual([]);
    expect(heard('UID FETCH').length).toBeLessThan(8);
  });

  test('is known by its Message-ID and time on a server that changes what it is given', async () => {
    server.store = (content) => Buffer.concat([Buffer.from('X-Scanned: yes\r\n'), content]);
    await writeAll(several(5));
    await writeAll(several(6));
    expect(contents()).toHaveLength(6);
  });

  test('is told from a draft of the same size and Message-ID, received in the same second', async () => {
    const drafts = ['teh', 'the'].map((word) => newMessage(withId('draft', word), { receivedAt: second(1) }));
    await writeAll(drafts.slice(1));
    await writeAll(drafts);
    expect(contents().toSorted()).toEqual([withId('draft', 'teh'), withId('draft', 'the')]);
  });

  test.each([writable, plain])(
    'and all else is there after a failure at any step, and once more',
    async (...given) => {
      server.capabilities = given.flat();
      const messages = [
        ...several(3),
        newMessage('twin', { receivedAt: second(30) }),
        newMessage('twin', { receivedAt: second(30) }),
        newMessage(Buffer.alloc(300_000, 'long'), { receivedAt: second(31), isAloneInSecond: true }),
      ];
      const wanted = [...[0, 1, 2].map((n) => withId(n)), 'twin', 'twin', Buffer.alloc(300_000, 'long').toString()];
      let steps = Number.POSITIVE_INFINITY;
      for (let failing = 1; failing <= steps; failing++)
        for (const when of ['before', 'after'] as const) {
          server.mailboxes.clear();
          server.heard.splice(0);
          let [count, isDown] = [0, false];
          // From then on the server is away.
          server.mischief = (_, __, socket) => {
            if (isDown || ++count < failing) return false;
            isDown = true;
            if (when === 'before') socket.destroy();
            else queueMicrotask(() => socket.destroy());
            return when === 'before';
          };
          server.greeting = '* OK ready';
          const watching = setInterval(() => {
            if (isDown) server.greeting = '* BYE away';
          }, 1);
          await writeAll(messages).catch(() => undefined);
          clearInterval(watching);
          if (!isDown) steps = failing - 1;
          server.mischief = () => false;
          server.greeting = '* OK ready';
          expect(codes(await writeAll(messages)), `${when} step ${failing}`).toEqual(Array(6).fill('written'));
          expect(contents().toSorted(), `${when} step ${failing}`).toEqual(wanted.toSorted());
        }
      expect(steps).toBeGreaterThan(5);
    },
    60_000,
  );
});

describe('a hostile server', () => {
  const each = async (messages = several(2)) => codes(await writeAll(messages));

  test('that says OK before it was sent anything is not believed', async () => {
    server.capabilities = plain;
    server.mischief = ({ name }, tag, socket) => name === 'APPEND' && socket.write(`${tag} OK stored\r\n`);
    expect(await each()).toEqual(['source/malformed', 'source/malformed']);
  });

  test('that asks for more without end is left', async () => {
    server.mischief = ({ name }, _, socket) => name === 'APPEND' && socket.write('+ more\r\n'.repeat(1_000));
    expect(await each()).toEqual(['source/malformed', 'source/malformed']);
  });

  test.each([
    ['a literal of gigabytes', '* LIST () "/" {9999999999}\r\n'],
    ['what is no IMAP', 'HTTP/1.1 200 OK\r\n'],
    ['the answer to another command', 'n999 OK stored\r\n'],
    ['a line without end', `* ${'x'.repeat(2 ** 20)}`],
  ])('that answers with %s is left', async (_, answer) => {
    server.mischief = ({ name }, __, socket) => name === 'APPEND' && socket.write(answer);
    expect(await each()).toEqual(['source/malformed', 'source/malformed']);
  });

  test('that sends answers without end is left', async () => {
    server.mischief = ({ name }, _, socket) => {
      if (name !== 'APPEND') return false;
      const more = () => {
        while (!socket.destroyed && socket.write('* 1 EXISTS\r\n'.repeat(1_000)));
      };
      socket.on('drain', more);
      more();
      return true;
    };
    expect(await each()).toEqual(['source/malformed', 'source/malformed']);
  });

  test.each([
    ['the prefix', (end: string) => `((${end} "/")) NIL NIL`],
    ['the separator of levels', (end: string) => `(("" ${end})) NIL NIL`],
  ])('that has the end of a line in %s of names is sent no line of its own making', async (_, namespaces) => {
    const literal = `{${'a\r\nn9 DELETE INBOX'.length}}\r\na\r\nn9 DELETE INBOX`;
    server.mischief = ({ name }, tag, socket) =>
      name === 'NAMESPACE' && socket.write(`* NAMESPACE ${namespaces(literal)}\r\n${tag} OK done\r\n`) !== undefined;
    await using writer = openMailWriter(server.url);
    await expect(writer.makeMailbox(['Restored', 'below'], never)).rejects.toMatchObject({ code: 'source/malformed' });
    expect(
      server.heard.map(({ name }) => name).filter((name) => !/^(AUTHENTICATE|CAPABILITY|NAMESPACE)$/.test(name)),
    ).toEqual([]);
  });

  test('that says goodbye in characters that no page shows and no database takes is quoted without them', async () => {
    server.mischief = ({ name }, _, socket) =>
      name === 'CREATE' && socket.end('* BYE go\0ne \x1b[2J away\r\n') !== undefined;
    await using writer = openMailWriter(server.url);
    const [first] = await Promise.allSettled([writer.makeMailbox(['Restored'], never)]);
    const { message } = (first as PromiseRejectedResult).reason as AppError;
    expect(message).toContain('go\\x00ne \\x1b[2J away');
  });

  test('that takes what is sent, but slowly, is left', async () => {
    const clock = manualClock('2026-11-23T01:00:00Z', { sleepAtOnce: true });
    server.mischief = ({ name }, _, socket) => {
      if (name !== 'APPEND') return false;
      socket.write('+ go on\r\n');
      socket.pause();
      return true;
    };
    await using writer = openMailWriter(server.url, { clock });
    const writing = write([newMessage(Buffer.alloc(20_000_000))], writer);
    let isDone = false;
    void writing.finally(() => (isDone = true));
    for (; !isDone; await letOthers()) await clock.advance(1_000);
    expect(codes(await writing)).toEqual(['source/too-slow']);
  });

  test('that lists more than a mailbox may have is left before anything is written', async () => {
    server.put('Restored', 'x');
    server.mischief = ({ name }, _, socket) => {
      if (name !== 'UID FETCH') return false;
      for (let n = 1; n < 200; n++) socket.write(`* ${n} FETCH (UID ${n} RFC822.SIZE 1)\r\n`);
      return true;
    };
    await using writer = openMailWriter(server.url, { limits: { members: 100 } });
    expect(codes(await write(several(1), writer))).toEqual(['source/too-large']);
    expect(heard('APPEND')).toEqual([]);
  });
});

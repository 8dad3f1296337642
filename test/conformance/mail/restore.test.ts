import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openMailTarget } from '../../../src/flows/restores/mail-target.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import type { Repository } from '../../../src/store/repository/repository.ts';
import { findPlace } from '../../../src/store/restorer/find-place.ts';
import { emptyReport } from '../../../src/store/restorer/report.ts';
import { restoreInOrder } from '../../../src/store/restorer/restore-in-order.ts';
import { archiveNight } from '../../support/fixtures/archive-night.ts';
import { newMessage, openMail, openMailWriter } from '../../support/fixtures/open-mail.ts';
import { accessOf, find, never } from '../../support/fixtures/open-source.ts';
import { newRepository } from '../../support/fixtures/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type Dovecot, dovecot, startDovecot } from '../../support/servers/dovecot.ts';
import { requireProgram } from '../../support/servers/programs.ts';

const python = requireProgram('python3', 'apt-get install python3');
const at = (minute: number) => new Date(Date.UTC(2026, 9, 1, 0, minute));
const message = (subject: string, body = 'Hello.\r\n') =>
  `From: Mum <mum@example.org>\r\nMessage-ID: <${hash('sha256', subject, 'hex').slice(0, 12)}@example.org>\r\nSubject: ${subject}\r\n\r\n${body}`;

/** What Python's imaplib finds, by mailbox: of each message a digest, its flags and the time of its receipt. */
const script = `
import hashlib, imaplib, json, re, sys
port, user, token = int(sys.argv[1]), sys.argv[2], sys.argv[3]
imaplib._MAXLINE = 10**9
m = imaplib.IMAP4('127.0.0.1', port)
m.authenticate('XOAUTH2', lambda _: ('user=%s\\x01auth=Bearer %s\\x01\\x01' % (user, token)).encode())
listed = lambda line: re.match(rb'\\(([^)]*)\\) ("."|NIL) (.*)', line).groups()
subscribed = {listed(line)[2] for line in m.lsub()[1] if line}
found = {}
for line in m.list()[1]:
    attributes, delimiter, name = listed(line)
    if b'noselect' in attributes.lower() or b'nonexistent' in attributes.lower(): continue
    status, data = m.select(name.decode(), readonly=True)
    if status != 'OK': raise SystemExit('cannot open %r: %r' % (name, data))
    messages = []
    for number in m.search(None, 'ALL')[1][0].split():
        head, body = m.fetch(number, '(FLAGS INTERNALDATE BODY.PEEK[])')[1][0]
        flags = sorted(set(f.decode() for f in imaplib.ParseFlags(head)) - {'\\\\Recent'})
        date = re.search(rb'INTERNALDATE "([^"]*)"', head).group(1).decode()
        messages.append([hashlib.sha256(body).hexdigest(), flags, date])
    found[name.decode()] = {'subscribed': name in subscribed, 'messages': sorted(messages)}
print(json.dumps(found))
`;

interface FoundMailbox {
  readonly subscribed: boolean;
  readonly messages: readonly (readonly [string, string[], string])[];
}

describe.skipIf(dovecot === undefined || python === undefined)('mail that is restored to Dovecot', () => {
  let home: TemporaryFolder;
  let server: Dovecot;
  let repository: Repository;

  /** Dovecot asks this process about the token meanwhile. */
  const runPython = async (program: string, person: string) => {
    const args = ['-c', program, String(server.port), person, `token of ${person}`];
    return (await promisify(execFile)('python3', args, { maxBuffer: 1024 ** 3 })).stdout;
  };
  const look = async (person: string): Promise<Record<string, FoundMailbox>> =>
    JSON.parse(await runPython(script, person));
  /** Backs up all mail of a person. */
  const backUp = async (person: string) => {
    await using source = openMail(server.urlOf(person), {
      clock: systemClock(),
      access: accessOf(`token of ${person}`),
    });
    return await archiveNight(repository, [source]);
  };
  /** Restores a part of it to that person, or another, as a flow does. */
  const putBack = async (tree: Awaited<ReturnType<typeof backUp>>['tree'], person: string, options: PutBack) => {
    const { path, folder, port = server.port } = options;
    const url = `imap://${person}@127.0.0.1:${port}`;
    await using writer = openMailWriter(url, { access: accessOf(`token of ${person}`) });
    const isMade = await writer.makeMailbox([folder], never);
    const report = emptyReport();
    const { type } = await findPlace(repository, { tree }, path);
    const target = openMailTarget({
      ...{ writer, repository, folder, signal: never, notes: [], snapshot: { tree } },
      asked: path.split('/'),
      isMessage: type === 'file',
      written: { files: 0, bytes: 0 },
    });
    const since = performance.now();
    await restoreInOrder(repository, { tree }, target, { path, report });
    target.end();
    return { isMade, report, ms: Math.round(performance.now() - since) };
  };
  interface PutBack {
    readonly path: string;
    readonly folder: string;
    readonly port?: number;
  }

  beforeAll(async () => {
    home = await temporaryFolder('mail');
    server = await startDovecot();
    for (const person of ['alice', 'bob', 'carol', 'dave']) server.tokens.set(`token of ${person}`, person);
    repository = await newRepository(openLocalBackend(join(home.path, 'repository')), 'pw');
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await home?.[Symbol.asyncDispose]();
  });

  const keep = (found: Record<string, FoundMailbox>) =>
    Object.fromEntries(Object.entries(found).map(([name, { messages }]) => [name, messages]));
  const below = (found: Record<string, FoundMailbox>, folder: string) =>
    Object.fromEntries(
      Object.entries(keep(found))
        .map(([name, messages]) => [name.replaceAll('"', ''), messages] as const)
        .filter(([name]) => name.startsWith(`${folder}/`))
        .map(([name, messages]) => [name.slice(folder.length + 1), messages]),
    );
  const unquoted = (found: Record<string, FoundMailbox>) =>
    Object.fromEntries(Object.entries(keep(found)).map(([name, messages]) => [name.replaceAll('"', ''), messages]));

  test('has the same bytes, flags, keywords and times, for a client that is not ours, and nothing else has changed', async () => {
    const messages = [
      ['INBOX', message('=?utf-8?q?Gr=C3=BC=C3=9Fe?='), 'S'],
      ['INBOX', message('Long', 'x'.repeat(3_000_000)), 'F'],
      ['INBOX', message('Twice'), ''],
      ['INBOX', message('Twice'), ''],
      ['INBOX', 'Subject: bare\n\nline ends\n', 'RS'],
      ['INBOX', 'Subject: raw \xc3\xa9\r\n\r\n\x01\x80\xff', ''],
      ['INBOX', '', ''],
      ['Work/Projects', message('Plan'), 'RS'],
      ['Entwürfe/日本語', message('Draft'), 'D'],
      ['Tom & Jerry', message('Deleted'), 'T'],
      ['Percent %"*\\', message('Odd'), ''],
    ] as const;
    for (const [minute, [mailbox, content, flags]] of messages.entries())
      await server.deliver('alice', mailbox, {
        content: Buffer.from(content, 'latin1'),
        receivedAt: at(minute),
        flags,
      });
    await runPython(keywordScript, 'alice');
    const before = await look('alice');
    expect(Object.values(before).flatMap((one) => one.messages)).toHaveLength(messages.length);
    const { tree, problems } = await backUp('alice');
    expect(problems).toEqual([]);
    const { isMade, report } = await putBack(tree, 'alice', { path: 'mail', folder: 'Restored one' });
    // Dovecot delivers an empty message, but takes none.
    expect(report.problems).toMatchObject([{ path: 'INBOX/2026-10-01 [7].eml', code: 'restore/not-written' }]);
    expect(isMade).toBe(true);
    const after = await look('alice');
    const taken = unquoted(before);
    taken.INBOX = (taken.INBOX ?? []).filter(([digest]) => digest !== hash('sha256', ''));
    expect(below(after, 'Restored one')).toEqual(taken);
    expect(JSON.stringify(below(after, 'Restored one'))).toContain('$Work');
    for (const [name, found] of Object.entries(before)) expect(after[name]).toEqual(found);
    for (const [name, { subscribed }] of Object.entries(after))
      if (name.includes('Restored')) expect(subscribed, name).toBe(true);
    // Once more into the same: everything is found again.
    await putBack(tree, 'alice', { path: 'mail', folder: 'Restored one' });
    expect(await look('alice')).toEqual(after);
    // And to somebody else, one mailbox, and one message.
    await putBack(tree, 'bob', { path: 'mail/Work/Projects', folder: 'Two' });
    await putBack(tree, 'bob', { path: 'mail/Work/Projects/2026-10-01 Plan [1].eml', folder: 'Three' });
    const bobs = unquoted(await look('bob'));
    const plan = unquoted(before)['Work/Projects'];
    expect(bobs).toMatchObject({ Two: [], 'Two/Projects': plan, Three: plan });
  }, 60_000);

  test('is whole, and nothing is there twice, wherever the connection breaks, once it is continued', async () => {
    for (let n = 0; n < 12; n++)
      await server.deliver('carol', n % 3 === 0 ? 'Work' : 'INBOX', {
        content: message(`Number ${n - (n % 2)}`, 'x'.repeat(n === 8 ? 400_000 : 100)),
        receivedAt: at(n % 5),
        flags: n % 2 ? 'S' : '',
      });
    const { tree } = await backUp('carol');
    const original = unquoted(await look('carol'));
    let isOver = false;
    for (let round = 0; !isOver; round++) {
      await using relay = await startRelay(server.port, { dieAfter: round });
      const folder = `Round ${round}`;
      const broken = await putBack(tree, 'carol', { path: 'mail', folder, port: relay.port }).catch(() => undefined);
      isOver = !relay.hasDied();
      if (broken === undefined || isOver || broken.report.problems.length > 0) {
        const { report } = await putBack(tree, 'carol', { path: 'mail', folder });
        expect(report.problems, folder).toEqual([]);
      }
      const restored = below(await look('carol'), folder);
      for (const name of ['INBOX', 'Work']) expect(restored[name], `${folder}, ${name}`).toEqual(original[name]);
      if (round > 200) throw new Error('It does not come to an end.');
    }
  }, 300_000);

  test.each([0, 80])(
    'of 2,000 messages goes in few round trips (latency of %i ms)',
    async (latency) => {
      if (latency === 0)
        for (let n = 0; n < 2_000; n++)
          await server.deliver('dave', 'INBOX', {
            content: message(`Number ${n}`, 'All is well.\r\n'.repeat(450)),
            receivedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, n)),
          });
      const { tree } = await backUp('dave');
      await using relay = await startRelay(server.port, { latency });
      const { port } = relay;
      const first = await putBack(tree, 'dave', { path: 'mail/INBOX', folder: `After ${latency}`, port });
      expect(first.report).toMatchObject({ files: 2_001, problems: [] });
      const again = await putBack(tree, 'dave', { path: 'mail/INBOX', folder: `After ${latency}`, port });
      const found = unquoted(await look('dave'));
      expect(found[`After ${latency}/INBOX`]).toEqual(found.INBOX);
      console.info(`2,000 messages restored at ${latency} ms: ${first.ms} ms; once more, all there: ${again.ms} ms.`);
      expect(relay.turns()).toBeLessThan(150);
    },
    120_000,
  );
});

describe.skipIf(dovecot === undefined)('mail that is restored to a Dovecot of which no mailbox holds others', () => {
  test('is in mailboxes whose names begin with that of the first, and is found again there', async () => {
    await using server = await startDovecot({ format: 'mbox' });
    server.tokens.set('good', 'alice');
    for (const _ of [1, 2]) {
      await using writer = openMailWriter(server.urlOf('alice'), { access: accessOf('good') });
      await writer.makeMailbox(['Restored'], never);
      await writer.makeMailbox(['Restored', 'Work', 'Deep'], never);
      const mailbox = await writer.openMailbox(['Restored', 'Work', 'Deep'], never);
      await mailbox.write(newMessage(message('Here'), { flags: ['\\Seen'] }), never);
    }
    await using source = openMail(server.urlOf('alice'), { clock: systemClock(), access: accessOf('good') });
    const { members } = await source.list(await find(source, 'Restored - Work - Deep'), never);
    expect(members.filter(({ name }) => name.endsWith('.eml'))).toHaveLength(1);
  }, 30_000);
});

const keywordScript = `
import imaplib, sys
m = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
m.authenticate('XOAUTH2', lambda _: ('user=%s\\x01auth=Bearer %s\\x01\\x01' % (sys.argv[2], sys.argv[3])).encode())
m.select('INBOX')
m.store('1', '+FLAGS', '($Work NonJunk)')
`;

interface Relay extends AsyncDisposable {
  readonly port: number;
  /** How often the other side spoke. */
  turns(): number;
  hasDied(): boolean;
}

/** Passes on what is sent, so many milliseconds later there and back; after so many pieces from the client, everything through it breaks and stays broken. */
async function startRelay(to: number, { latency = 0, dieAfter = Number.POSITIVE_INFINITY }): Promise<Relay> {
  let [pieces, turns] = [0, 0];
  let [isDead, lastWasClient] = [false, false];
  const later = (work: () => void) => void setTimeout(work, latency / 2);
  const listening: Server = createServer((client) => {
    if (isDead) {
      client.destroy();
      return;
    }
    const server = connect(to, '127.0.0.1');
    for (const one of [client, server]) {
      one.setNoDelay();
      one.on('error', () => undefined);
    }
    client.on('data', (bytes) => {
      if (!lastWasClient) turns++;
      lastWasClient = true;
      if (pieces++ >= dieAfter) {
        isDead = true;
        // Some of it arrives.
        server.write(bytes.subarray(0, dieAfter % 2 ? bytes.length : bytes.length / 2));
        client.destroy();
        setTimeout(() => server.destroy(), 50);
      } else later(() => server.write(bytes));
    });
    server.on('data', (bytes) => {
      lastWasClient = false;
      later(() => client.write(bytes));
    });
    client.on('close', () => setTimeout(() => server.destroy(), latency + 50));
    server.on('close', () => later(() => client.destroy()));
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    turns: () => turns,
    hasDied: () => isDead,
    [Symbol.asyncDispose]: async () => void listening.close(),
  };
}

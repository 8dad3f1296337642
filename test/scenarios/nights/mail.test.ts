import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { moveFiles } from '../../../src/flows/files/move-files.ts';
import { findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { filesOfSnapshot } from '../../support/harness/snapshot-files.ts';
import { folder } from '../../support/servers/hostile-webdav.ts';
import { type ImapServer, mailboxAt, startImapServer } from '../../support/servers/imap-server.ts';

let opened: AsyncDisposableStack;
let fixture: ConsentFixture;
let server: ImapServer;
let guest: Guest;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  fixture = opened.use(await openConsentFixture());
  server = opened.use(await startImapServer());
  server.put('INBOX', 'Subject: Hello\r\n\r\nHow are you?', { flags: ['\\Seen'] });
  server.put('INBOX', 'Subject: Again\r\n\r\nHow are you now?');
  server.put('Work/Plans', 'Subject: Plan\r\n\r\nLet us go.');
  guest = await signInAs(fixture, alice);
});
afterEach(() => opened.disposeAsync());

const mailUrl = () => `imap://{preferred_username}@127.0.0.1:${server.port}`;
const set = (settings: Partial<ConsentFixture['resources']['config']>) =>
  Object.assign(fixture.resources.config, settings);
const agree = async () => {
  fixture.custody.pass(1_000);
  await guest.consent();
  await fixture.resources.database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
};
const planOf = () => fixture.resources.database.plan.findFirstOrThrow();
const night = async () => {
  const run = await fixture.backUp((await planOf()).id);
  return { ...run, content: run.snapshotId === null ? {} : await filesIn(run.snapshotId) };
};

async function filesIn(id: string): Promise<Record<string, string>> {
  const all = await filesOfSnapshot(fixture.resources, { userId: (await planOf()).userId, id });
  return Object.fromEntries(Object.entries(all).filter(([path]) => !path.endsWith('/mailbox.json')));
}

const files = { 'files/a.txt': 'one', 'files/sub/b.txt': 'two' };
const mail = {
  'mail/INBOX/2020-02-03 Hello [1].eml': 'Subject: Hello\r\n\r\nHow are you?',
  'mail/INBOX/2020-02-03 Again [2].eml': 'Subject: Again\r\n\r\nHow are you now?',
  'mail/Work/Plans/2020-02-03 Plan [1].eml': 'Subject: Plan\r\n\r\nLet us go.',
};

test('consent to files alone lets no mail be read, until the person has read that it is and agreed', async () => {
  await agree();
  set({ mailUrl: mailUrl() });
  expect((await night()).content).toEqual(files);
  expect(server.heard).toEqual([]);
  const offered = await guest.text('/');
  for (const words of [texts.home.more.what(['mail']), texts.home.more.how]) expect(offered).toContain(words);
  const inGerman = await guest.send('/', { headers: { 'accept-language': 'de' } });
  expect(await inGerman.text()).toContain(german.home.more.what(['mail']));
  const own = `imap://alice@127.0.0.1:${server.port}`;
  expect(await guest.text('/consent')).toContain(`, and your mail at ${own}. They are only read`);
  await agree();
  expect((await planOf()).sources).toEqual([
    { kind: 'webdav', name: 'files', url: fixture.files.url },
    { kind: 'imap', name: 'mail', url: mailUrl() },
  ]);
  expect(await findBrokenRows(fixture.resources)).toEqual([]);
  expect(await night()).toMatchObject({ state: 'succeeded', content: { ...files, ...mail } });
  const home = await guest.text('/');
  expect(home).not.toContain(texts.home.more.how);
  expect(home).toContain(`${texts.holding.mail}: ${own}`);
  expect(await guest.text('/grant')).toContain(texts.grant.since.nothing);
  expect(server.shown.every((one) => one.startsWith('n,a=alice,\x01'))).toBe(true);
});

describe('nights', () => {
  beforeEach(async () => {
    set({ mailUrl: mailUrl() });
    await agree();
    expect(await night()).toMatchObject({ state: 'succeeded', content: { ...files, ...mail } });
  });

  test('in which nothing changed fetch nothing but the sample that is read again each night', async () => {
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', counts: { entriesRead: 0, filesNew: 0, filesChanged: 0 } });
    expect(run.content).toEqual({ ...files, ...mail });
  });

  test('read what is new, keep flags, and let go of what was deleted', async () => {
    server.put('INBOX', 'Subject: New\r\n\r\n!');
    server.expunge('INBOX', 2);
    server.flag('Work/Plans', 1, ['\\Answered']);
    const run = await night();
    // The messages, and the records of the mailboxes.
    expect(run).toMatchObject({ state: 'succeeded', counts: { filesNew: 1, filesChanged: 2, entriesGone: 1 } });
    const { 'mail/INBOX/2020-02-03 Again [2].eml': _, ...left } = mail;
    expect(run.content).toEqual({ ...files, ...left, 'mail/INBOX/2020-02-03 New [3].eml': 'Subject: New\r\n\r\n!' });
  });

  test('say that all mail is gone, however little it was, though its mailboxes and all else are there', async () => {
    for (const mailbox of server.mailboxes.values()) {
      mailbox.messages.length = 0;
      mailbox.modSeq++;
    }
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: 'loss', content: files });
    expect(await guest.text('/')).toContain(texts.protection.nights.great_loss.happened);
  });

  test('take nothing for lost that was moved to another mailbox, or that the server numbers anew', async () => {
    for (let n = 0; n < 30; n++) server.put('Projects', `Subject: ${n}\r\n\r\nMinutes of ${n}.`);
    await night();
    const projects = mailboxAt(server, 'Projects');
    for (const { content } of projects.messages.splice(0, 20)) server.put('Archive', content);
    projects.modSeq++;
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, counts: { entriesGone: 20, filesNew: 21 } });
    for (const mailbox of server.mailboxes.values()) mailbox.uidValidity++;
    const { messages } = mailboxAt(server, 'Archive');
    for (const [at, message] of messages.entries()) messages[at] = { ...message, uid: 100 + at };
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, counts: { entriesGone: 20, filesNew: 20 } });
    expect(await guest.text('/')).toContain(texts.home.protected);
  });

  test('name mailboxes that are gone beside larger ones, however deep, but none that was in the trash or moved', async () => {
    const put = (mailbox: string, count: number) => {
      for (let n = 0; n < count; n++) server.put(mailbox, `Subject: ${n}\r\n\r\n${mailbox} ${n}.`);
    };
    for (const [mailbox, count] of [
      ['INBOX', 100],
      ['INBOX/Team', 21],
      ['Trash/Old', 30],
      ['Work/Done', 25],
    ] as const)
      put(mailbox, count);
    mailboxAt(server, 'Trash').attributes = ['\\Trash'];
    await night();
    server.mailboxes.delete('INBOX/Team');
    server.mailboxes.delete('Trash/Old');
    server.mailboxes.set('Archive', mailboxAt(server, 'Work/Done'));
    server.mailboxes.delete('Work/Done');
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', alarm: 'loss' });
    expect(run.goneFolders).toEqual([{ path: 'mail/INBOX/Team', entries: 21 }]);
    const page = await guest.text('/');
    expect(page).toContain('<bdi>Mail</bdi> / <bdi>INBOX</bdi> / <bdi>Team</bdi> (21 entries)');
    mailboxAt(server, 'Archive').messages.length = 0;
    mailboxAt(server, 'Archive').modSeq++;
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, goneFolders: null });
  });

  test('try again while the mail server does not answer, and then go on without it: its copies are kept', async () => {
    fixture.files.root.children?.set('new.txt', { content: Buffer.from('new'), modified: new Date(0) });
    server.greeting = '* BYE [UNAVAILABLE] Later.';
    const runId = await requestRun(fixture.resources, { planId: (await planOf()).id, trigger: 'person' });
    for (const attempt of [1, 2]) {
      expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', attempt, errorCode: 'source/unavailable' });
      fixture.custody.pass(600_000);
    }
    const run = await fixture.workOn(runId);
    expect(run).toMatchObject({ state: 'partial', problemCount: 1 });
    expect(run.problems).toMatchObject([{ path: 'mail/', code: 'source/unavailable', kept: true }]);
    expect(await filesIn(run.snapshotId ?? '')).toEqual({ ...files, ...mail, 'files/new.txt': 'new' });
    server.greeting = '* OK ready';
    expect(await night()).toMatchObject({ state: 'succeeded' });
  });

  test('go on at once with all else for somebody who has no mailbox there', async () => {
    fixture.files.root.children?.set('new.txt', { content: Buffer.from('new'), modified: new Date(0) });
    server.tokens = new Set();
    const since = server.shown.length;
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/unauthorized', problemCount: 1 });
    expect(run.content).toEqual({ ...files, ...mail, 'files/new.txt': 'new' });
    // The token at hand, and a fresh one.
    const shown = server.shown.slice(since);
    expect([shown.length, new Set(shown).size]).toEqual([2, 2]);
  });

  test('keep the mail of before where the server of files is away', async () => {
    fixture.files.root.children?.set('sub', folder());
    fixture.files.mischief = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    server.put('INBOX', 'Subject: New\r\n\r\n!');
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/not-found' });
    expect(run.content).toEqual({ ...files, ...mail, 'mail/INBOX/2020-02-03 New [3].eml': 'Subject: New\r\n\r\n!' });
  });

  test('send no token to a mail server that the settings do not name, and go on with all else', async () => {
    set({ mailUrl: mailUrl().replace('127.0.0.1', 'localhost') });
    const before = server.heard.length;
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/foreign-origin' });
    expect(run.content).toEqual({ ...files, ...mail });
    expect(server.heard.slice(before)).toEqual([]);
  });

  test('go on there where the operator lets them by FILES_ORIGINS', async () => {
    set({ mailUrl: 'imaps://{preferred_username}@mail.example', filesOrigins: [`imap://127.0.0.1:${server.port}`] });
    expect(await night()).toMatchObject({ state: 'succeeded' });
  });

  test('follow mail to another address by the word of the operator, of which the person is told', async () => {
    const elsewhere = mailUrl().replace('127.0.0.1', 'localhost');
    set({ mailUrl: elsewhere });
    const move = { from: mailUrl(), to: elsewhere, dryRun: false, by: 'command:op@here' };
    expect((await Array.fromAsync(moveFiles(fixture.resources, move))).flat()).toMatchObject([
      { to: elsewhere.replace('{preferred_username}', 'alice') },
    ]);
    expect(await guest.text('/')).toContain('that your emails, unchanged, are now at another address');
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { filesNew: 0, filesChanged: 0 } });
  });

  test('are partial where the server lists fewer messages than it says there are, and let go of none of them', async () => {
    server.put('INBOX', 'Subject: New\r\n\r\n!');
    server.mischief = (command, tag, socket) => {
      if (command.name !== 'UID FETCH' || !command.arguments.startsWith('1:*') || command.opened !== 'INBOX')
        return false;
      return socket.write(`* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 30)\r\n${tag} NO Some could not be fetched.\r\n`);
    };
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/malformed', counts: { entriesGone: 0 } });
    expect(run.problems).toMatchObject([
      {
        path: 'mail/INBOX',
        message: 'The mail server says that there are 3 messages in this mailbox, and lists 1.',
        kept: false,
      },
      { path: 'mail/INBOX/2020-02-03 Again [2].eml', kept: true },
      { path: 'mail/INBOX/2020-02-03 Hello [1].eml', kept: true },
    ]);
    expect(run.content).toMatchObject(mail);
    server.mischief = () => false;
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { filesNew: 1 } });
  });

  test('keep all mail where the server lists no mailbox, and what it does not list where it leaves out the inbox', async () => {
    const listing =
      (list: string): ImapServer['mischief'] =>
      (command, tag, socket) =>
        /^(LIST|LSUB)$/.test(command.name) && socket.write(`${list}${tag} OK done\r\n`);
    server.mischief = listing('');
    const without = await night();
    expect(without).toMatchObject({ state: 'partial', problems: [{ path: 'mail/', kept: true }] });
    expect(without.content).toEqual({ ...files, ...mail });
    server.mischief = listing('* LIST () "/" Work/Plans\r\n');
    const some = await night();
    expect(some).toMatchObject({ state: 'partial', problems: [{ path: 'mail/INBOX', kept: true }] });
    expect(some.content).toEqual({ ...files, ...mail });
    server.mischief = () => false;
    expect(await night()).toMatchObject({ state: 'succeeded', counts: { entriesGone: 0 } });
  });

  test('let go of nothing where a mailbox is opened as if it were empty, or listed as if there were none', async () => {
    mailboxAt(server, 'INBOX').modSeq++;
    mailboxAt(server, 'INBOX').exists = '* 0 EXISTS';
    server.mischief = ({ name }, tag, socket) =>
      name === 'LIST' &&
      socket.write(`* LIST () "/" INBOX\r\n* LIST (\\Noselect) "/" Work/Plans\r\n${tag} OK done\r\n`);
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', counts: { entriesGone: 0 }, content: { ...files, ...mail } });
  });

  test('keep a mailbox that cannot be opened, and are whole again when it can', async () => {
    mailboxAt(server, 'INBOX').modSeq++;
    server.mischief = (command, tag, socket) => {
      if (command.name !== 'EXAMINE' || !command.arguments.includes('INBOX')) return false;
      return socket.write(`${tag} NO [NOPERM] Not for you.\r\n`);
    };
    const run = await night();
    expect(run).toMatchObject({
      state: 'partial',
      problems: [{ path: 'mail/INBOX', code: 'source/forbidden', kept: true }],
    });
    expect(run.content).toEqual({ ...files, ...mail });
    server.mischief = () => false;
    expect(await night()).toMatchObject({ state: 'succeeded' });
  });
});

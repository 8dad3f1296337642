import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { findRepository } from '../../../src/database/repositories/repositories.ts';
import { saveAgreedRule } from '../../../src/database/repositories/retention.ts';
import { dayMs } from '../../../src/durations.ts';
import { findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { requestRun } from '../../../src/flows/nights/request-run.ts';
import { raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import { forgetSnapshots } from '../../../src/flows/retention/forget-snapshots.ts';
import { agreedRuleSealing, openPassword } from '../../../src/vault/row-seals.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { temporaryFolder } from '../../support/fixtures/temporary-folder.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { file } from '../../support/servers/hostile-webdav.ts';
import { type ImapServer, startImapServer } from '../../support/servers/imap-server.ts';
import { restic, resticProgram } from '../../support/servers/restic.ts';
import { decoded, startSmtp } from '../../support/servers/smtp.ts';

/** So many that a great loss would be told of if they were gone from a source that is backed up. */
const messages = 300;

let opened: AsyncDisposableStack;
let fixture: ConsentFixture;
let server: ImapServer;
let guest: Guest;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  fixture = opened.use(await openConsentFixture());
  server = opened.use(await startImapServer());
  for (let number = 1; number <= messages; number += 1)
    server.put('INBOX', `Subject: Number ${number}\r\n\r\nHow are you?`);
  Object.assign(fixture.resources.config, { mailUrl: `imap://{preferred_username}@127.0.0.1:${server.port}` });
  guest = await signInAs(fixture, alice);
  await guest.consent();
  await fixture.resources.database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
});
afterEach(() => opened.disposeAsync());

const planOf = () => fixture.resources.database.plan.findFirstOrThrow();
const choose = async (...source: string[]) => {
  fixture.custody.pass(1_000);
  guest = await signInAs(fixture, alice);
  const answer = await guest.post('/settings/sources', { source });
  expect(answer.headers.get('location')).toBe('/settings?told=sources');
};
const night = async () => {
  fixture.custody.pass(dayMs);
  return fixture.backUp((await planOf()).id);
};
/** As a worker that is there has left it: the next night is still to come. */
const settled = async () => {
  const nextDueAt = new Date(fixture.resources.clock.now().getTime() + dayMs / 2);
  await fixture.resources.database.plan.updateMany({ data: { nextDueAt } });
};
const protection = async () => {
  await settled();
  return findProtection(fixture.resources, (await planOf()).userId);
};
const home = async () => {
  await settled();
  return (await signInAs(fixture, alice)).text('/');
};

/** Stock restic finds nothing wrong, and restores of each of these snapshots these tops, and so many messages. */
async function judgedByRestic(
  snapshots: readonly { id: string | null; tops: string[]; mail: number }[],
): Promise<void> {
  const { database, keyring } = fixture.resources;
  const { userId } = await planOf();
  const row = await findRepository(database, userId);
  if (row === null) throw new Error('There is no repository.');
  const { location: repository } = await openPersonRepository(fixture.resources, userId);
  const stock = { repository, password: openPassword(keyring, row) };
  expect(await restic(stock, 'check', '--read-data')).toContain('no errors were found');
  for (const { id, tops, mail } of snapshots) {
    await using target = await temporaryFolder('restored');
    await restic(stock, 'restore', id ?? '', '--target', target.path);
    expect((await readdir(target.path)).toSorted()).toEqual(tops);
    if (tops.includes('files')) expect(await readFile(join(target.path, 'files', 'a.txt'), 'utf8')).toBe('one');
    const found = mail === 0 ? [] : await readdir(join(target.path, 'mail', 'INBOX'));
    expect(found.filter((name) => name.endsWith('.eml'))).toHaveLength(mail);
  }
}

describe('what somebody leaves out', () => {
  test.skipIf(resticProgram === undefined)(
    'is in the snapshots that have it and in no new one, is not missing, and comes back when it is chosen again',
    async () => {
      const whole = await night();
      expect(whole).toMatchObject({ state: 'succeeded', counts: { entries: messages + 3 } });
      await choose('files');
      const asked = server.heard.length;
      const without = await night();
      expect(without).toMatchObject({ state: 'succeeded', problemCount: 0, alarm: null, counts: { entriesGone: 0 } });
      expect(server.heard.slice(asked)).toEqual([]);
      expect(await protection()).toMatchObject({ verdict: 'protected', reason: 'complete' });
      const page = await home();
      expect(page).toContain(texts.home.protected);
      for (const words of [
        texts.holding.notOffered,
        texts.protection.nights.great_loss.happened,
        texts.run.refused(['mail']),
      ])
        expect(page).not.toContain(words);
      // A night more, of which the snapshot before has no mail either.
      const again = await night();
      expect(again).toMatchObject({ state: 'succeeded', alarm: null, counts: { entriesRead: 0 } });
      await choose('files', 'mail');
      const back = await night();
      expect(back).toMatchObject({ state: 'succeeded', problemCount: 0, alarm: null });
      // All is read as if for the first time, and what was kept of it takes no more room.
      expect(back.counts).toMatchObject({ filesNew: messages + 1, entriesUnchanged: 2 });
      const added = (run: typeof back) => Number((run.counts as { dataAdded: number }).dataAdded);
      expect(added(back)).toBeLessThan(added(whole) / 20);
      expect(await findBrokenRows(fixture.resources)).toEqual([]);
      await judgedByRestic([
        { id: whole.snapshotId, tops: ['files', 'mail'], mail: messages },
        { id: without.snapshotId, tops: ['files'], mail: 0 },
        { id: again.snapshotId, tops: ['files'], mail: 0 },
        { id: back.snapshotId, tops: ['files', 'mail'], mail: messages },
      ]);
    },
    240_000,
  );

  test.skipIf(resticProgram === undefined)('may be the files', async () => {
    const whole = await night();
    await choose('mail');
    const run = await night();
    expect(run).toMatchObject({ state: 'succeeded', alarm: null, host: `127.0.0.1:${server.port}` });
    await judgedByRestic([
      { id: whole.snapshotId, tops: ['files', 'mail'], mail: messages },
      { id: run.snapshotId, tops: ['mail'], mail: messages },
    ]);
  });

  test('goes with the snapshots that hold it, by the rule for these', async () => {
    const whole = await night();
    await choose('files');
    await night();
    const newest = await night();
    const { id, userId } = await planOf();
    const { clock, database, keyring } = fixture.resources;
    const agreed = { planId: id, rule: { last: 1 }, sealing: agreedRuleSealing(keyring), at: clock.now() };
    await saveAgreedRule(database, agreed);
    const { signal } = new AbortController();
    await forgetSnapshots(fixture.resources, { userId, by: 'schedule', signal });
    const runs = await fixture.resources.database.run.findMany({ where: { snapshotForgottenAt: { not: null } } });
    expect(runs.map(({ snapshotId }) => snapshotId)).toContain(whole.snapshotId);
    expect(runs.map(({ snapshotId }) => snapshotId)).not.toContain(newest.snapshotId);
  });

  test.each([
    ['files', { entries: 7, entriesResumed: 7, filesNew: 7 }, messages + 1],
    ['mail', { entries: messages + 1, filesNew: messages + 1 }, 7],
  ])(
    'is passed over by a run that was interrupted before, also where its checkpoint holds it: left are %s',
    async (left, counts, later) => {
      for (let number = 0; number < 5; number += 1)
        fixture.files.root.children?.set(`new ${number}.txt`, file(`new ${number}`));
      server.greeting = '* BYE [UNAVAILABLE] Later.';
      const runId = await requestRun(fixture.resources, { planId: (await planOf()).id, trigger: 'person' });
      expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', errorCode: 'source/unavailable' });
      const { checkpoint } = await fixture.resources.database.repository.findFirstOrThrow();
      expect(checkpoint).not.toBeNull();
      await choose(left);
      if (left === 'mail') server.greeting = '* OK ready';
      fixture.custody.pass(600_000);
      expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', alarm: null, problemCount: 0, counts });
      server.greeting = '* OK ready';
      await choose('files', 'mail');
      expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, counts: { filesNew: later } });
    },
  );

  test('and chosen again between two tries is read by the second', async () => {
    await night();
    await choose('files');
    await night();
    fixture.files.mischief = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    fixture.custody.pass(dayMs);
    const runId = await requestRun(fixture.resources, { planId: (await planOf()).id, trigger: 'person' });
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued' });
    await choose('files', 'mail');
    fixture.files.mischief = () => false;
    fixture.custody.pass(600_000);
    const counts = { filesNew: messages + 1 };
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', alarm: null, counts });
  });

  test('a run that has begun finishes as it began', async () => {
    await night();
    fixture.custody.pass(dayMs);
    const runId = await requestRun(fixture.resources, { planId: (await planOf()).id, trigger: 'person' });
    let chosen: Promise<void> | undefined;
    server.mischief = () => {
      chosen ??= choose('files');
      return undefined;
    };
    const run = await fixture.workOn(runId);
    await chosen;
    expect(run).toMatchObject({ state: 'succeeded', alarm: null, counts: { entries: messages + 3 } });
    server.mischief = () => undefined;
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: null, counts: { entries: 2 } });
  });

  test('that loses much of what is still chosen is told of as ever', async () => {
    for (let number = 0; number < 100; number += 1)
      fixture.files.root.children?.set(`${number}.txt`, file(`number ${number}`));
    await night();
    await choose('files');
    fixture.files.root.children?.clear();
    fixture.files.root.children?.set('a.txt', file('one'));
    expect(await night()).toMatchObject({ state: 'succeeded', alarm: 'loss' });
  });
});

describe('somebody without a mailbox there', () => {
  const words = texts.run.refused(['mail']);
  beforeEach(async () => {
    const smtp = opened.use(await startSmtp({}));
    Object.assign(fixture.resources.config, { mail: { url: smtp.url, from: 'Nightkeep <nightkeep@example.org>' } });
    mails = smtp.mails;
    server.tokens = new Set();
  });
  let mails: Awaited<ReturnType<typeof startSmtp>>['mails'];

  test('reads on the run, on home and by mail what to untick, and is protected without it', async () => {
    const run = await night();
    expect(run).toMatchObject({ state: 'partial', errorCode: 'source/unauthorized' });
    guest = await signInAs(fixture, alice);
    for (const path of ['/', `/runs/${run.id}`]) {
      const page = await guest.text(path);
      expect(page).toContain(words);
      expect(page).toContain('href="/settings#sources"');
      const inGerman = await guest.send(path, { headers: { 'accept-language': 'de' } });
      expect(await inGerman.text()).toContain(german.run.refused(['mail']));
    }
    // All of the mail is not one entry.
    const page = await guest.text('/');
    for (const said of [texts.home.partly, texts.holding.unreadRoots('emails')]) expect(page).toContain(said);
    for (const said of [texts.home.butFor(1), texts.holding.unread(0, 1)]) expect(page).not.toContain(said);
    await raiseNotices(fixture.resources);
    expect(await sendNotices(fixture.resources)).toBe(1);
    expect(mails.map(({ text }) => decoded(text).replace(/\s+/g, ' '))).toEqual([expect.stringContaining(words)]);
    await choose('files');
    // What was chosen meanwhile is not asked for again, also beside the run that had it.
    for (const path of ['/', `/runs/${run.id}`]) expect(await guest.text(path)).not.toContain(words);
    const without = await guest.text('/');
    expect(without).toContain(texts.home.leftOutNow('emails'));
    expect(without).not.toContain(texts.holding.unreadRoots('emails'));
    expect(without).not.toContain(texts.protection.nights.unreadable.happened);
    expect(await night()).toMatchObject({ state: 'succeeded' });
    expect(await protection()).toMatchObject({ verdict: 'protected', reason: 'complete' });
    expect(await home()).toContain(texts.home.protected);
  });

  test('is not told so where only a mailbox of theirs is refused, nor where the server is away', async () => {
    server.tokens = undefined;
    server.mischief = (command, tag, socket) => {
      if (command.name !== 'EXAMINE' || !command.arguments.includes('Other')) return false;
      return socket.write(`${tag} NO [NOPERM] Not for you.\r\n`);
    };
    server.put('Other', 'Subject: Hello\r\n\r\n!');
    const refused = await night();
    expect(refused).toMatchObject({ state: 'partial', problems: [{ path: 'mail/Other', code: 'source/forbidden' }] });
    server.greeting = '* BYE [UNAVAILABLE] Later.';
    fixture.custody.pass(dayMs);
    const runId = await requestRun(fixture.resources, { planId: (await planOf()).id, trigger: 'person' });
    for (let tries = 0; tries < 3; tries += 1) {
      await fixture.workOn(runId);
      fixture.custody.pass(600_000);
    }
    const run = await fixture.resources.database.run.findUniqueOrThrow({ where: { id: runId } });
    expect(run).toMatchObject({ state: 'partial', problems: [{ path: 'mail/', code: 'source/unavailable' }] });
    guest = await signInAs(fixture, alice);
    for (const path of ['/', `/runs/${refused.id}`, `/runs/${run.id}`])
      expect(await guest.text(path)).not.toContain(words);
  });
});

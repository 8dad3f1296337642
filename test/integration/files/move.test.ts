import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { countPlansByAddress } from '../../../src/database/nights/files-moves.ts';
import { checkFiles } from '../../../src/doctor/checks/files.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { moveFiles } from '../../../src/flows/files/move-files.ts';
import { findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { refusalOf } from '../../support/fixtures/outcomes.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { decoded, startSmtp } from '../../support/servers/smtp.ts';

let opened: AsyncDisposableStack;
let fixture: ConsentFixture;
/** The address that people agreed to, and the one that the same server has besides. */
let old: string;
let fresh: string;
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  fixture = opened.use(await openConsentFixture());
  old = fixture.resources.config.filesUrl;
  fresh = old.replace('127.0.0.1', 'localhost');
});
afterEach(() => opened.disposeAsync());

const set = (settings: Partial<ConsentFixture['resources']['config']>) =>
  Object.assign(fixture.resources.config, settings);
const move = async (change: { from?: string; to?: string; dryRun?: boolean } = {}) => {
  const given = { from: old, to: fresh, dryRun: false, by: 'command:op@here', ...change };
  return (await Array.fromAsync(moveFiles(fixture.resources, given))).flat();
};
const addresses = () => countPlansByAddress(fixture.resources.database, { living: false });

describe('the same files at another address', () => {
  test('are fetched there once the operator states it: people keep plan, snapshots and record, and nothing is fetched again', async () => {
    const { plan } = await fixture.consent(alice);
    await fixture.consent(bob);
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
    const { database } = fixture.resources;
    const before = await database.consent.findMany();
    set({ filesUrl: fresh });
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'failed', errorCode: 'source/foreign-origin' });
    const dry = await move({ dryRun: true });
    expect(dry).toMatchObject([
      { from: old, to: fresh },
      { from: old, to: fresh },
    ]);
    expect(dry.map(({ username }) => username).toSorted()).toEqual(['alice', 'bob']);
    expect(await addresses()).toEqual([{ name: 'files', address: old, people: 2 }]);
    expect(await move()).toEqual(dry);
    expect(await addresses()).toEqual([{ name: 'files', address: fresh, people: 2 }]);
    expect(await findBrokenRows(fixture.resources)).toEqual([]);
    const run = await fixture.backUp(plan.id);
    expect(run).toMatchObject({ state: 'succeeded', alarm: null, counts: { bytesRead: expect.any(Number) } });
    expect(run.counts).toMatchObject({ filesNew: 0, filesChanged: 0 });
    expect(await database.consent.findMany()).toEqual(before);
    expect(await database.event.findMany({ where: { reason: 'files moved' } })).toMatchObject(
      Array(2).fill({ subjectKind: 'plan', from: old, to: fresh, by: 'command:op@here' }),
    );
    expect(await database.audit.findMany({ where: { act: 'files-moved' } })).toMatchObject(
      Array(2).fill({ userId: expect.any(String), about: `${old} ${fresh}` }),
    );
    expect((await refusalOf(move()))?.message).toContain(`Everybody's are at ${fresh}.`);
  });

  test('are told of by mail, but not to somebody who has withdrawn, from whom nothing is fetched', async () => {
    set({ mail: { url: 'smtp://127.0.0.1:1', from: 'nk@nightkeep.example' } });
    const [one, other] = [await fixture.consent(alice), await fixture.consent(bob)];
    await withdrawConsent(fixture.resources, { grantId: other.grant.id, by: 'user' });
    set({ filesUrl: fresh });
    expect(await move()).toHaveLength(2);
    expect(await fixture.resources.database.notice.findMany()).toMatchObject([{ userId: one.user.id }]);
    expect(await addresses()).toEqual([{ name: 'files', address: fresh, people: 2 }]);
  });

  test('are shown on the page until the person agrees to the new address, and the record shows both', async () => {
    const guest = await signInAs(fixture, alice);
    await guest.consent();
    set({ filesUrl: fresh });
    await move();
    const told = texts.home.filesMovedAgree;
    expect(await guest.text('/')).toContain(told);
    expect(await guest.text('/')).toContain(fresh);
    const record = await guest.text('/grant');
    expect(record).toContain(texts.grant.since.files(old, fresh));
    expect(await (await guest.send('/', { headers: { 'accept-language': 'de' } })).text()).toContain(
      german.home.filesMovedAgree,
    );
    fixture.custody.pass(1_000);
    await guest.consent();
    expect(await guest.text('/')).not.toContain(told);
    expect(await guest.text('/grant')).not.toContain(texts.grant.since.files(old, fresh));
  });

  test('are reported by mail, whichever other mails the person does not want', async () => {
    const smtp = opened.use(await startSmtp({}));
    set({ mail: { url: smtp.url, from: 'Nightkeep <nightkeep@example.org>' } });
    const { user } = await fixture.consent(alice);
    const { database } = fixture.resources;
    await database.user.update({ where: { id: user.id }, data: { mutedMails: ['trouble', 'consent-ends'] } });
    set({ filesUrl: fresh });
    await move({ dryRun: true });
    expect(await database.notice.count()).toBe(0);
    await move();
    expect(await sendNotices(fixture.resources)).toBe(1);
    const [mail] = smtp.mails.map(({ text }) => decoded(text));
    expect(mail).toContain(texts.notices.filesMoved.subject('files'));
    expect(mail?.replace(/\s+/g, ' ')).toContain(texts.notices.filesMoved.happened('files', old, fresh));
  });

  test.each([
    ['NEW is not FILES_URL', () => ({ to: 'https://elsewhere.example/' }), 'usage/invalid', 'FILES_URL is'],
    ['both are the same', () => ({ from: fresh }), 'usage/invalid', 'the same address'],
    [
      'nobody has files at OLD',
      () => ({ from: 'https://nobody.example/' }),
      'request/not-found',
      'There are files at:',
    ],
  ])('are not moved where %s', async (_, change, code, words) => {
    await fixture.consent(alice);
    set({ filesUrl: fresh });
    const error = await refusalOf(move(change()));
    expect([error?.code, error?.message]).toEqual([code, expect.stringContaining(words)]);
    expect(await addresses()).toEqual([{ name: 'files', address: old, people: 1 }]);
  });

  test('stay where they are for whom the new address cannot be written, and for whose row was altered; the others are moved', async () => {
    await fixture.consent(alice);
    const { user } = await fixture.consent(bob);
    const { database } = fixture.resources;
    await database.plan.updateMany({ where: { userId: user.id }, data: { seal: null } });
    const wanting = `${fresh}{shoe_size}/`;
    set({ filesUrl: wanting });
    const moved = await move({ to: wanting });
    expect(moved.map(({ username, problem }) => [username, problem]).toSorted()).toEqual([
      ['alice', expect.stringContaining('needs the claim "shoe_size"')],
      ['bob', expect.stringContaining('names other addresses than Nightkeep wrote there')],
    ]);
    expect(await addresses()).toEqual([{ name: 'files', address: old, people: 2 }]);
    set({ filesUrl: fresh });
    expect((await move()).filter(({ problem }) => problem === undefined)).toMatchObject([{ username: 'alice' }]);
    expect((await addresses()).map(({ address }) => address).toSorted()).toEqual([old, fresh].toSorted());
  });
});

describe('an address that the settings do not name any more', () => {
  test('is what nobody is asked to agree to: who agrees anew agrees to FILES_URL, and their nights go on there', async () => {
    const guest = await signInAs(fixture, alice);
    await guest.consent();
    const plan = await fixture.resources.database.plan.findFirstOrThrow();
    set({ filesUrl: fresh });
    await fixture.resources.database.run.updateMany({ data: { state: 'cancelled' } });
    expect(await fixture.backUp(plan.id)).toMatchObject({ errorCode: 'source/foreign-origin' });
    expect(await guest.text('/')).toContain(texts.protection.nights.address_refused.act);
    expect(await guest.text('/consent')).toContain(fresh);
    expect(await guest.text('/consent')).not.toContain(old);
    fixture.custody.pass(1_000);
    await guest.consent();
    expect(await addresses()).toEqual([{ name: 'files', address: fresh, people: 1 }]);
    expect(await guest.text('/grant')).toContain(fresh);
    await fixture.resources.database.run.updateMany({ data: { state: 'cancelled' } });
    expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  });

  test('stays where FILES_ORIGINS names its server', async () => {
    const guest = await signInAs(fixture, alice);
    await guest.consent();
    set({ filesUrl: fresh, filesOrigins: [new URL(old).origin] });
    expect(await guest.text('/consent')).toContain(old);
    fixture.custody.pass(1_000);
    await guest.consent();
    expect(await addresses()).toEqual([{ name: 'files', address: old, people: 1 }]);
  });
});

test.each([
  [[['calendars', 'https://cal.example/', 2]], /^ok: Everybody’s are at FILES_URL, CALENDARS_URL\. /],
  [
    [['calendars', 'https://old.example/', 2]],
    /^wrong: The calendars of 2 people are at .*: neither CALENDARS_URL nor .*If the same calendars are at CALENDARS_URL now: nightkeep files move 'https:\/\/old.example\/' 'https:\/\/cal.example\/'/,
  ],
  [
    [['contacts', 'https://cal.example/', 2]],
    /^warn: The contacts of 2 people are at .*, and CONTACTS_URL is not set: they go on/,
  ],
  [
    [['contacts', 'https://old.example/', 2]],
    /^wrong: The contacts of 2 people .*FILES_ORIGINS=https:\/\/old.example\. Otherwise .* without contacts/,
  ],
  [
    [
      ['calendars', 'https://new.example/cal/', 1],
      ['files', 'https://gone.example/', 1],
    ],
    /^wrong: The files of 1 person/,
  ],
  [
    [['calendars', 'https://kept.example/cal/', 1]],
    /^ok: The calendars of 1 person are at .*, as FILES_ORIGINS lets them/,
  ],
] satisfies [[string, string, number][], RegExp][])(
  'the doctor sees whose calendars and contacts are elsewhere: %j',
  (counts, words) => {
    const named = {
      filesUrl: 'https://new.example/dav/{sub}/',
      calendarsUrl: 'https://cal.example/',
      filesOrigins: ['https://kept.example'],
    };
    const inUse = counts.map(([name, address, people]) => ({ name, address, people }));
    const { state, finding, cure } = checkFiles(inUse, named);
    expect(`${state}: ${finding} ${cure}`).toMatch(words);
  },
);

test.each([
  [[], /^ok: Everybody’s/],
  [[['https://new.example/dav/{sub}/', 3]], /^ok: Everybody’s/],
  [
    [['https://kept.example/{sub}/', 2]],
    /^ok: The files of 2 people are at https:\/\/kept.example\/{sub}\/, as FILES_ORIGINS lets/,
  ],
  [
    [
      ['https://new.example/dav/{sub}/', 3],
      ['https://old.example/dav/{sub}/', 12],
    ],
    /^wrong: The files of 12 people are at https:\/\/old.example\/dav\/{sub}\/: neither.* nightkeep files move 'https:\/\/old.example\/dav\/{sub}\/' 'https:\/\/new.example\/dav\/{sub}\/' --dry-run.*FILES_ORIGINS=https:\/\/old.example\. Otherwise ask/,
  ],
  [
    [['https://new.example/webdav/', 1]],
    /^warn: The files of 1 person are at .*webdav\/, which is not.*files move 'https:\/\/new.example\/webdav\/'/,
  ],
  [[['no address', 1]], /^wrong/],
] satisfies [[string, number][], RegExp][])('the doctor sees whose files are elsewhere: %j', (counts, words) => {
  const named = { filesUrl: 'https://new.example/dav/{sub}/', filesOrigins: ['https://kept.example'] };
  const inUse = counts.map(([address, people]) => ({ name: 'files', address, people }));
  const { state, finding, cure } = checkFiles(inUse, named);
  expect(`${state}: ${finding} ${cure}`).toMatch(words);
});

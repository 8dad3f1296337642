import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listChangedPeople } from '../../../src/database/notices/changed-people.ts';
import { savePreferences } from '../../../src/database/people/preferences.ts';
import type { MailKind } from '../../../src/domain/notices.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { nextWindow } from '../../support/fixtures/next-window.ts';
import { type NoticesFixture, openNoticesFixture, raiseAndSend } from '../../support/harness/notices.ts';
import { addRepository, type Pages } from '../../support/harness/pages.ts';
import { decoded } from '../../support/servers/smtp.ts';

let notices: NoticesFixture;
let pages: Pages;
beforeAll(async () => {
  notices = await openNoticesFixture();
  pages = notices.pages;
});
afterAll(() => notices?.[Symbol.asyncDispose]());
beforeEach(() => notices.begin());
afterEach(() => notices.end());

describe('a person', () => {
  test('is mailed what happened and where to mend it, once', async () => {
    const { smtp, resources } = await notices.openMail();
    await notices.somebodyRefused();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await pages.clock.advance(30 * hourMs);
    await raiseAndSend(resources);
    const [mail, ...more] = smtp.mails.filter(({ to }) => to === 'alice@example.org');
    expect(more).toEqual([]);
    expect(mail?.from).toBe('nightkeep@example.org');
    expect(mail?.text).toContain('Subject: Nightkeep: your data is not protected at the moment');
    expect(mail?.text).toContain('signed you out everywhere');
    expect(mail?.text).toContain('http://localhost:3000/');
    expect(mail?.text).toContain('Auto-Submitted: auto-generated');
  });

  test('is mailed also where no operator is notified of anything', async () => {
    const { smtp, resources } = await notices.openMail();
    await notices.somebodyRefused();
    const { operatorMail: _, ...config } = resources.config;
    expect(await raiseAndSend({ ...resources, config })).toEqual([1, 1]);
    expect(smtp.mails.map(({ to }) => to)).toEqual(['alice@example.org']);
  });

  test('is mailed where it is not known when people were looked at last, though everybody was counted just now', async () => {
    const { smtp, resources } = await notices.openMail();
    await notices.somebodyRefused();
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
    await resources.database.keptFigure.deleteMany({ where: { name: 'people who were told' } });
    await pages.clock.advance(60_000);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails.map(({ to }) => to)).toEqual(['alice@example.org']);
  });

  test('is mailed soon of what happened to them, though so many people there are that going through everybody is not due', async () => {
    const { smtp, resources } = await notices.openMail();
    const { database } = resources;
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
    await pages.clock.advance(10 * 60_000);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    const silent = await notices.somebodyRefused('silent@example.org');
    await pages.clock.advance(10 * 60_000);
    // Nothing is on record of how it came to that, since it was put into the table by hand.
    await database.event.deleteMany({ where: { at: { gt: new Date(pages.clock.now().getTime() - 11 * 60_000) } } });
    expect(await raiseAndSend(resources)).toEqual([0, 0]);

    const grant = await database.grant.findFirstOrThrow({ where: { userId: silent.userId } });
    const change = { from: 'active', to: 'needs_consent', by: 'provider', at: pages.clock.now() };
    await database.event.create({ data: { subjectKind: 'grant', subjectId: grant.id, ...change } });
    await pages.clock.advance(10 * 60_000);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails.map(({ to }) => to)).toEqual(['silent@example.org']);
    await pages.clock.advance(10 * 60_000);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
  });

  test('is mailed of what happened to them before somebody else counted everybody for a page, who told nobody', async () => {
    const { smtp, resources } = await notices.openMail();
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
    await pages.clock.advance(hourMs);
    await notices.looked(resources);
    const { userId } = await notices.somebodyRefused();
    const at = pages.clock.now();
    await resources.database.event.create({
      data: { subjectKind: 'user', subjectId: userId, to: 'damaged', by: 'schedule', at },
    });
    await pages.clock.advance(5 * 60_000);
    await resources.database.keptFigure.updateMany({
      where: { name: 'people by verdict' },
      data: { countedAt: pages.clock.now() },
    });
    await pages.clock.advance(5 * 60_000);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails).toHaveLength(1);
  });

  describe('is mailed within ten minutes of what time alone brings, though going through everybody is not due:', () => {
    /** Somebody whose last backup ended then, and whose next one is to come in two months. */
    async function somebodyWell(finishedAt: Date) {
      const { person, userId } = await notices.somebodyRefused();
      const { database } = pages.resources;
      const nextDueAt = new Date(finishedAt.getTime() + 60 * dayMs);
      await database.grant.updateMany({
        where: { userId },
        data: { state: 'active', reason: null, idleDeadline: nextDueAt },
      });
      await database.plan.updateMany({ where: { userId }, data: { nextDueAt } });
      const run = { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt } as const;
      await database.run.updateMany({ where: { plan: { userId } }, data: run });
      return { person, userId };
    }
    /** What comes of looking each ten minutes from so long before that moment on, and when; the tables are looked at as they are in between. */
    async function tellAround(moment: Date) {
      const { smtp, resources } = await notices.openMail();
      const { clock } = pages;
      await clock.advance(moment.getTime() - 25 * 60_000 - clock.now().getTime());
      await notices.keepTally(resources, { reasons: {}, for: dayMs });
      const sent = [];
      const toAlice = () => smtp.mails.filter(({ to }) => to === 'alice@example.org');
      for (let n = 0; n < 5; n++) {
        await clock.advance(10 * 60_000);
        await raiseAndSend(resources);
        sent.push(toAlice().length);
      }
      expect(sent).toEqual([0, 0, 1, 1, 1]);
      return decoded(toAlice()[0]?.text);
    }

    test.each([14, 7, 2])('that a consent ends in %i days', async (days) => {
      const { clock, resources } = pages;
      const { userId } = await somebodyWell(clock.now());
      const maxDeadline = new Date(clock.now().getTime() + (days * 24 + 10) * hourMs);
      await resources.database.grant.updateMany({ where: { userId }, data: { maxDeadline } });
      const mail = await tellAround(new Date(maxDeadline.getTime() - days * dayMs));
      expect(mail).toContain(`in ${days} days`);
    });

    test('that it has ended', async () => {
      const { clock, resources } = pages;
      const { userId } = await somebodyWell(clock.now());
      const maxDeadline = new Date(clock.now().getTime() + 10 * hourMs);
      await resources.database.grant.updateMany({ where: { userId }, data: { maxDeadline } });
      // They were warned of it before.
      const key = `mail-person/person/${userId}/consent_ends/${maxDeadline.toISOString()}/2`;
      const createdAt = new Date(clock.now().getTime() - 38 * hourMs);
      await resources.database.notice.create({
        data: { id: randomUUID(), key, channel: 'mail-person', userId, facts: {}, createdAt },
      });
      expect(await tellAround(maxDeadline)).toContain(texts.protection.consent.expired_maximum.happened);
    });

    test('that nobody verified their snapshots', async () => {
      const { clock, resources } = pages;
      const at = clock.now();
      const { person, userId } = await somebodyWell(at);
      await addRepository(pages, person);
      await resources.database.verification.update({ where: { userId }, data: { since: at, verifiedAt: at } });
      await resources.database.run.updateMany({
        where: { plan: { userId } },
        data: { finishedAt: new Date(at.getTime() + 71 * hourMs) },
      });
      expect(await tellAround(new Date(at.getTime() + 72 * hourMs))).toContain(
        texts.protection.nights.unverified.happened,
      );
    });

    test('that a window of their own has passed without a backup', async () => {
      const { clock, resources } = pages;
      const { userId } = await somebodyWell(clock.now());
      const hours = { zone: 'Asia/Tokyo', windowStart: '02:30', windowEnd: '04:00' };
      await resources.database.plan.updateMany({ where: { userId }, data: hours });
      const { end } = nextWindow(hours, clock.now());
      expect(await tellAround(end)).toContain(texts.protection.nights.no_run.happened);
    });
  });

  test.each([
    ['run', async (userId: string) => pages.resources.database.run.findFirstOrThrow({ where: { plan: { userId } } })],
    ['plan', async (userId: string) => pages.resources.database.plan.findFirstOrThrow({ where: { userId } })],
    ['user', async (userId: string) => ({ id: userId })],
  ])('is looked at where something happened to a %s of theirs, and nobody else', async (subjectKind, subjectOf) => {
    const { database, clock } = pages.resources;
    const { userId } = await notices.somebodyRefused();
    await pages.consented();
    await pages.clock.advance(hourMs);
    const since = clock.now();
    expect(await listChangedPeople(database, since)).toEqual([]);
    const { id: subjectId } = await subjectOf(userId);
    const at = new Date(since.getTime() + 1);
    for (const subject of [
      { subjectKind, subjectId },
      { subjectKind: 'service', subjectId: 'key 1' },
      { subjectKind: 'circuit', subjectId: 'x' },
    ])
      await database.event.create({ data: { ...subject, to: 'changed', by: 'test', at } });
    expect(await listChangedPeople(database, since)).toEqual([userId]);
  });

  test('is told once by several workers that look at changes at the same time', async () => {
    const { smtp, resources } = await notices.openMail();
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
    const { userId } = await notices.somebodyRefused();
    const at = pages.clock.now();
    await resources.database.event.create({
      data: { subjectKind: 'user', subjectId: userId, to: 'damaged', by: 'schedule', at },
    });
    await pages.clock.advance(10 * 60_000);
    const raised = await Promise.all(Array.from({ length: 4 }, () => raiseNotices(resources)));
    expect(raised.toSorted()).toEqual([0, 0, 0, 1]);
    await sendNotices(resources);
    expect(smtp.mails).toHaveLength(1);
  });

  test('is mailed in the language that they chose, or else in that in which they agreed', async () => {
    const { smtp, resources } = await notices.openMail();
    const { userId } = await notices.somebodyRefused();
    const { database } = pages.resources;
    await database.consent.updateMany({ where: { userId }, data: { terms: { language: 'de' } } });
    await raiseAndSend(resources);
    expect(smtp.mails.at(-1)?.text).toContain('Ein Administrator Ihres Anmeldedienstes hat Sie');
    await savePreferences(database, { userId, change: { language: 'en' }, at: pages.clock.now() });
    await pages.clock.advance(20 * hourMs);
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    await raiseAndSend(resources);
    expect(smtp.mails.at(-1)?.text).toContain('You did nothing wrong');
  });

  test('without an address is not mailed, and nobody is without a mail server', async () => {
    const { resources } = await notices.openMail();
    await notices.somebodyRefused(null);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    expect(await raiseAndSend(pages.resources)).toEqual([0, 0]);
  });

  test('is not mailed what they want no mail of, and is mailed the rest', async () => {
    const { smtp, resources } = await notices.openMail();
    const { database, clock } = resources;
    const { userId } = await notices.somebodyRefused();
    const change = (mutedMails: MailKind[]) =>
      savePreferences(database, { userId, change: { mutedMails }, at: clock.now() });
    await change(['trouble']);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await change(['consent-ends']);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails).toHaveLength(1);
  });

  test('is mailed the second of two things the day after, though the first is still so', async () => {
    const { smtp, resources: mailing } = await notices.openMail();
    const { operatorMail: _, ...config } = mailing.config;
    const resources = { ...mailing, config };
    const { database, clock } = resources;
    const { person, userId } = await notices.somebodyRefused();
    const maxDeadline = new Date(clock.now().getTime() + 13.5 * dayMs);
    const idleDeadline = maxDeadline;
    await database.grant.updateMany({
      where: { userId },
      data: { state: 'active', reason: null, maxDeadline, idleDeadline },
    });
    await addRepository(pages, person);
    const succeeded = () =>
      database.run.updateMany({
        where: { plan: { userId } },
        data: { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt: clock.now() },
      });
    const at = clock.now();
    const lost = { damageState: 'lost', foundAt: at, checkedAt: at };
    await database.verification.create({ data: { userId, since: at, nextAt: at, ...lost } });
    const subjects = () => smtp.mails.map(({ text }) => /^Subject: (.*)$/m.exec(decoded(text))?.[1]?.trim());
    const { damaged, subject } = texts.notices.person;
    await succeeded();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(subjects()).toEqual([subject.protected]);
    await pages.clock.advance(21 * hourMs);
    await succeeded();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(subjects()).toEqual([subject.protected, damaged]);
  });

  test('gets one mail a day at most, and the next trouble the day after', async () => {
    const { smtp, resources } = await notices.openMail();
    const { userId } = await notices.somebodyRefused();
    await raiseAndSend(resources);
    const { database } = pages.resources;
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await pages.clock.advance(20 * hourMs);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails.at(-1)?.text).toContain('You did nothing wrong');
  });

  test.each([
    ['loss', texts.protection.nights.great_loss.happened],
    ['change', texts.protection.nights.great_change.happened],
  ])('is mailed a great %s once, until somebody has looked', async (alarm, words) => {
    const { smtp, resources } = await notices.openMail();
    const { userId } = await notices.somebodyRefused();
    const { database, clock } = pages.resources;
    await database.grant.updateMany({ where: { userId }, data: { state: 'active', reason: null } });
    const run = { state: 'succeeded', snapshotId: 'b'.repeat(64), heldSnapshotId: 'a'.repeat(64), alarm } as const;
    const finishedAt = clock.now();
    await database.run.updateMany({ where: { plan: { userId } }, data: { ...run, finishedAt } });
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    const [mail] = smtp.mails.filter(({ to }) => to === 'alice@example.org');
    expect(decoded(mail?.text)).toContain(words);
    await pages.clock.advance(30 * hourMs);
    await database.run.updateMany({ where: { plan: { userId } }, data: { finishedAt: clock.now() } });
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
  });

  test.each([
    ['en', texts],
    ['de', german],
  ] as const)('is mailed once, in %s, that their snapshots were not verified for three days', async (language, t) => {
    const { smtp, resources } = await notices.openMail();
    const { person, userId } = await notices.somebodyRefused();
    const { database, clock } = pages.resources;
    await savePreferences(database, { userId, change: { language }, at: clock.now() });
    await database.grant.updateMany({ where: { userId }, data: { state: 'active', reason: null } });
    await addRepository(pages, person);
    const at = clock.now();
    await database.verification.create({ data: { userId, since: at, verifiedAt: at, nextAt: at } });
    const complete = () =>
      database.run.updateMany({
        where: { plan: { userId } },
        data: { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt: clock.now() },
      });
    await complete();
    const mails = () => smtp.mails.filter(({ to }) => to === 'alice@example.org').map(({ text }) => decoded(text));
    await pages.clock.advance(71 * hourMs);
    await complete();
    await raiseAndSend(resources);
    expect(mails()).toEqual([]);
    await pages.clock.advance(hourMs);
    await raiseAndSend(resources);
    await pages.clock.advance(30 * hourMs);
    await complete();
    await raiseAndSend(resources);
    const [mail, ...more] = mails();
    expect(more).toEqual([]);
    if (language === 'en') expect(mail).toContain(`Subject: ${t.notices.person.unverified}`);
    expect(mail).toContain(t.protection.nights.unverified.happened);
  });

  test('is told 14, 7 and 2 days before an end of the consent, in a mail and on the pages', async () => {
    const { smtp, resources } = await notices.openMail();
    const { person, userId } = await notices.somebodyRefused();
    const { database, clock } = pages.resources;
    const maxDeadline = new Date(clock.now().getTime() + 20 * dayMs);
    const idleDeadline = new Date(maxDeadline.getTime() + hourMs);
    await database.grant.updateMany({
      where: { userId },
      data: { state: 'active', reason: null, maxDeadline, idleDeadline },
    });
    await database.plan.updateMany({ where: { userId }, data: { nextDueAt: maxDeadline } });
    for (let day = 0; day < 20; day++) {
      const finishedAt = clock.now();
      await database.run.updateMany({
        where: { plan: { userId } },
        data: { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt },
      });
      const [, sent] = await raiseAndSend(resources);
      const guest = await pages.newPerson({ ...person.person, claims: { email: 'alice@example.org' } });
      const [said] = /Your consent ends (in \d+ days|within a day)/.exec(await guest.text('/')) ?? [];
      expect([day, said === undefined]).toEqual([day, day < 6]);
      if (sent !== 0 && said !== undefined) expect(smtp.mails.at(-1)?.text).toContain(said);
      await pages.clock.advance(dayMs);
    }
    const ends = smtp.mails
      .filter(({ to }) => to === 'alice@example.org')
      .map(({ text }) => /in (\d+) days|within a day/.exec(text)?.[0]);
    expect(ends).toEqual(['in 14 days', 'in 7 days', 'in 2 days']);
  });
});

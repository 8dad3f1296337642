import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { inTransaction } from '../../../src/database/client.ts';
import { closeCircuit, openCircuit } from '../../../src/database/custody/circuits.ts';
import { listChangedPeople } from '../../../src/database/notices/changed-people.ts';
import {
  claimDeliveries,
  findOperatorsLastTold,
  findOperatorsTold,
  inspectNotices,
} from '../../../src/database/notices/notices.ts';
import { savePreferences } from '../../../src/database/people/preferences.ts';
import { saveKeptFigure } from '../../../src/database/records/kept-figures.ts';
import { saveBack, saveGone } from '../../../src/database/repositories/gone-repositories.ts';
import { findVerification } from '../../../src/database/repositories/verifications.ts';
import { checkNotices } from '../../../src/doctor/checks/notices.ts';
import { type ChannelKind, operatorNotices, parseChannel } from '../../../src/domain/channels.ts';
import { nextWindow } from '../../../src/domain/nights.ts';
import { openPeopleCount } from '../../../src/domain/people-tally.ts';
import { tallyPeople } from '../../../src/flows/nights/tally-people.ts';
import { viewTonight } from '../../../src/flows/nights/view-tonight.ts';
import { raiseNights } from '../../../src/flows/notices/raise-nights.ts';
import { raiseAlarms, raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import type { Resources } from '../../../src/resources.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { listTexts } from '../../../src/web/texts/languages.ts';
import { addRepository, openPages, type Pages } from '../../support/harness/pages.ts';
import { type HttpSink, openHttpSink } from '../../support/servers/http-sink.ts';
import { listenSilently } from '../../support/servers/silent-port.ts';
import { decoded, type SmtpManners, startSmtp } from '../../support/servers/smtp.ts';

const from = 'Nightkeep <nightkeep@example.org>';
const operatorMail = 'operators@example.org';
const hour = 3_600_000;
/** Patience costs nothing where all is well. */
const soon = { timeout: 30_000, interval: 10 };
const noFaults = { waiting: 0, givenUp: 0, errorCode: null };

let opened: AsyncDisposableStack;
let pages: Pages;
beforeAll(async () => {
  pages = await openPages();
});
afterAll(() => pages?.[Symbol.asyncDispose]());
beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { database } = pages.resources;
  await database.notice.deleteMany();
  await database.circuit.deleteMany();
  await database.grant.updateMany({ data: { state: 'withdrawn' } });
});
afterEach(() => opened.disposeAsync());

const withSettings = (settings: Partial<Config>): Resources => ({
  ...pages.resources,
  config: { ...pages.resources.config, ...settings },
});
const openMail = async (manners: SmtpManners = {}) => {
  const smtp = opened.use(await startSmtp(manners));
  return { smtp, resources: withSettings({ mail: { url: smtp.url, from }, operatorMail }) };
};
/** What happens to the circuit of the provider. */
function circuitOf({ clock, config, database, issuer }: Resources) {
  const client = { issuer: config.provider.issuer.href, clientId: issuer.clientId };
  return {
    open: () => openCircuit(database, { ...client, reason: 'refusals', at: clock.now() }),
    close: () =>
      inTransaction(database, (transaction) =>
        closeCircuit(transaction, { ...client, at: clock.now(), by: 'provider' }),
      ),
  };
}
/** What operators are told by mail now, by its subjects. */
async function told(resources: Resources, { mails }: { readonly mails: readonly { text: string }[] }) {
  const before = mails.length;
  await raiseAlarms(resources);
  await sendNotices(resources);
  return mails.slice(before).map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim());
}
/** Settings that name such channels at the sink. */
const calling = (sink: HttpSink, ...kinds: ChannelKind[]) =>
  withSettings({
    channels: kinds.flatMap((kind) => parseChannel(`${kind}+${sink.origin}/${kind}?key=secret`) ?? []),
  });

/** Somebody who consented, whose address is known and whose consent has ended at the provider. */
async function somebodyRefused(email: string | null = 'alice@example.org') {
  const person = await pages.consented();
  const userId = await person.userId();
  const { database } = pages.resources;
  await database.user.update({ where: { id: userId }, data: { email } });
  await database.grant.updateMany({ where: { userId }, data: { state: 'needs_consent', reason: 'signed_out' } });
  return { person, userId };
}

/** Somebody whose night the operator must mend. */
async function somebodyWaiting() {
  const person = await pages.consented();
  const userId = await person.userId();
  await pages.resources.database.run.updateMany({
    where: { plan: { userId } },
    data: { state: 'failed', errorCode: 'source/forbidden', finishedAt: pages.resources.clock.now() },
  });
  return { person, userId };
}

/** The same, and their repository is damaged. */
async function somebodyDamaged() {
  const { person, userId } = await somebodyWaiting();
  await addRepository(pages, person);
  const at = pages.resources.clock.now();
  const known = { since: at, nextAt: at, damageState: 'mending', foundAt: at };
  await pages.resources.database.verification.create({ data: { userId, ...known } });
  return userId;
}

/** The count of now took long and is kept for so long, as of very many people, and says that so many wait. */
async function keepTally(resources: Resources, { reasons, for: ms }: { reasons: object; for: number }): Promise<void> {
  const { clock, database } = resources;
  let elapsed = 0;
  const elapsedOf = () => {
    elapsed += hour;
    return elapsed;
  };
  const { tally } = await tallyPeople({
    database,
    clock: { ...clock, elapsed: elapsedOf },
    peopleCount: openPeopleCount(),
  });
  const data = { value: { ...tally, reasons }, dueAt: new Date(clock.now().getTime() + ms) };
  const where = { name: 'people by verdict' };
  expect(await database.keptFigure.updateMany({ where, data })).toEqual({ count: 1 });
  await looked(resources);
  opened.defer(async () => void (await database.keptFigure.deleteMany()));
}

/** All of whom there was something new to tell were looked at just now. */
async function looked({ clock, database }: Resources): Promise<void> {
  const at = clock.now();
  await saveKeptFigure(database, { name: 'people who were told', value: {}, countedAt: at, dueAt: at });
}

/** On to the next time that the clock shows this. */
const advanceTo = (time: string) => {
  const { clock } = pages;
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const next = new Date(clock.now());
  next.setUTCHours(hours, minutes, 0, 0);
  return clock.advance(next.getTime() - clock.now().getTime() + (next <= clock.now() ? 24 * hour : 0));
};

const raiseAndSend = async (resources: Resources) => [await raiseNotices(resources), await sendNotices(resources)];

describe('a person', () => {
  test('is mailed what happened and where to mend it, once', async () => {
    const { smtp, resources } = await openMail();
    await somebodyRefused();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await pages.clock.advance(30 * hour);
    await raiseAndSend(resources);
    const [mail, ...more] = smtp.mails.filter(({ to }) => to === 'alice@example.org');
    expect(more).toEqual([]);
    expect(mail?.from).toBe('nightkeep@example.org');
    expect(mail?.text).toContain('Subject: Nightkeep: your data is not protected at the moment');
    expect(mail?.text).toContain('signed you out everywhere');
    expect(mail?.text).toContain('http://localhost:3000/');
    expect(mail?.text).toContain('Auto-Submitted: auto-generated');
  });

  test('is mailed soon of what happened to them, though so many people there are that going through everybody is not due', async () => {
    const { smtp, resources } = await openMail();
    const { database } = resources;
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    await pages.clock.advance(10 * 60_000);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    const silent = await somebodyRefused('silent@example.org');
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
    const { smtp, resources } = await openMail();
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    await pages.clock.advance(hour);
    await looked(resources);
    const { userId } = await somebodyRefused();
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
      const { person, userId } = await somebodyRefused();
      const { database } = pages.resources;
      const nextDueAt = new Date(finishedAt.getTime() + 60 * 24 * hour);
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
      const { smtp, resources } = await openMail();
      const { clock } = pages;
      await clock.advance(moment.getTime() - 25 * 60_000 - clock.now().getTime());
      await keepTally(resources, { reasons: {}, for: 24 * hour });
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
      const maxDeadline = new Date(clock.now().getTime() + (days * 24 + 10) * hour);
      await resources.database.grant.updateMany({ where: { userId }, data: { maxDeadline } });
      const mail = await tellAround(new Date(maxDeadline.getTime() - days * 24 * hour));
      expect(mail).toContain(`in ${days} days`);
    });

    test('that it has ended', async () => {
      const { clock, resources } = pages;
      const { userId } = await somebodyWell(clock.now());
      const maxDeadline = new Date(clock.now().getTime() + 10 * hour);
      await resources.database.grant.updateMany({ where: { userId }, data: { maxDeadline } });
      // They were warned of it before.
      const key = `mail-person/person/${userId}/consent_ends/${maxDeadline.toISOString()}/2`;
      const createdAt = new Date(clock.now().getTime() - 38 * hour);
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
        data: { finishedAt: new Date(at.getTime() + 71 * hour) },
      });
      expect(await tellAround(new Date(at.getTime() + 72 * hour))).toContain(
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
    const { userId } = await somebodyRefused();
    await pages.consented();
    await pages.clock.advance(hour);
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
    const { smtp, resources } = await openMail();
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    const { userId } = await somebodyRefused();
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
    const { smtp, resources } = await openMail();
    const { userId } = await somebodyRefused();
    const { database } = pages.resources;
    await database.consent.updateMany({ where: { userId }, data: { terms: { language: 'de' } } });
    await raiseAndSend(resources);
    expect(smtp.mails.at(-1)?.text).toContain('Ein Administrator Ihres Anmeldedienstes hat Sie');
    await savePreferences(database, { userId, change: { language: 'en' }, at: pages.clock.now() });
    await pages.clock.advance(20 * hour);
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    await raiseAndSend(resources);
    expect(smtp.mails.at(-1)?.text).toContain('You did nothing wrong');
  });

  test('without an address is not mailed, and nobody is without a mail server', async () => {
    const { resources } = await openMail();
    await somebodyRefused(null);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    expect(await raiseAndSend(pages.resources)).toEqual([0, 0]);
  });

  test('gets one mail a day at most, and the next trouble the day after', async () => {
    const { smtp, resources } = await openMail();
    const { userId } = await somebodyRefused();
    await raiseAndSend(resources);
    const { database } = pages.resources;
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    await pages.clock.advance(20 * hour);
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(smtp.mails.at(-1)?.text).toContain('You did nothing wrong');
  });

  test.each([
    ['loss', texts.protection.nights.great_loss.happened],
    ['change', texts.protection.nights.great_change.happened],
  ])('is mailed a great %s once, until somebody has looked', async (alarm, words) => {
    const { smtp, resources } = await openMail();
    const { userId } = await somebodyRefused();
    const { database, clock } = pages.resources;
    await database.grant.updateMany({ where: { userId }, data: { state: 'active', reason: null } });
    const run = { state: 'succeeded', snapshotId: 'b'.repeat(64), heldSnapshotId: 'a'.repeat(64), alarm } as const;
    const finishedAt = clock.now();
    await database.run.updateMany({ where: { plan: { userId } }, data: { ...run, finishedAt } });
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    const [mail] = smtp.mails.filter(({ to }) => to === 'alice@example.org');
    expect(decoded(mail?.text)).toContain(words);
    await pages.clock.advance(30 * hour);
    await database.run.updateMany({ where: { plan: { userId } }, data: { finishedAt: clock.now() } });
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
  });

  test.each([
    ['en', texts],
    ['de', german],
  ] as const)('is mailed once, in %s, that their snapshots were not verified for three days', async (language, t) => {
    const { smtp, resources } = await openMail();
    const { person, userId } = await somebodyRefused();
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
    await pages.clock.advance(71 * hour);
    await complete();
    await raiseAndSend(resources);
    expect(mails()).toEqual([]);
    await pages.clock.advance(hour);
    await raiseAndSend(resources);
    await pages.clock.advance(30 * hour);
    await complete();
    await raiseAndSend(resources);
    const [mail, ...more] = mails();
    expect(more).toEqual([]);
    if (language === 'en') expect(mail).toContain(`Subject: ${t.notices.person.unverified}`);
    expect(mail).toContain(t.protection.nights.unverified.happened);
  });

  test('is told 14, 7 and 2 days before an end of the consent, in a mail and on the pages', async () => {
    const { smtp, resources } = await openMail();
    const { person, userId } = await somebodyRefused();
    const { database, clock } = pages.resources;
    const maxDeadline = new Date(clock.now().getTime() + 20 * 24 * hour);
    const idleDeadline = new Date(maxDeadline.getTime() + hour);
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
      await pages.clock.advance(24 * hour);
    }
    const ends = smtp.mails
      .filter(({ to }) => to === 'alice@example.org')
      .map(({ text }) => /in (\d+) days|within a day/.exec(text)?.[0]);
    expect(ends).toEqual(['in 14 days', 'in 7 days', 'in 2 days']);
  });
});

describe('operators', () => {
  test('get one digest after each window: how many wait and why, and no name', async () => {
    const { smtp, resources } = await openMail();
    const { person, userId } = await somebodyWaiting();
    await somebodyWaiting();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    const [mail] = smtp.mails;
    expect(mail?.to).toBe(operatorMail);
    expect(mail?.text).toContain('2 =C3=97 a server of people=E2=80=99s data refuses access (server_refuses)');
    for (const secret of [userId, person.person.subject]) expect(mail?.text).not.toContain(secret);
    await pages.clock.advance(24 * hour);
    expect(await raiseNotices(resources)).toBe(1);
  });

  test('get it once the last window of the night is over, by the hours that plans have', async () => {
    const { resources } = await openMail();
    const { userId } = await somebodyWaiting();
    const { database } = pages.resources;
    const hours = { zone: 'America/New_York', windowStart: '01:00', windowEnd: '05:00' };
    await database.plan.updateMany({ where: { userId }, data: hours });
    const digests = async () => {
      await raiseNotices(resources);
      return database.notice.findMany({ where: { key: { contains: 'digest/' } }, orderBy: { createdAt: 'asc' } });
    };
    await advanceTo('12:30');
    const before = await digests();
    await advanceTo('08:59');
    expect(await digests()).toHaveLength(before.length);
    await advanceTo('09:00');
    expect(await digests()).toHaveLength(before.length + 1);
  });

  test('are told that the windows to come are too short, and that they are long enough again: once each', async () => {
    const { smtp, resources } = await openMail();
    await using sink = await openHttpSink();
    const channels = parseChannel(`json+${sink.origin}/json`);
    const rated = (count: number) => ({
      ...resources,
      config: {
        ...resources.config,
        channels: channels ? [channels] : [],
        provider: { ...resources.config.provider, rate: { count, spanMs: 10 * hour } },
      },
    });
    await pages.consented();
    const { forecast } = texts.notices;
    const toldBy = async (rate: number) => {
      const [mails, requests] = [smtp.mails.length, sink.requests.length];
      await raiseNotices(rated(rate));
      await sendNotices(rated(rate));
      const subjects = smtp.mails.slice(mails).map(({ text }) => decoded(text));
      return {
        mail: subjects.filter((text) => text.includes('coming windows')).length,
        json: sink.requests
          .slice(requests)
          .map(({ body }) => JSON.parse(body))
          .filter(({ facts }) => facts.kind === 'forecast')
          .map(({ title, level }) => `${level}: ${title}`),
      };
    };
    const [short, holds] = [`warning: ${forecast.tooShort}`, `success: ${forecast.holds}`];
    await advanceTo('12:00');
    expect(await toldBy(1_000)).toEqual({ mail: 0, json: [] });
    expect(await toldBy(1)).toEqual({ mail: 1, json: [short] });
    expect(await toldBy(1)).toEqual({ mail: 0, json: [] });
    await advanceTo('13:00');
    expect(await toldBy(1)).toEqual({ mail: 0, json: [] });
    expect(await toldBy(1_000)).toEqual({ mail: 1, json: [holds] });
    expect(await toldBy(1)).toEqual({ mail: 0, json: [] });
    await advanceTo('12:00');
    expect(await toldBy(1)).toEqual({ mail: 1, json: [short] });
    expect(await findOperatorsLastTold(resources.database)).not.toBeNull();
  });

  test('read of an open circuit within the minute, and once', async () => {
    const { smtp, resources } = await openMail();
    const { issuer } = resources.config.provider;
    const { open } = circuitOf(resources);
    expect(await raiseAlarms(resources)).toBe(0);
    await open();
    expect([await raiseAlarms(resources), await raiseAlarms(resources)]).toEqual([1, 0]);
    await sendNotices(resources);
    expect(smtp.mails[0]?.text).toContain(issuer.href);
    await pages.clock.advance(hour);
    expect(await raiseAlarms(resources)).toBe(0);
  });

  test('read of a circuit that closes and opens again before the next look as of one that stayed open', async () => {
    const { smtp, resources } = await openMail();
    const { open, close } = circuitOf(resources);
    const { subject, over } = texts.notices.circuit;
    await open();
    expect(await told(resources, smtp)).toEqual([subject]);
    for (const _ of [1, 2, 3]) {
      await pages.clock.advance(hour / 3);
      await close();
      await pages.clock.advance(20_000);
      await open();
      expect(await told(resources, smtp)).toEqual([]);
    }
    await pages.clock.advance(hour / 3);
    await close();
    expect(await told(resources, smtp)).toEqual([over.subject]);
    expect(decoded(smtp.mails.at(-1)?.text)).toContain('For 20 min');
    await pages.clock.advance(20_000);
    await open();
    expect(await told(resources, smtp)).toEqual([subject]);
  });

  test('do not read that a circuit has closed which is open again once the mail server takes it', async () => {
    const { smtp, resources } = await openMail();
    const { open, close } = circuitOf(resources);
    const { subject, over } = texts.notices.circuit;
    await open();
    expect(await told(resources, smtp)).toEqual([subject]);
    await pages.clock.advance(hour);
    await close();
    await raiseAlarms(resources);
    await pages.clock.advance(hour);
    await open();
    expect(await told(resources, smtp)).toEqual([]);
    await pages.clock.advance(hour);
    await close();
    expect(await told(resources, smtp)).toEqual([over.subject]);
  });

  test('read that a circuit which they were told of has closed, once, and not before; of one that closed at once nothing', async () => {
    const { smtp, resources } = await openMail();
    const { database, clock } = resources;
    const { open, close } = circuitOf(resources);
    const tell = () => told(resources, smtp);
    const { subject, over } = texts.notices.circuit;
    await open();
    expect(await tell()).toEqual([subject]);
    await pages.clock.advance(hour / 2);
    expect(await tell()).toEqual([]);
    await close();
    expect(await tell()).toEqual([over.subject]);
    expect(decoded(smtp.mails.at(-1)?.text)).toContain('For 30 min');
    expect(await findOperatorsTold(database, { reason: 'provider_trouble', since: null })).not.toBeNull();
    expect(await findOperatorsTold(database, { reason: 'provider_trouble', since: clock.now() })).toBeNull();
    await pages.clock.advance(hour);
    expect(await tell()).toEqual([]);
    await open();
    await raiseAlarms(resources);
    await close();
    expect(await tell()).toEqual([]);
    expect(await inspectNotices(database, { since: new Date(0), waitingBefore: clock.now() })).toEqual(noFaults);
    await pages.clock.advance(hour);
    await open();
    expect(await tell()).toEqual([subject]);
  });

  test('are told by every channel for messages, once each, of however many people', async () => {
    await using sink = await openHttpSink();
    for (let n = 0; n < 3; n++) await somebodyWaiting();
    const resources = calling(sink, 'json', 'ntfy', 'slack', 'apprise', 'healthchecks', 'kuma');
    expect(await raiseAndSend(resources)).toEqual([4, 4]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    expect(sink.requests).toHaveLength(4);
    const webhook = sink.requests.find(({ url }) => url.startsWith('/json'));
    expect(JSON.parse(webhook?.body ?? '')).toMatchObject({
      title: 'Nightkeep: people wait for you, or are late',
      level: 'warning',
      facts: { kind: 'digest', reasons: { server_refuses: 3 } },
    });
    expect(JSON.stringify(await resources.database.notice.findMany())).not.toContain('secret');
  });

  test('are told by each channel what it was chosen for, and nothing else', async () => {
    await using sink = await openHttpSink();
    const lines = operatorNotices.map((notice) => `json+${sink.origin}/${notice} ${notice}`);
    const both = `slack+${sink.origin}/both rotation_lost circuit`;
    const channels = [...lines, both].flatMap((line) => parseChannel(line) ?? []);
    const rate = { count: 1, spanMs: 10 * hour };
    const resources = withSettings({ channels, provider: { ...pages.resources.config.provider, rate } });
    const { clock, config, database, issuer } = resources;
    await somebodyDamaged();
    const { userId } = await somebodyRefused(null);
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    const circuit = { issuer: config.provider.issuer.href, clientId: issuer.clientId, reason: 'jump', open: true };
    await database.circuit.create({ data: { ...circuit, openedAt: clock.now(), nextProbeAt: clock.now() } });
    for (const time of ['01:00', '06:30']) {
      await advanceTo(time);
      for (const raise of [raiseAlarms, raiseNights, raiseNotices]) await raise(resources);
      await sendNotices(resources);
    }
    const heard = Map.groupBy(sink.requests, ({ url }) => url.slice(1));
    for (const notice of operatorNotices) {
      const bodies = heard.get(notice)?.map(({ body }) => JSON.parse(body)) ?? [];
      expect(new Set(bodies.map(({ facts }) => facts.kind)), notice).toEqual(new Set([notice]));
    }
    const [first, second, ...more] = heard.get('both')?.map(({ body }) => body) ?? [];
    expect([first, second].toSorted()).toEqual([
      expect.stringContaining(texts.notices.circuit.subject),
      expect.stringContaining(texts.notices.rotationLost.subject),
    ]);
    expect(more).toEqual([]);
  });

  test.each(listTexts().map((own) => [own.language, own] as const))(
    'are told in their language: %s',
    async (operatorLanguage, own) => {
      await using sink = await openHttpSink();
      const { smtp, resources } = await openMail();
      const { channels } = calling(sink, 'json').config;
      await somebodyWaiting();
      const spoken = { ...resources, config: { ...resources.config, channels, operatorLanguage } };
      expect(await raiseAndSend(spoken)).toEqual([2, 2]);
      const { text } = JSON.parse(sink.requests[0]?.body ?? '');
      expect(text).toContain(own.notices.digest.more);
      expect(text).toContain(`${own.operator.causes.server_refuses} (server_refuses)`);
      expect(decoded(smtp.mails[0]?.text)).toContain(own.notices.digest.more);
    },
  );

  test('are told once a day as long as rotated tokens are lost', async () => {
    const { smtp, resources } = await openMail();
    const { userId } = await somebodyRefused(null);
    await resources.database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    expect([await raiseAlarms(resources), await raiseAlarms(resources)]).toEqual([1, 0]);
    await sendNotices(resources);
    expect(smtp.mails[0]?.text).toContain('the token of one consent');
    await pages.clock.advance(24 * hour);
    expect(await raiseAlarms(resources)).toBe(1);
  });

  test('the page says when and how the operator was told, once a channel took it and not before', async () => {
    let status = 503;
    await using sink = await openHttpSink(() => status);
    const resources = calling(sink, 'ntfy');
    const { person } = await somebodyWaiting();
    const told = async () => /The operator was notified of this problem on [^<]+/.exec(await person.text('/'))?.[0];
    expect(await told()).toBeUndefined();
    await raiseAndSend(resources);
    expect(await told()).toBeUndefined();
    expect(await findOperatorsLastTold(resources.database)).toBeNull();
    status = 200;
    await pages.clock.advance(hour);
    await sendNotices(resources);
    expect(await told()).toMatch(/, by ntfy\.$/);
    const last = await findOperatorsLastTold(resources.database);
    expect(last).toMatchObject({ at: pages.clock.now(), channel: expect.stringMatching(/^ntfy:/) });
    const { finding } = checkNotices({ people: false, operators: ['ntfy'] }, noFaults, last);
    expect(finding).toContain(`last notified on ${pages.clock.now().toISOString()}, by ntfy.`);
    await pages.clock.advance(hour);
    const { person: later } = await somebodyWaiting();
    expect(await later.text('/')).not.toContain('The operator was told');
  });

  test('what was counted before somebody’s trouble began is not said to have told of it, however late it arrived', async () => {
    let status = 503;
    await using sink = await openHttpSink(() => status);
    const resources = calling(sink, 'ntfy');
    await somebodyWaiting();
    await raiseAndSend(resources);
    await pages.clock.advance(hour / 2);
    const { person } = await somebodyWaiting();
    await pages.clock.advance(hour / 2);
    status = 200;
    expect(await sendNotices(resources)).toBe(1);
    expect(await person.text('/')).not.toContain('The operator was told');
  });

  test('are told of damage and of its end though going through everybody is not due', async () => {
    const { smtp, resources } = await openMail();
    const { database, clock } = resources;
    const userId = await somebodyDamaged();
    const save = (data: object) => database.verification.update({ where: { userId }, data });
    await save({ damageState: null, foundAt: null });
    await raiseAndSend(resources);
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    const before = smtp.mails.length;
    await pages.clock.advance(10 * 60_000);
    await save({ damageState: 'mending', foundAt: clock.now() });
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    await pages.clock.advance(10 * 60_000);
    await save({ damageState: null, clearedAt: clock.now() });
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    const kinds = await database.notice.findMany({
      where: { key: { startsWith: 'mail-operator/repositories/' } },
      orderBy: { createdAt: 'asc' },
      select: { facts: true },
    });
    expect(kinds.map(({ facts }) => facts)).toMatchObject([
      { are: 'damaged', people: 1 },
      { are: 'healed', people: 1 },
    ]);
    expect(smtp.mails).toHaveLength(before + 2);
  });

  test('are told that a repository is gone and that it is back, those by whom the first was heard alone', async () => {
    const { smtp, resources } = await openMail();
    const { database, clock } = resources;
    const userId = await somebodyDamaged();
    const { id, store } = await database.repository.findFirstOrThrow({ where: { userId } });
    await database.verification.update({ where: { userId }, data: { damageState: null, foundAt: null } });
    await raiseAndSend(resources);
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    const { mails } = smtp;
    const before = mails.length;
    const goes = () => saveGone(database, { userId, id, store, at: clock.now(), by: 'schedule' });
    const comes = async () => {
      const known = (await findVerification(database, userId)) ?? expect.unreachable();
      expect(await saveBack(database, { known, id, store, state: null, at: clock.now() })).toBe(true);
    };
    await pages.clock.advance(10 * 60_000);
    await goes();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    await pages.clock.advance(10 * 60_000);
    await comes();
    await using sink = await openHttpSink();
    const asked = calling(sink, 'ntfy');
    // A channel that was named meanwhile heard nothing of it.
    const both = { ...resources, config: { ...resources.config, channels: asked.config.channels } };
    expect(await raiseAndSend(both)).toEqual([1, 1]);
    expect(await raiseAndSend(both)).toEqual([0, 0]);
    expect(mails.slice(before).map(({ text }) => decoded(text).split('\n\n').at(1))).toMatchObject([
      expect.stringContaining(texts.notices.repositories.gone.happened(1)),
      expect.stringContaining(texts.notices.repositories.back.happened(1)),
    ]);
    // Of what was back before anybody was told nobody is told either.
    await pages.clock.advance(10 * 60_000);
    await goes();
    await pages.clock.advance(60_000);
    await comes();
    expect(await raiseAndSend(both)).toEqual([0, 0]);
  });

  test('are told that a repository was not verified for three days though going through everybody is not due, and read it on the page', async () => {
    const { resources } = await openMail();
    const { database, clock } = resources;
    const { person, userId } = await somebodyWaiting();
    await addRepository(pages, person);
    const snapshot = { state: 'succeeded' as const, snapshotId: 'c'.repeat(64) };
    await database.run.updateMany({ where: { plan: { userId } }, data: snapshot });
    const at = clock.now();
    await database.verification.update({ where: { userId }, data: { since: at, verifiedAt: at, checkedAt: at } });
    await pages.clock.advance(3 * 24 * hour - 60_000);
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    await raiseNotices(resources);
    const told = () =>
      database.notice.findMany({ where: { key: { contains: 'repositories/unverified/' } }, select: { facts: true } });
    expect(await told()).toEqual([]);
    await pages.clock.advance(60_000);
    await raiseNotices(resources);
    expect(await told()).toMatchObject([{ facts: { are: 'unverified', people: 1 } }]);
    expect((await viewTonight(resources)).verification).toMatchObject({ unverified: 1, damaged: 0 });
  });

  test('get the digest minutes after the window, of what is so then, where counting is dear and would not be due for hours', async () => {
    const { smtp, resources } = await openMail();
    await somebodyWaiting();
    await advanceTo('04:58');
    await keepTally(resources, { reasons: { store_full: 7 }, for: 6 * hour });
    // Of the night before.
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(decoded(smtp.mails[0]?.text)).toContain('store_full');
    await advanceTo('05:03');
    const raised = await Promise.all([1, 2, 3].map(() => raiseNotices(resources)));
    expect(raised.toSorted()).toEqual([0, 0, 1]);
    await sendNotices(resources);
    expect(smtp.mails).toHaveLength(2);
    expect(decoded(smtp.mails[1]?.text)).not.toContain('store_full');
  });

  test('get it with the word that the night is over, where a channel is told of that and counting is dear: everybody is counted once', async () => {
    await using sink = await openHttpSink();
    const { resources: mailing } = await openMail();
    const { channels } = calling(sink, 'kuma').config;
    const { database } = mailing;
    let elapsed = 0;
    const clock = { ...mailing.clock, elapsed: () => (elapsed += hour) };
    const resources = { ...mailing, clock, config: { ...mailing.config, channels } };
    await somebodyWaiting();
    await advanceTo('04:58');
    await keepTally(resources, { reasons: {}, for: 24 * hour });
    await advanceTo('05:03');
    expect(await raiseNotices(resources)).toBe(0);
    await advanceTo('06:30');
    const nightIsOver = database.notice.count({ where: { key: { endsWith: '/over' } } });
    expect([await raiseNights(resources), await nightIsOver]).toEqual([1, 1]);
    const counted = await database.keptFigure.findUnique({ where: { name: 'people by verdict' } });
    await pages.clock.advance(180_000);
    expect(await raiseNotices(resources)).toBe(1);
    expect(await database.notice.count({ where: { key: { startsWith: 'mail-operator/digest/' } } })).toBe(1);
    expect(await database.keptFigure.findUnique({ where: { name: 'people by verdict' } })).toEqual(counted);
  });
});

describe('a notice that is not delivered', () => {
  const attempts = async (resources: Resources, everyMs: number, count: number) => {
    const delivered: number[] = [];
    for (let n = 0; n < count; n++) {
      delivered.push(await sendNotices(resources));
      await pages.clock.advance(everyMs);
    }
    return delivered;
  };
  const state = () => pages.resources.database.notice.findFirstOrThrow({ where: { channel: 'mail-operator' } });

  test('because the server cannot take it now is tried again, and arrives once', async () => {
    let busy = 2;
    const { smtp, resources } = await openMail({ recipient: () => (busy-- > 0 ? 451 : undefined) });
    await somebodyWaiting();
    await raiseNotices(resources);
    expect(await attempts(resources, 6 * 60_000, 4)).toEqual([0, 0, 1, 0]);
    expect(smtp.mails).toHaveLength(1);
    expect(await state()).toMatchObject({ failures: 2, errorCode: null, nextAttemptAt: null });
  });

  test.each([550, 552, 554])('because the server refuses it by %d is not sent again', async (code) => {
    const { smtp, resources } = await openMail({ recipient: () => code });
    await somebodyWaiting();
    await raiseNotices(resources);
    expect(await attempts(resources, 24 * hour, 2)).toEqual([0, 0]);
    expect(smtp.mails).toEqual([]);
    expect(await state()).toMatchObject({ failures: 1, errorCode: 'notice/refused', nextAttemptAt: null });
  });

  test('is not sent to a person whose trouble has ended meanwhile, and is where it goes on', async () => {
    let code: number | undefined = 451;
    const { smtp, resources } = await openMail({ recipient: () => code });
    const { userId: well } = await somebodyRefused('well@example.org');
    await somebodyRefused('ill@example.org');
    const { userId: other } = await somebodyRefused('other@example.org');
    await raiseNotices(resources);
    expect(await sendNotices(resources)).toBe(0);
    const { database } = pages.resources;
    await database.grant.updateMany({ where: { userId: well }, data: { state: 'active', reason: null } });
    await database.grant.updateMany({ where: { userId: other }, data: { reason: 'lost_rotation' } });
    code = undefined;
    await pages.clock.advance(hour);
    await sendNotices(resources);
    const toPeople = smtp.mails.filter(({ to }) => to !== operatorMail);
    expect(toPeople.map(({ to }) => to)).toEqual(['ill@example.org']);
    expect(await sendNotices(resources)).toBe(0);
  });

  test('to operators says of when it is, where it comes an hour late or more', async () => {
    let code: number | undefined = 451;
    const { smtp, resources } = await openMail({ recipient: () => code });
    await somebodyWaiting();
    await raiseNotices(resources);
    const raised = texts.formats.time(pages.clock.now(), resources.config.window.zone);
    await sendNotices(resources);
    code = undefined;
    await pages.clock.advance(hour);
    expect(await sendNotices(resources)).toBe(1);
    expect(decoded(smtp.mails[0]?.text)).toContain(texts.notices.late(raised));
    await pages.clock.advance(24 * hour);
    await raiseAndSend(resources);
    expect(decoded(smtp.mails[1]?.text)).toContain('nightkeep protection');
    expect(decoded(smtp.mails[1]?.text)).not.toContain('could not be sent earlier');
  });

  test('because the server is away or the password is wrong waits for it, and is given up after a day', async () => {
    const { smtp } = await openMail({ password: 'right' });
    const url = (password: string) => `smtp://nightkeep:${password}@127.0.0.1:${smtp.port}`;
    const resources = withSettings({ mail: { url: url('wrong'), from }, operatorMail });
    await somebodyWaiting();
    await raiseNotices(resources);
    expect(await sendNotices(resources)).toBe(0);
    expect(await state()).toMatchObject({ failures: 1, errorCode: 'notice/unavailable' });
    await pages.clock.advance(60_000);
    expect(await sendNotices(withSettings({ mail: { url: url('right'), from }, operatorMail }))).toBe(1);
    await smtp.stop();
    await pages.clock.advance(24 * hour);
    await raiseNotices(resources);
    expect(await attempts(resources, 13 * hour, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    const last = await pages.resources.database.notice.findFirstOrThrow({ orderBy: { createdAt: 'desc' } });
    expect(last).toMatchObject({ failures: 7, nextAttemptAt: null, deliveredAt: null });
  });

  test.each([
    [400, 'notice/refused'],
    [302, 'notice/refused'],
    [429, 'notice/unavailable'],
    [503, 'notice/unavailable'],
  ])('because the channel answers %d is recorded as %s', async (status, errorCode) => {
    await using sink = await openHttpSink(() => status);
    await somebodyWaiting();
    expect(await raiseAndSend(calling(sink, 'json'))).toEqual([1, 0]);
    expect(await pages.resources.database.notice.findFirstOrThrow()).toMatchObject({ errorCode });
  });

  test('is what the doctor warns of', async () => {
    const { resources } = await openMail({ recipient: () => 550 });
    await somebodyWaiting();
    await raiseAndSend(resources);
    const at = pages.resources.clock.now().getTime();
    const times = { since: new Date(at - 7 * 24 * hour), waitingBefore: new Date(at - hour) };
    const faults = await inspectNotices(pages.resources.database, times);
    const { state: told, finding } = checkNotices({ people: true, operators: ['mail'] }, faults, null);
    expect([told, finding]).toEqual([
      'warn',
      '1 notice could not be delivered (notice/refused); 1 of them will not be tried again.',
    ]);
  });
});

test('two workers at once deliver each notice once, and what a dead one claimed is delivered later', async () => {
  const { smtp, resources } = await openMail();
  for (let n = 0; n < 5; n++) await somebodyRefused(`person-${n}@example.org`);
  await raiseNotices(resources);
  const delivered = await Promise.all([sendNotices(resources), sendNotices(resources), sendNotices(resources)]);
  expect(delivered.reduce((sum, count) => sum + count)).toBe(5);
  expect(new Set(smtp.mails.map(({ to }) => to)).size).toBe(smtp.mails.length);

  await somebodyWaiting();
  await raiseNotices(resources);
  const at = pages.resources.clock.now();
  expect(await claimDeliveries(pages.resources.database, { at, limit: 10 })).toHaveLength(1);
  expect(await sendNotices(resources)).toBe(0);
  await pages.clock.advance(10 * 60_000);
  expect(await sendNotices(resources)).toBe(1);
});

test('notices keep no address: a mail goes to the one that is known when it is sent', async () => {
  const { smtp, resources } = await openMail();
  const { userId } = await somebodyRefused();
  await raiseNotices(resources);
  const { database } = pages.resources;
  expect(JSON.stringify(await database.notice.findMany())).not.toContain('alice@example.org');
  await database.user.update({ where: { id: userId }, data: { email: 'alice@new.example' } });
  await sendNotices(resources);
  expect(smtp.mails.map(({ to }) => to)).toEqual(['alice@new.example']);
});

test('whoever may write rows writes no mails by them, and stops none', async () => {
  const { smtp, resources } = await openMail();
  const { database, clock } = { ...pages.resources };
  const { userId } = await somebodyRefused();
  await raiseNotices(resources);
  await database.user.update({ where: { id: userId }, data: { email: 'alice@example.org, eve@evil.example' } });
  const odd = `2026\r\nBcc: eve@evil.example\r\n\r\n\u202e\u200bPay${'!'.repeat(5_000)}`;
  const verdicts = { protected: 0, partly: 0, late: 1, not: 0 };
  const forged: unknown[] = [
    { kind: 'night_begun', night: odd },
    { kind: 'night_over', night: odd, verdicts, reasons: {} },
    { kind: 'digest', verdicts, reasons: { [odd]: 1 } },
    { kind: 'circuit', issuer: odd },
    ...[{ kind: 'digest' }, { kind: odd }, { kind: 'repositories', are: odd }, { kind: 'night_begun', night: {} }, 7],
  ];
  const at = clock.now();
  for (const [index, facts] of forged.entries())
    await database.notice.create({
      data: {
        id: randomUUID(),
        key: `forged ${index}`,
        channel: 'mail-operator',
        facts: facts as object,
        createdAt: at,
        nextAttemptAt: at,
      },
    });
  await openCircuit(database, { issuer: odd, clientId: 'x', reason: 'refusals', at });
  await sendNotices(resources);
  expect(smtp.mails).toHaveLength(2);
  for (const { to, text } of smtp.mails) {
    expect(to).toBe(operatorMail);
    expect(text).not.toMatch(/^bcc:/im);
    const words = decoded(text);
    expect(words).not.toMatch(/[\u202e\u200b]/);
    expect(words.length).toBeLessThan(1_500);
  }
  const left = await database.notice.findMany({
    where: { deliveredAt: null },
    select: { errorCode: true, nextAttemptAt: true },
  });
  expect(left).toEqual(Array.from({ length: 8 }, () => ({ errorCode: 'notice/refused', nextAttemptAt: null })));
});

describe('heartbeats', () => {
  const beat = async (resources: Resources) => [await raiseNights(resources), await sendNotices(resources)];
  const pathsOf = ({ requests }: HttpSink) => requests.map(({ url }) => url.replace(/\?.*(status=\w+).*/, '?$1'));
  const wellSince = async (userId: string) => {
    const { clock, database } = pages.resources;
    const finishedAt = clock.now();
    const nextDueAt = new Date(finishedAt.getTime() + 24 * hour);
    await database.plan.updateMany({ where: { userId }, data: { nextDueAt } });
    const data = { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt } as const;
    await database.run.updateMany({ where: { plan: { userId } }, data });
  };

  test('tell once that the window has begun, and once, after its grace, that all is well', async () => {
    await using sink = await openHttpSink();
    const resources = calling(sink, 'healthchecks', 'kuma');
    const userId = await (await pages.consented()).userId();
    await advanceTo('00:59');
    expect(await beat(resources)).toEqual([0, 0]);
    await advanceTo('01:00');
    expect(await beat(resources)).toEqual([2, 2]);
    expect(await beat(resources)).toEqual([0, 0]);
    await wellSince(userId);
    await advanceTo('06:29');
    expect(await beat(resources)).toEqual([0, 0]);
    await advanceTo('06:30');
    expect(await beat(resources)).toEqual([2, 2]);
    expect(await beat(resources)).toEqual([0, 0]);
    const [begun, ...over] = sink.requests.map(({ url }) => new URL(url, sink.origin));
    expect(begun?.pathname).toBe('/healthchecks/start');
    expect(over.map(({ pathname }) => pathname).toSorted()).toEqual(['/healthchecks', '/kuma']);
    const ended = over.find(({ pathname }) => pathname === '/healthchecks');
    expect(ended?.searchParams.get('rid')).toBe(begun?.searchParams.get('rid'));
  });

  test('go by the hours of the plans that go on: from the first window to the last, with its grace', async () => {
    await using sink = await openHttpSink();
    const resources = calling(sink, 'healthchecks');
    const { database } = pages.resources;
    const hours = [
      { zone: 'UTC', windowStart: '21:00', windowEnd: '23:00' },
      { zone: 'America/New_York', windowStart: '01:00', windowEnd: '05:00' },
    ];
    for (const own of [...hours, { zone: 'UTC', windowStart: '13:00', windowEnd: '14:00' }]) {
      const userId = await (await pages.consented()).userId();
      await database.plan.updateMany({ where: { userId }, data: own });
      await wellSince(userId);
    }
    await database.plan.updateMany({ where: { windowStart: '13:00' }, data: { paused: true } });
    await advanceTo('14:01');
    expect(await beat(resources)).toEqual([1, 1]);
    sink.requests.length = 0;
    await advanceTo('20:59');
    expect(await beat(resources)).toEqual([0, 0]);
    await advanceTo('21:00');
    expect(await beat(resources)).toEqual([1, 1]);
    for (const time of ['01:00', '06:30', '10:29']) {
      await advanceTo(time);
      expect(await beat(resources)).toEqual([0, 0]);
    }
    await advanceTo('10:30');
    expect(await beat(resources)).toEqual([1, 1]);
    const [begun, over] = sink.requests.map(({ url }) => new URL(url, sink.origin));
    expect(begun?.pathname).toBe('/healthchecks/start');
    expect(over?.searchParams.get('rid')).toBe(begun?.searchParams.get('rid'));
    await database.plan.updateMany({ where: { windowStart: '13:00' }, data: { paused: false } });
  });

  test('tell that people wait or are late, and that counts as told', async () => {
    await using sink = await openHttpSink();
    const resources = calling(sink, 'healthchecks', 'kuma');
    const { person } = await somebodyWaiting();
    await advanceTo('06:30');
    await beat(resources);
    expect(pathsOf(sink).toSorted()).toEqual([expect.stringMatching(/^\/healthchecks\/fail/), '/kuma?status=down']);
    expect(sink.requests.find(({ method }) => method === 'POST')?.body).toMatch(
      /1 × .*\((server_refuses|no_worker|no_run)\)/,
    );
    expect(await findOperatorsLastTold(resources.database)).not.toBeNull();
    const later = await pages.newPerson(person.person);
    expect(await later.text('/')).toMatch(
      /The operator was notified of this problem on [^<]+, by (Healthchecks|Uptime Kuma)\./,
    );
  });

  test('tell of a night by what was counted once it was over, though a count from before would do for a page', async () => {
    await using sink = await openHttpSink();
    const resources = calling(sink, 'healthchecks');
    await somebodyWaiting();
    await advanceTo('05:30');
    await keepTally(resources, { reasons: {}, for: 2 * hour });
    await advanceTo('06:30');
    expect(await beat(resources)).toEqual([1, 1]);
    expect(pathsOf(sink)).toEqual([expect.stringMatching(/^\/healthchecks\/fail/)]);
  });

  test('say nothing where nobody is backed up, nor a day later', async () => {
    await using sink = await openHttpSink();
    const resources = calling(sink, 'healthchecks');
    await advanceTo('06:30');
    expect(await beat(resources)).toEqual([0, 0]);
    await pages.consented();
    await advanceTo('20:00');
    expect(await beat(resources)).toEqual([0, 0]);
    expect(await findOperatorsLastTold(resources.database)).toBeNull();
  });
});

test('a mail server that hangs delays no channel, and counts as away', async () => {
  using hanging = await listenSilently();
  await using sink = await openHttpSink();
  await somebodyWaiting();
  const mail = { url: `smtp://127.0.0.1:${hanging.port}`, from };
  const resources = withSettings({ mail, operatorMail, channels: calling(sink, 'json').config.channels });
  await raiseNotices(resources);
  const sending = sendNotices(resources);
  const { notice } = pages.resources.database;
  // The answer as well: else its time would be over with that of the mail server.
  await vi.waitFor(async () => expect(await notice.count({ where: { deliveredAt: { not: null } } })).toBe(1), soon);
  expect(sink.requests).toHaveLength(1);
  await pages.clock.advance(25_000);
  expect(await sending).toBe(1);
  const { errorCode } = await notice.findFirstOrThrow({ where: { channel: 'mail-operator' } });
  expect(errorCode).toBe('notice/unavailable');
});

test('a channel that hangs delays no other, and costs one pause', async () => {
  await using hanging = await openHttpSink(() => () => {});
  await using sink = await openHttpSink();
  await somebodyWaiting();
  const { channels } = calling(hanging, 'ntfy').config;
  const resources = withSettings({ channels: [...channels, ...calling(sink, 'json').config.channels] });
  await raiseNotices(resources);
  const sending = sendNotices(resources);
  await vi.waitFor(() => expect([hanging.requests, sink.requests].map(({ length }) => length)).toEqual([1, 1]), soon);
  const arrived = () => resources.database.notice.count({ where: { deliveredAt: { not: null } } });
  await vi.waitFor(async () => expect(await arrived()).toBe(1), soon);
  await pages.clock.advance(20_000);
  expect(await sending).toBe(1);
});

test('operators are told once a day that snapshots of somebody did not go as agreed for three days', async () => {
  const { resources } = await openMail();
  const person = await pages.consented();
  const userId = await person.userId();
  await addRepository(pages, person);
  const { clock, database } = pages.resources;
  const ago = (days: number) => new Date(clock.now().getTime() - days * 24 * hour);
  const told = async (retainedAt: Date) => {
    await database.repository.update({ where: { userId }, data: { retainedAt, retentionHold: 'store/unavailable' } });
    await raiseNotices(resources);
    return database.notice.count({ where: { key: { contains: 'repositories/held/' } } });
  };
  await database.plan.updateMany({ where: { userId }, data: { retentionAgreedAt: ago(9) } });
  expect([await told(ago(2)), await told(ago(4)), await told(ago(5))]).toEqual([0, 1, 1]);
  const notice = await database.notice.findFirst({ where: { key: { contains: 'repositories/held/' } } });
  expect(notice).toMatchObject({ channel: 'mail-operator', facts: { kind: 'repositories', are: 'held', people: 1 } });
  for (const { notices } of listTexts()) expect(notices.repositories.held.happened(1)).not.toBe('');
  await database.repository.deleteMany({ where: { userId } });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findOperatorsLastTold, findOperatorsTold, inspectNotices } from '../../../src/database/notices/notices.ts';
import { saveBack, saveGone } from '../../../src/database/repositories/gone-repositories.ts';
import { findVerification } from '../../../src/database/repositories/verifications.ts';
import { checkNotices } from '../../../src/doctor/checks/notices.ts';
import { operatorNotices, parseChannel } from '../../../src/domain/channels.ts';
import { openPeopleCount } from '../../../src/domain/people-tally.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { tallyPeople } from '../../../src/flows/nights/tally-people.ts';
import { viewTonight } from '../../../src/flows/nights/view-tonight.ts';
import { raiseNights } from '../../../src/flows/notices/raise-nights.ts';
import { raiseAlarms, raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { listTexts } from '../../../src/web/texts/languages.ts';
import {
  alarmsMailed,
  circuitOf,
  type NoticesFixture,
  openNoticesFixture,
  operatorMail,
  raiseAndSend,
} from '../../support/harness/notices.ts';
import { addRepository, type Pages } from '../../support/harness/pages.ts';
import { openHttpSink } from '../../support/servers/http-sink.ts';
import { decoded } from '../../support/servers/smtp.ts';

const noFaults = { waiting: 0, givenUp: 0, errorCode: null };
let notices: NoticesFixture;
let pages: Pages;
beforeAll(async () => {
  notices = await openNoticesFixture();
  pages = notices.pages;
});
afterAll(() => notices?.[Symbol.asyncDispose]());
beforeEach(() => notices.begin());
afterEach(() => notices.end());

describe('operators', () => {
  test('get one digest after each window: how many wait and why, and no name', async () => {
    const { smtp, resources } = await notices.openMail();
    const { person, userId } = await notices.somebodyWaiting();
    await notices.somebodyWaiting();
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(await raiseAndSend(resources)).toEqual([0, 0]);
    const [mail] = smtp.mails;
    expect(mail?.to).toBe(operatorMail);
    expect(mail?.text).toContain('2 =C3=97 a server of people=E2=80=99s data refuses access (server_refuses)');
    for (const secret of [userId, person.person.subject]) expect(mail?.text).not.toContain(secret);
    await pages.clock.advance(dayMs);
    expect(await raiseNotices(resources)).toBe(1);
  });

  test('get it once the last window of the night is over, by the hours that plans have', async () => {
    const { resources } = await notices.openMail();
    const { userId } = await notices.somebodyWaiting();
    const { database } = pages.resources;
    const hours = { zone: 'America/New_York', windowStart: '01:00', windowEnd: '05:00' };
    await database.plan.updateMany({ where: { userId }, data: hours });
    const digests = async () => {
      await raiseNotices(resources);
      return database.notice.findMany({ where: { key: { contains: 'digest/' } }, orderBy: { createdAt: 'asc' } });
    };
    await notices.advanceTo('12:30');
    const before = await digests();
    await notices.advanceTo('08:59');
    expect(await digests()).toHaveLength(before.length);
    await notices.advanceTo('09:00');
    expect(await digests()).toHaveLength(before.length + 1);
  });

  test('are notified that the windows to come are too short, and that they are long enough again: once each', async () => {
    const { smtp, resources } = await notices.openMail();
    await using sink = await openHttpSink();
    const channels = parseChannel(`json+${sink.origin}/json`);
    const rated = (count: number) => ({
      ...resources,
      config: {
        ...resources.config,
        channels: channels ? [channels] : [],
        provider: { ...resources.config.provider, rate: { count, spanMs: 10 * hourMs } },
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
    await notices.advanceTo('12:00');
    expect(await toldBy(1_000)).toEqual({ mail: 0, json: [] });
    expect(await toldBy(1)).toEqual({ mail: 1, json: [short] });
    expect(await toldBy(1)).toEqual({ mail: 0, json: [] });
    await notices.advanceTo('13:00');
    expect(await toldBy(1)).toEqual({ mail: 0, json: [] });
    expect(await toldBy(1_000)).toEqual({ mail: 1, json: [holds] });
    expect(await toldBy(1)).toEqual({ mail: 0, json: [] });
    await notices.advanceTo('12:00');
    expect(await toldBy(1)).toEqual({ mail: 1, json: [short] });
    expect(await findOperatorsLastTold(resources.database)).not.toBeNull();
  });

  test('read of an open circuit within the minute, and once', async () => {
    const { smtp, resources } = await notices.openMail();
    const { issuer } = resources.config.provider;
    const { open } = circuitOf(resources);
    expect(await raiseAlarms(resources)).toBe(0);
    await open();
    expect([await raiseAlarms(resources), await raiseAlarms(resources)]).toEqual([1, 0]);
    await sendNotices(resources);
    expect(smtp.mails[0]?.text).toContain(issuer.href);
    await pages.clock.advance(hourMs);
    expect(await raiseAlarms(resources)).toBe(0);
  });

  test('read of a circuit that closes and opens again before the next look as of one that stayed open', async () => {
    const { smtp, resources } = await notices.openMail();
    const { open, close } = circuitOf(resources);
    const { subject, over } = texts.notices.circuit;
    await open();
    expect(await alarmsMailed(resources, smtp)).toEqual([subject]);
    for (const _ of [1, 2, 3]) {
      await pages.clock.advance(hourMs / 3);
      await close();
      await pages.clock.advance(20_000);
      await open();
      expect(await alarmsMailed(resources, smtp)).toEqual([]);
    }
    await pages.clock.advance(hourMs / 3);
    await close();
    expect(await alarmsMailed(resources, smtp)).toEqual([over.subject]);
    expect(decoded(smtp.mails.at(-1)?.text)).toContain('For 20 min');
    await pages.clock.advance(20_000);
    await open();
    expect(await alarmsMailed(resources, smtp)).toEqual([subject]);
  });

  test('do not read that a circuit has closed which is open again once the mail server takes it', async () => {
    const { smtp, resources } = await notices.openMail();
    const { open, close } = circuitOf(resources);
    const { subject, over } = texts.notices.circuit;
    await open();
    expect(await alarmsMailed(resources, smtp)).toEqual([subject]);
    await pages.clock.advance(hourMs);
    await close();
    await raiseAlarms(resources);
    await pages.clock.advance(hourMs);
    await open();
    expect(await alarmsMailed(resources, smtp)).toEqual([]);
    await pages.clock.advance(hourMs);
    await close();
    expect(await alarmsMailed(resources, smtp)).toEqual([over.subject]);
  });

  test('read that a circuit which they were told of has closed, once, and not before; of one that closed at once nothing', async () => {
    const { smtp, resources } = await notices.openMail();
    const { database, clock } = resources;
    const { open, close } = circuitOf(resources);
    const tell = () => alarmsMailed(resources, smtp);
    const { subject, over } = texts.notices.circuit;
    await open();
    expect(await tell()).toEqual([subject]);
    await pages.clock.advance(hourMs / 2);
    expect(await tell()).toEqual([]);
    await close();
    expect(await tell()).toEqual([over.subject]);
    expect(decoded(smtp.mails.at(-1)?.text)).toContain('For 30 min');
    expect(await findOperatorsTold(database, { reason: 'provider_trouble', since: null })).not.toBeNull();
    expect(await findOperatorsTold(database, { reason: 'provider_trouble', since: clock.now() })).toBeNull();
    await pages.clock.advance(hourMs);
    expect(await tell()).toEqual([]);
    await open();
    await raiseAlarms(resources);
    await close();
    expect(await tell()).toEqual([]);
    expect(await inspectNotices(database, { since: new Date(0), waitingBefore: clock.now() })).toEqual(noFaults);
    await pages.clock.advance(hourMs);
    await open();
    expect(await tell()).toEqual([subject]);
  });

  test('are notified by every channel for messages, once each, however many people it is about', async () => {
    await using sink = await openHttpSink();
    for (let n = 0; n < 3; n++) await notices.somebodyWaiting();
    const resources = notices.calling(sink, 'json', 'ntfy', 'slack', 'apprise', 'healthchecks', 'kuma');
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

  test('get from each channel what it was chosen for, and nothing else', async () => {
    await using sink = await openHttpSink();
    const lines = operatorNotices.map((notice) => `json+${sink.origin}/${notice} ${notice}`);
    const both = `slack+${sink.origin}/both rotation_lost circuit`;
    const channels = [...lines, both].flatMap((line) => parseChannel(line) ?? []);
    const rate = { count: 1, spanMs: 10 * hourMs };
    const resources = notices.withSettings({ channels, provider: { ...pages.resources.config.provider, rate } });
    const { clock, config, database, issuer } = resources;
    await notices.somebodyDamaged();
    const { userId } = await notices.somebodyRefused(null);
    await database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    const circuit = { issuer: config.provider.issuer.href, clientId: issuer.clientId, reason: 'jump', open: true };
    await database.circuit.create({ data: { ...circuit, openedAt: clock.now(), nextProbeAt: clock.now() } });
    for (const time of ['01:00', '06:30']) {
      await notices.advanceTo(time);
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
      const { smtp, resources } = await notices.openMail();
      const { channels } = notices.calling(sink, 'json').config;
      await notices.somebodyWaiting();
      const spoken = { ...resources, config: { ...resources.config, channels, operatorLanguage } };
      expect(await raiseAndSend(spoken)).toEqual([2, 2]);
      const { text } = JSON.parse(sink.requests[0]?.body ?? '');
      expect(text).toContain(own.notices.digest.more);
      expect(text).toContain(`${own.operator.causes.server_refuses} (server_refuses)`);
      expect(decoded(smtp.mails[0]?.text)).toContain(own.notices.digest.more);
    },
  );

  test('are notified once a day as long as rotated tokens are lost', async () => {
    const { smtp, resources } = await notices.openMail();
    const { userId } = await notices.somebodyRefused(null);
    await resources.database.grant.updateMany({ where: { userId }, data: { reason: 'lost_rotation' } });
    expect([await raiseAlarms(resources), await raiseAlarms(resources)]).toEqual([1, 0]);
    await sendNotices(resources);
    expect(smtp.mails[0]?.text).toContain('the token of one consent');
    await pages.clock.advance(dayMs);
    expect(await raiseAlarms(resources)).toBe(1);
  });

  test('the page says when and how the operator was told, once a channel took it and not before', async () => {
    let status = 503;
    await using sink = await openHttpSink(() => status);
    const resources = notices.calling(sink, 'ntfy');
    const { person } = await notices.somebodyWaiting();
    const told = async () => /The operator was notified of this problem on [^<]+/.exec(await person.text('/'))?.[0];
    expect(await told()).toBeUndefined();
    await raiseAndSend(resources);
    expect(await told()).toBeUndefined();
    expect(await findOperatorsLastTold(resources.database)).toBeNull();
    status = 200;
    await pages.clock.advance(hourMs);
    await sendNotices(resources);
    expect(await told()).toMatch(/, by ntfy\.$/);
    const last = await findOperatorsLastTold(resources.database);
    expect(last).toMatchObject({ at: pages.clock.now(), channel: expect.stringMatching(/^ntfy:/) });
    const { finding } = checkNotices({ people: false, operators: ['ntfy'] }, noFaults, last);
    expect(finding).toContain(`last notified on ${pages.clock.now().toISOString()}, by ntfy.`);
    await pages.clock.advance(hourMs);
    const { person: later } = await notices.somebodyWaiting();
    expect(await later.text('/')).not.toContain('The operator was told');
  });

  test('what was counted before somebody’s trouble began is not said to have told of it, however late it arrived', async () => {
    let status = 503;
    await using sink = await openHttpSink(() => status);
    const resources = notices.calling(sink, 'ntfy');
    await notices.somebodyWaiting();
    await raiseAndSend(resources);
    await pages.clock.advance(hourMs / 2);
    const { person } = await notices.somebodyWaiting();
    await pages.clock.advance(hourMs / 2);
    status = 200;
    expect(await sendNotices(resources)).toBe(1);
    expect(await person.text('/')).not.toContain('The operator was told');
  });

  test('are notified of damage and of its end though going through everybody is not due', async () => {
    const { smtp, resources } = await notices.openMail();
    const { database, clock } = resources;
    const userId = await notices.somebodyDamaged();
    const save = (data: object) => database.verification.update({ where: { userId }, data });
    await save({ damageState: null, foundAt: null });
    await raiseAndSend(resources);
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
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

  test('are notified that a repository is gone, and that it is back only by channels that delivered the first', async () => {
    const { smtp, resources: mailing } = await notices.openMail();
    await using sink = await openHttpSink();
    const channelsOf = (...kinds: ('json' | 'ntfy')[]) => {
      const { channels } = notices.calling(sink, ...kinds).config;
      return { ...mailing, config: { ...mailing.config, channels } };
    };
    const resources = channelsOf('json');
    const { database, clock } = resources;
    const userId = await notices.somebodyDamaged();
    const { id, store } = await database.repository.findFirstOrThrow({ where: { userId } });
    await database.verification.update({ where: { userId }, data: { damageState: null, foundAt: null } });
    await raiseAndSend(resources);
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
    const { mails } = smtp;
    const [before, requests] = [mails.length, sink.requests.length];
    const goes = () => saveGone(database, { userId, id, store, at: clock.now(), by: 'schedule' });
    const comes = async () => {
      const known = (await findVerification(database, userId)) ?? expect.unreachable();
      expect(await saveBack(database, { known, id, store, state: null, at: clock.now() })).toBe(true);
    };
    await pages.clock.advance(10 * 60_000);
    await goes();
    expect(await raiseAndSend(resources)).toEqual([2, 2]);
    await pages.clock.advance(10 * 60_000);
    await comes();
    // A channel that was named meanwhile heard nothing of it.
    const both = channelsOf('json', 'ntfy');
    expect(await raiseAndSend(both)).toEqual([2, 2]);
    expect(await raiseAndSend(both)).toEqual([0, 0]);
    expect(mails.slice(before).map(({ text }) => decoded(text).split('\n\n').at(1))).toMatchObject([
      expect.stringContaining(texts.notices.repositories.gone.happened(1)),
      expect.stringContaining(texts.notices.repositories.back.happened(1)),
    ]);
    const { gone, back } = texts.notices.repositories;
    const told = sink.requests.slice(requests).map(({ url, body }) => ({ url, ...JSON.parse(body) }));
    expect(told.map(({ level, title }) => `${level}: ${title}`)).toEqual([
      `failure: ${gone.subject(1)}`,
      `success: ${back.subject(1)}`,
    ]);
    // Of what was back before anybody was told nobody is told either.
    await pages.clock.advance(10 * 60_000);
    await goes();
    await pages.clock.advance(60_000);
    await comes();
    expect(await raiseAndSend(both)).toEqual([0, 0]);
  });

  test('are told that a repository was not verified for three days though going through everybody is not due, and read it on the page', async () => {
    const { resources } = await notices.openMail();
    const { database, clock } = resources;
    const { person, userId } = await notices.somebodyWaiting();
    await addRepository(pages, person);
    const snapshot = { state: 'succeeded' as const, snapshotId: 'c'.repeat(64) };
    await database.run.updateMany({ where: { plan: { userId } }, data: snapshot });
    const at = clock.now();
    await database.verification.update({ where: { userId }, data: { since: at, verifiedAt: at, checkedAt: at } });
    await pages.clock.advance(3 * dayMs - 60_000);
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
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
    const { smtp, resources } = await notices.openMail();
    await notices.somebodyWaiting();
    await notices.advanceTo('04:58');
    await notices.keepTally(resources, { reasons: { store_full: 7 }, for: 6 * hourMs });
    // Of the night before.
    expect(await raiseAndSend(resources)).toEqual([1, 1]);
    expect(decoded(smtp.mails[0]?.text)).toContain('store_full');
    await notices.advanceTo('05:03');
    const raised = await Promise.all([1, 2, 3].map(() => raiseNotices(resources)));
    expect(raised.toSorted()).toEqual([0, 0, 1]);
    await sendNotices(resources);
    expect(smtp.mails).toHaveLength(2);
    expect(decoded(smtp.mails[1]?.text)).not.toContain('store_full');
  });

  test('get it with the word that the night is over, where a channel is told of that and counting is dear: everybody is counted once', async () => {
    await using sink = await openHttpSink();
    const { resources: mailing } = await notices.openMail();
    const { channels } = notices.calling(sink, 'kuma').config;
    const { database } = mailing;
    let elapsed = 0;
    const clock = { ...mailing.clock, elapsed: () => (elapsed += hourMs) };
    const resources = { ...mailing, clock, config: { ...mailing.config, channels } };
    await notices.somebodyWaiting();
    await notices.advanceTo('04:58');
    await notices.keepTally(resources, { reasons: {}, for: dayMs });
    await notices.advanceTo('05:03');
    expect(await raiseNotices(resources)).toBe(0);
    await notices.advanceTo('06:30');
    const nightIsOver = database.notice.count({ where: { key: { endsWith: '/over' } } });
    expect([await raiseNights(resources), await nightIsOver]).toEqual([1, 1]);
    const counted = await database.keptFigure.findUnique({ where: { name: 'people by verdict' } });
    await pages.clock.advance(180_000);
    expect(await raiseNotices(resources)).toBe(1);
    expect(await database.notice.count({ where: { key: { startsWith: 'mail-operator/digest/' } } })).toBe(1);
    expect(await database.keptFigure.findUnique({ where: { name: 'people by verdict' } })).toEqual(counted);
  });
});

describe('once the mail server takes mail again, what is over meanwhile', () => {
  /** A mail server that takes nothing for now, and what was delivered once it did. */
  async function openBusyMail() {
    let code: number | undefined = 451;
    const { resources } = await notices.openMail({ recipient: () => code });
    return {
      resources,
      told: async (rated = resources) => {
        code = undefined;
        await pages.clock.advance(6 * 60_000);
        await sendNotices(rated);
        code = 451;
        const where = { userId: null, deliveredAt: { not: null } };
        const rows = await resources.database.notice.findMany({ where, orderBy: { createdAt: 'asc' } });
        return rows.map(({ key }) => key.split('/').slice(1, 3).join(' ')).filter((key) => !key.startsWith('digest'));
      },
    };
  }

  test('is not told: neither that repositories are gone or damaged, nor that they are back of which nobody heard', async () => {
    const { resources, told } = await openBusyMail();
    const { database, clock } = resources;
    const userId = await notices.somebodyDamaged();
    const { id, store } = await database.repository.findFirstOrThrow({ where: { userId } });
    await raiseAndSend(resources);
    expect(await database.notice.count({ where: { key: { contains: 'damaged' }, deliveredAt: null } })).toBe(1);
    const whole = { damageState: null, foundAt: null, clearedAt: null };
    await database.verification.update({ where: { userId }, data: whole });
    expect(await told()).toEqual([]);

    await saveGone(database, { userId, id, store, at: clock.now(), by: 'schedule' });
    expect(await raiseAndSend(resources)).toEqual([1, 0]);
    await pages.clock.advance(60_000);
    const known = (await findVerification(database, userId)) ?? expect.unreachable();
    expect(await saveBack(database, { known, id, store, state: null, at: clock.now() })).toBe(true);
    expect(await raiseNotices(resources)).toBe(1);
    expect(await told()).toEqual([]);
    expect(await inspectNotices(database, { since: new Date(0), waitingBefore: clock.now() })).toEqual(noFaults);
  });

  test('is not told: neither that windows are too short, nor that they are long enough again', async () => {
    const { resources, told } = await openBusyMail();
    const rated = (count: number) => ({
      ...resources,
      config: {
        ...resources.config,
        provider: { ...resources.config.provider, rate: { count, spanMs: 10 * hourMs } },
      },
    });
    await pages.consented();
    await notices.advanceTo('12:00');
    await raiseAndSend(rated(1));
    await raiseAndSend(rated(1_000));
    expect(await resources.database.notice.count({ where: { key: { contains: 'forecast' } } })).toBe(2);
    expect(await told(rated(1_000))).toEqual([]);
  });

  test('is not told of rotated tokens', async () => {
    const { resources, told } = await openBusyMail();
    const { userId } = await notices.somebodyRefused(null);
    const save = (reason: string) => resources.database.grant.updateMany({ where: { userId }, data: { reason } });
    await save('lost_rotation');
    expect(await raiseAlarms(resources)).toBe(1);
    await sendNotices(resources);
    await save('signed_out');
    expect(await told()).toEqual([]);
  });

  test('is not told of snapshots that nobody verified, or that did not go as agreed', async () => {
    const { resources, told } = await openBusyMail();
    const { database, clock } = resources;
    const { person, userId } = await notices.somebodyWaiting();
    await addRepository(pages, person);
    const ago = (days: number) => new Date(clock.now().getTime() - days * dayMs);
    const snapshot = { state: 'succeeded' as const, snapshotId: 'c'.repeat(64) };
    await database.run.updateMany({ where: { plan: { userId } }, data: snapshot });
    await database.plan.updateMany({ where: { userId }, data: { retentionAgreedAt: ago(9) } });
    await database.repository.update({ where: { userId }, data: { retainedAt: ago(4), retentionHold: 'store/full' } });
    const known = { since: ago(9), verifiedAt: ago(4), checkedAt: ago(4) };
    await database.verification.update({ where: { userId }, data: known });
    await raiseAndSend(resources);
    expect(await database.notice.count({ where: { key: { contains: 'repositories/' } } })).toBe(2);
    await database.repository.update({ where: { userId }, data: { retainedAt: ago(0), retentionHold: null } });
    await database.verification.update({ where: { userId }, data: { verifiedAt: ago(0), checkedAt: ago(0) } });
    expect(await told()).toEqual([]);
    await database.repository.deleteMany({ where: { userId } });
  });
});

test('a worker counts people where counting is dear though nobody is notified: pages tell what it counted', async () => {
  const resources = notices.withSettings({ channels: [] });
  await notices.somebodyWaiting();
  await notices.keepTally(resources, { reasons: { store_full: 7 }, for: hourMs });
  await pages.clock.advance(hourMs - 1);
  expect(await raiseNotices(resources)).toBe(0);
  const told = async () => (await tallyPeople({ ...resources, peopleCount: openPeopleCount() })).tally.reasons;
  expect(await told()).toEqual({ store_full: 7 });
  await pages.clock.advance(1);
  expect(await raiseNotices(resources)).toBe(0);
  expect(await told()).toEqual({ server_refuses: 1 });
});

test('operators are told once a day that snapshots of somebody did not go as agreed for three days', async () => {
  const { resources } = await notices.openMail();
  const person = await pages.consented();
  const userId = await person.userId();
  await addRepository(pages, person);
  const { clock, database } = pages.resources;
  const ago = (days: number) => new Date(clock.now().getTime() - days * dayMs);
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

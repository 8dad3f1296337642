import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openCircuit } from '../../../src/database/custody/circuits.ts';
import { claimDeliveries, inspectNotices } from '../../../src/database/notices/notices.ts';
import { checkNotices } from '../../../src/doctor/checks/notices.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import type { Resources } from '../../../src/resources.ts';
import { texts } from '../../../src/web/texts/en.ts';
import {
  from,
  type NoticesFixture,
  openNoticesFixture,
  operatorMail,
  raiseAndSend,
  soon,
} from '../../support/harness/notices.ts';
import type { Pages } from '../../support/harness/pages.ts';
import { openHttpSink } from '../../support/servers/http-sink.ts';
import { listenSilently } from '../../support/servers/silent-port.ts';
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
    const { smtp, resources } = await notices.openMail({ recipient: () => (busy-- > 0 ? 451 : undefined) });
    await notices.somebodyWaiting();
    await raiseNotices(resources);
    expect(await attempts(resources, 6 * 60_000, 4)).toEqual([0, 0, 1, 0]);
    expect(smtp.mails).toHaveLength(1);
    expect(await state()).toMatchObject({ failures: 2, errorCode: null, nextAttemptAt: null });
  });

  test.each([550, 552, 554])('because the server refuses it by %d is not sent again', async (code) => {
    const { smtp, resources } = await notices.openMail({ recipient: () => code });
    await notices.somebodyWaiting();
    await raiseNotices(resources);
    expect(await attempts(resources, dayMs, 2)).toEqual([0, 0]);
    expect(smtp.mails).toEqual([]);
    expect(await state()).toMatchObject({ failures: 1, errorCode: 'notice/refused', nextAttemptAt: null });
  });

  test('is not sent to a person whose trouble has ended meanwhile, and is where it goes on', async () => {
    let code: number | undefined = 451;
    const { smtp, resources } = await notices.openMail({ recipient: () => code });
    const { userId: well } = await notices.somebodyRefused('well@example.org');
    await notices.somebodyRefused('ill@example.org');
    const { userId: other } = await notices.somebodyRefused('other@example.org');
    await raiseNotices(resources);
    expect(await sendNotices(resources)).toBe(0);
    const { database } = pages.resources;
    await database.grant.updateMany({ where: { userId: well }, data: { state: 'active', reason: null } });
    await database.grant.updateMany({ where: { userId: other }, data: { reason: 'lost_rotation' } });
    code = undefined;
    await pages.clock.advance(hourMs);
    await sendNotices(resources);
    const toPeople = smtp.mails.filter(({ to }) => to !== operatorMail);
    expect(toPeople.map(({ to }) => to)).toEqual(['ill@example.org']);
    expect(await sendNotices(resources)).toBe(0);
  });

  test('to operators says of when it is, where it comes an hour late or more', async () => {
    let code: number | undefined = 451;
    const { smtp, resources } = await notices.openMail({ recipient: () => code });
    await notices.somebodyWaiting();
    await raiseNotices(resources);
    const raised = texts.formats.time(pages.clock.now(), resources.config.window.zone);
    await sendNotices(resources);
    code = undefined;
    await pages.clock.advance(hourMs);
    expect(await sendNotices(resources)).toBe(1);
    expect(decoded(smtp.mails[0]?.text)).toContain(texts.notices.late(raised));
    await pages.clock.advance(dayMs);
    await raiseAndSend(resources);
    expect(decoded(smtp.mails[1]?.text)).toContain('nightkeep protection');
    expect(decoded(smtp.mails[1]?.text)).not.toContain('could not be sent earlier');
  });

  test('because the server is away or the password is wrong waits for it, and is given up after a day', async () => {
    const { smtp } = await notices.openMail({ password: 'right' });
    const url = (password: string) => `smtp://nightkeep:${password}@127.0.0.1:${smtp.port}`;
    const resources = notices.withSettings({ mail: { url: url('wrong'), from }, operatorMail });
    await notices.somebodyWaiting();
    await raiseNotices(resources);
    expect(await sendNotices(resources)).toBe(0);
    expect(await state()).toMatchObject({ failures: 1, errorCode: 'notice/unavailable' });
    await pages.clock.advance(60_000);
    expect(await sendNotices(notices.withSettings({ mail: { url: url('right'), from }, operatorMail }))).toBe(1);
    await smtp.stop();
    await pages.clock.advance(dayMs);
    await raiseNotices(resources);
    expect(await attempts(resources, 13 * hourMs, 7)).toEqual([0, 0, 0, 0, 0, 0, 0]);
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
    await notices.somebodyWaiting();
    expect(await raiseAndSend(notices.calling(sink, 'json'))).toEqual([1, 0]);
    expect(await pages.resources.database.notice.findFirstOrThrow()).toMatchObject({ errorCode });
  });

  test('is what the doctor warns of', async () => {
    const { resources } = await notices.openMail({ recipient: () => 550 });
    await notices.somebodyWaiting();
    await raiseAndSend(resources);
    const at = pages.resources.clock.now().getTime();
    const times = { since: new Date(at - 7 * dayMs), waitingBefore: new Date(at - hourMs) };
    const faults = await inspectNotices(pages.resources.database, times);
    const { state: told, finding } = checkNotices({ people: true, operators: ['mail'] }, faults, null);
    expect([told, finding]).toEqual([
      'warn',
      '1 notice could not be delivered (notice/refused); 1 of them will not be tried again.',
    ]);
  });
});

test('two workers at once deliver each notice once, and what a dead one claimed is delivered later', async () => {
  const { smtp, resources } = await notices.openMail();
  for (let n = 0; n < 5; n++) await notices.somebodyRefused(`person-${n}@example.org`);
  await raiseNotices(resources);
  const delivered = await Promise.all([sendNotices(resources), sendNotices(resources), sendNotices(resources)]);
  expect(delivered.reduce((sum, count) => sum + count)).toBe(5);
  expect(new Set(smtp.mails.map(({ to }) => to)).size).toBe(smtp.mails.length);

  await notices.somebodyWaiting();
  await raiseNotices(resources);
  const at = pages.resources.clock.now();
  expect(await claimDeliveries(pages.resources.database, { at, limit: 10 })).toHaveLength(1);
  expect(await sendNotices(resources)).toBe(0);
  await pages.clock.advance(10 * 60_000);
  expect(await sendNotices(resources)).toBe(1);
});

test('notices keep no address: a mail goes to the one that is known when it is sent', async () => {
  const { smtp, resources } = await notices.openMail();
  const { userId } = await notices.somebodyRefused();
  await raiseNotices(resources);
  const { database } = pages.resources;
  expect(JSON.stringify(await database.notice.findMany())).not.toContain('alice@example.org');
  await database.user.update({ where: { id: userId }, data: { email: 'alice@new.example' } });
  await sendNotices(resources);
  expect(smtp.mails.map(({ to }) => to)).toEqual(['alice@new.example']);
});

test('whoever may write rows writes no mails by them, and stops none', async () => {
  const { smtp, resources } = await notices.openMail();
  const { database, clock } = { ...pages.resources };
  const { userId } = await notices.somebodyRefused();
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

test('a mail server that hangs delays no channel, and counts as away', async () => {
  using hanging = await listenSilently();
  await using sink = await openHttpSink();
  await notices.somebodyWaiting();
  const mail = { url: `smtp://127.0.0.1:${hanging.port}`, from };
  const resources = notices.withSettings({
    mail,
    operatorMail,
    channels: notices.calling(sink, 'json').config.channels,
  });
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
  await notices.somebodyWaiting();
  const { channels } = notices.calling(hanging, 'ntfy').config;
  const resources = notices.withSettings({ channels: [...channels, ...notices.calling(sink, 'json').config.channels] });
  await raiseNotices(resources);
  const sending = sendNotices(resources);
  await vi.waitFor(() => expect([hanging.requests, sink.requests].map(({ length }) => length)).toEqual([1, 1]), soon);
  const arrived = () => resources.database.notice.count({ where: { deliveredAt: { not: null } } });
  await vi.waitFor(async () => expect(await arrived()).toBe(1), soon);
  await pages.clock.advance(20_000);
  expect(await sending).toBe(1);
});

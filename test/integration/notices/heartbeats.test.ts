import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findOperatorsLastTold } from '../../../src/database/notices/notices.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { pauseNight, resumeNight } from '../../../src/flows/nights/switch-night.ts';
import { raiseNights } from '../../../src/flows/notices/raise-nights.ts';
import { raiseNotices } from '../../../src/flows/notices/raise-notices.ts';
import { sendNotices } from '../../../src/flows/notices/send-notices.ts';
import type { Resources } from '../../../src/resources.ts';
import { texts as german } from '../../../src/web/texts/de.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type NoticesFixture, openNoticesFixture } from '../../support/harness/notices.ts';
import type { Pages } from '../../support/harness/pages.ts';
import { type HttpSink, openHttpSink } from '../../support/servers/http-sink.ts';

let notices: NoticesFixture;
let pages: Pages;
beforeAll(async () => {
  notices = await openNoticesFixture();
  pages = notices.pages;
});
afterAll(() => notices?.[Symbol.asyncDispose]());
beforeEach(() => notices.begin());
afterEach(() => notices.end());

describe('heartbeats', () => {
  const beat = async (resources: Resources) => [await raiseNights(resources), await sendNotices(resources)];
  const pathsOf = ({ requests }: HttpSink) => requests.map(({ url }) => url.replace(/\?.*(status=\w+).*/, '?$1'));
  const wellSince = async (userId: string) => {
    const { clock, database } = pages.resources;
    const finishedAt = clock.now();
    const nextDueAt = new Date(finishedAt.getTime() + dayMs);
    await database.plan.updateMany({ where: { userId }, data: { nextDueAt } });
    const data = { state: 'succeeded', snapshotId: 'a'.repeat(64), finishedAt } as const;
    await database.run.updateMany({ where: { plan: { userId } }, data });
  };

  test('tell once that the window has begun, and once, after its grace, that all is well', async () => {
    await using sink = await openHttpSink();
    const resources = notices.calling(sink, 'healthchecks', 'kuma');
    const userId = await (await pages.consented()).userId();
    await notices.advanceTo('00:59');
    expect(await beat(resources)).toEqual([0, 0]);
    await notices.advanceTo('01:00');
    expect(await beat(resources)).toEqual([2, 2]);
    expect(await beat(resources)).toEqual([0, 0]);
    await wellSince(userId);
    await notices.advanceTo('06:29');
    expect(await beat(resources)).toEqual([0, 0]);
    await notices.advanceTo('06:30');
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
    const resources = notices.calling(sink, 'healthchecks');
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
    await notices.advanceTo('14:01');
    expect(await beat(resources)).toEqual([1, 1]);
    sink.requests.length = 0;
    await notices.advanceTo('20:59');
    expect(await beat(resources)).toEqual([0, 0]);
    await notices.advanceTo('21:00');
    expect(await beat(resources)).toEqual([1, 1]);
    for (const time of ['01:00', '06:30', '10:29']) {
      await notices.advanceTo(time);
      expect(await beat(resources)).toEqual([0, 0]);
    }
    await notices.advanceTo('10:30');
    expect(await beat(resources)).toEqual([1, 1]);
    const [begun, over] = sink.requests.map(({ url }) => new URL(url, sink.origin));
    expect(begun?.pathname).toBe('/healthchecks/start');
    expect(over?.searchParams.get('rid')).toBe(begun?.searchParams.get('rid'));
    await database.plan.updateMany({ where: { windowStart: '13:00' }, data: { paused: false } });
  });

  test('tell that people wait or are late, and that counts as told', async () => {
    await using sink = await openHttpSink();
    const resources = notices.calling(sink, 'healthchecks', 'kuma');
    const { person } = await notices.somebodyWaiting();
    await notices.advanceTo('06:30');
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
    const resources = notices.calling(sink, 'healthchecks');
    await notices.somebodyWaiting();
    await notices.advanceTo('05:30');
    await notices.keepTally(resources, { reasons: {}, for: 2 * hourMs });
    await notices.advanceTo('06:30');
    expect(await beat(resources)).toEqual([1, 1]);
    expect(pathsOf(sink)).toEqual([expect.stringMatching(/^\/healthchecks\/fail/)]);
  });

  test('name the pause where operators paused the night for everybody, as do the digest, the command and home, until they resume it', async () => {
    await using sink = await openHttpSink();
    const resources = notices.calling(sink, 'healthchecks', 'json');
    const { clock, database } = pages.resources;
    await notices.advanceTo('20:00');
    const person = await pages.consented();
    const userId = await person.userId();
    await wellSince(userId);
    await database.plan.updateMany({
      where: { userId },
      data: { nextDueAt: new Date(clock.now().getTime() + 6 * hourMs) },
    });
    const pausedSince = clock.now();
    const by = 'operator:somebody';
    expect(await pauseNight(resources, { by, words: 'a disk is changed' })).toBe(true);
    expect(await findProtection(resources, userId)).toMatchObject({ reason: 'complete', pausedSince: null });
    await notices.advanceTo('02:00');
    expect(await openNight(resources)).toEqual({ opened: 1 });
    await notices.advanceTo('06:30');
    const paused = { verdict: 'late', reason: 'paused_for_all', by: 'operator', pausedSince };
    expect(await findProtection(resources, userId)).toMatchObject(paused);
    await raiseNotices(resources);
    await beat(resources);
    const line = `1 × “${texts.protection.nights.paused_for_all.happened}” (paused_for_all)`;
    const told = sink.requests.filter(({ url, method }) => method === 'POST' && !url.includes('/start'));
    expect(told.map(({ url }) => url.split('?')[0]).toSorted()).toEqual(['/healthchecks/fail', '/json']);
    for (const { body } of told) expect(body).toContain(line);
    const later = await pages.newPerson(person.person);
    for (const [language, { formats, protection }] of [
      ['en', texts],
      ['de', german],
    ] as const) {
      const home = await (await later.send('/', { headers: { 'accept-language': language } })).text();
      const since = protection.pausedSince(formats.time(pausedSince, 'UTC'));
      expect(home).toContain(`${protection.nights.paused_for_all.happened} ${since}`);
    }
    expect(await resumeNight(resources, { by })).toBe(true);
    expect((await findProtection(resources, userId)).pausedSince).toBeNull();
  });

  test('say nothing where nobody is backed up, nor a day later', async () => {
    await using sink = await openHttpSink();
    const resources = notices.calling(sink, 'healthchecks');
    await notices.advanceTo('06:30');
    expect(await beat(resources)).toEqual([0, 0]);
    await pages.consented();
    await notices.advanceTo('20:00');
    expect(await beat(resources)).toEqual([0, 0]);
    expect(await findOperatorsLastTold(resources.database)).toBeNull();
  });
});

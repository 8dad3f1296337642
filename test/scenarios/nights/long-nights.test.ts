import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { findProtection } from '../../../src/flows/nights/find-protection.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { texts } from '../../../src/web/texts/en.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';
import { end, file, folder } from '../../support/servers/hostile-webdav.ts';

const nights = texts.protection.nights;

let fixture: ConsentFixture;
let runId: string;

/** Alice was backed up at noon; her night of 01:00 to 05:00 is due. At the provider, a token that is not used for an hour ends. */
beforeEach(async () => {
  fixture = await openConsentFixture();
  const { clock, config, database } = fixture.resources;
  Object.assign(config, { offlineIdleMs: hourMs });
  fixture.custody.provider.admin.setRealm({ offlineIdleSeconds: hourMs / 1000 });
  fixture.custody.pass(12 * hourMs + dayMs - (clock.now().getTime() % dayMs));
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const plan = await database.plan.findFirstOrThrow();
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  while (clock.now() < plan.nextDueAt) {
    fixture.custody.pass(Math.min(10 * minuteMs, plan.nextDueAt.getTime() - clock.now().getTime()));
    await keepAlive(fixture.resources);
  }
  await openNight(fixture.resources);
  const run = await database.run.findFirstOrThrow({ where: { slot: 'night' } });
  runId = run.id;
});
afterEach(() => fixture[Symbol.asyncDispose]());

const exchanges = async (purpose: string) => {
  const { startedAt } = await fixture.resources.database.run.findUniqueOrThrow({ where: { id: runId } });
  const found = await fixture.resources.database.exchange.findMany({
    where: { purpose, startedAt: { gte: startedAt ?? new Date() } },
  });
  expect(found.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  return found.length;
};
const protection = async () => {
  const { userId } = await fixture.resources.database.plan.findFirstOrThrow();
  const { verdict, reason } = await findProtection(fixture.resources, userId);
  return `${verdict} ${reason}`;
};
const expectLiving = async () => {
  const { clock, database } = fixture.resources;
  const { idleDeadline, state } = await database.grant.findFirstOrThrow();
  expect(state).toBe('active');
  expect(idleDeadline.getTime()).toBeGreaterThan(clock.now().getTime());
  expect(fixture.custody.provider.log.alive()).toMatchObject([{ subject: alice.subject }]);
};

test('a night of many files that lasts longer than its window and the idle window uses the consent all along, and keep-alive of another process takes no token from it', async () => {
  const { clock } = fixture.resources;
  const files = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`${n}.txt`, file(`number ${n}`)]));
  fixture.files.root.children?.set('many', folder(files));
  const keeper = fixture.other('keeper');
  // One answer after another, so that no hour passes while a token is on its way.
  let last: Promise<unknown> = Promise.resolve();
  fixture.files.mischief = ({ method, path }, response) => {
    const node = files[path.split('/').at(-1) ?? ''];
    if (method !== 'GET' || node === undefined) return undefined;
    last = last.then(async () => {
      fixture.custody.pass(minuteMs);
      await keepAlive(keeper);
      end(response, 200, { etag: node.etag ?? '' }, node.content?.toString());
    });
    return true;
  };
  const began = clock.now();
  expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', problemCount: 0, attempt: 1 });
  expect(clock.now().getTime() - began.getTime()).toBeGreaterThan(6 * hourMs);
  expect(await exchanges('run')).toBeGreaterThan(5);
  await expectLiving();
  expect(await protection()).toBe('protected complete');
});

test('one that asks for nothing new for hours leaves the consent to keep-alive; home says that it runs, and after its window that the night passed without a backup', async () => {
  const { clock, database } = fixture.resources;
  const large = file('as if it were large');
  fixture.files.root.children?.set('large.bin', large);
  const said: string[] = [];
  const home = async () => {
    const guest = await signInAs(fixture, alice);
    const page = await guest.text('/');
    said.push(await protection());
    return page;
  };
  const pages: string[] = [];
  const keeper = fixture.other('keeper');
  const sendSlowly = async () => {
    pages.push(await home());
    for (let passed = 0; passed < 6 * hourMs; passed += 10 * minuteMs) {
      fixture.custody.pass(10 * minuteMs);
      // As its worker renews it.
      const leaseUntil = new Date(clock.now().getTime() + minuteMs);
      await database.run.updateMany({ where: { id: runId, state: 'running' }, data: { leaseUntil } });
      await keepAlive(keeper);
    }
    pages.push(await home());
  };
  let sent: Promise<void> | undefined;
  fixture.files.mischief = ({ method, path }, response) => {
    if (method !== 'GET' || !path.endsWith('/large.bin')) return undefined;
    sent ??= sendSlowly();
    void sent.then(() => end(response, 200, { etag: large.etag ?? '' }, String(large.content)));
    return true;
  };
  const began = clock.now();
  expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', problemCount: 0, attempt: 1 });
  await sent;
  expect(clock.now().getTime() - began.getTime()).toBeGreaterThan(6 * hourMs);
  expect(await exchanges('keep-alive')).toBeGreaterThan(5);
  await expectLiving();
  // Yesterday's backup stands for the night before until the window of this one is over.
  expect(said).toEqual(['protected complete', 'late run_under_way']);
  const [before, after] = pages;
  expect(before).toContain(texts.home.protected);
  expect(after).toContain(texts.home.late);
  expect(after).toContain(nights.run_under_way.happened);
  expect(await protection()).toBe('protected complete');
  expect(await home()).toContain(texts.home.protected);
});

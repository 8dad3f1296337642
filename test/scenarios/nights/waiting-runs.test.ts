import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { claimRun } from '../../../src/database/nights/run-leases.ts';
import { openNight } from '../../../src/flows/nights/open-night.ts';
import { openPersonRepository } from '../../../src/flows/nights/open-person-repository.ts';
import { lockRepository } from '../../../src/store/repository/lock.ts';
import { openLockOwner } from '../../../src/store/repository/locks.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { type Guest, signInAs } from '../../support/harness/guest.ts';
import { end } from '../../support/servers/hostile-webdav.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
let fixture: ConsentFixture;
let guest: Guest;
let runId: string;

/** Alice consented at noon and was backed up; now her night of 01:00 to 05:00 is due. */
beforeEach(async () => {
  fixture = await openConsentFixture();
  const { clock, database } = fixture.resources;
  fixture.custody.pass(12 * hour + day - (clock.now().getTime() % day));
  guest = await signInAs(fixture, alice);
  await guest.consent();
  const plan = await database.plan.findFirstOrThrow();
  expect(await fixture.backUp(plan.id)).toMatchObject({ state: 'succeeded' });
  fixture.custody.pass(plan.nextDueAt.getTime() - clock.now().getTime());
  await openNight(fixture.resources);
  const run = await database.run.findFirstOrThrow({ where: { slot: 'night' } });
  runId = run.id;
  guest = await signInAs(fixture, alice);
});
afterEach(() => fixture[Symbol.asyncDispose]());

const now = () => fixture.resources.clock.now();
const look = () => fixture.resources.database.run.findUniqueOrThrow({ where: { id: runId } });
const grant = () => fixture.resources.database.grant.findFirstOrThrow();
const faults = () => fixture.custody.provider.faults;
/** Its share is not mounted, say; an answer that the archiver does not ask for again. */
const rootGone = () => {
  fixture.files.mischief = (_, response) => {
    end(response, 404);
    return true;
  };
};
/** The clock goes on while the fixture works. */
const expectAbout = (found: Date | null | undefined, expected: number) => {
  expect((found?.getTime() ?? 0) - expected).toBeGreaterThanOrEqual(-1_000);
  expect((found?.getTime() ?? 0) - expected).toBeLessThan(30_000);
};

/** A worker takes it each time that it is due, for so long, or until it has ended. */
async function tried(forMs = day, meanwhile: () => unknown = () => undefined) {
  const stop = now().getTime() + forMs;
  for (let tries = 0; ; tries++) {
    const { state, dueAt } = await look();
    if (state !== 'queued' || dueAt.getTime() > stop) return tries;
    fixture.custody.pass(Math.max(0, dueAt.getTime() - now().getTime()));
    await meanwhile();
    await fixture.workOn(runId);
  }
}

describe('a night goes well all the same', () => {
  test.each([
    ['a page of its proxy', { kind: 'page', when: 'before', status: 502 }],
    ['nothing, having cut the line', { kind: 'cut', when: 'before' }],
  ] as const)('where the token endpoint answers with %s for seven minutes', async (_, fault) => {
    const over = now().getTime() + 7 * minute;
    await tried(day, () => {
      faults().clear();
      if (now().getTime() < over) faults().next(fault, 9);
    });
    expect(await look()).toMatchObject({ state: 'succeeded', message: null, errorCode: null });
    expect(await grant()).toMatchObject({ state: 'active', reason: null });
  });

  test('where a consent that lives is refused once: it goes on when the consent is asked again', async () => {
    faults().next({ kind: 'invalid_grant' });
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', errorCode: 'grant/not-usable' });
    const { nextExchangeAt, state } = await grant();
    expect(state).toBe('suspect');
    expectAbout((await look()).dueAt, nextExchangeAt?.getTime() ?? 0);
    expect((await look()).message).toMatch(/asked again automatically; agreeing again fixes it at once/);
    await tried();
    expect(await look()).toMatchObject({ state: 'succeeded', attempt: 2, message: null });
    expect((await grant()).state).toBe('active');
  });

  test('where another program holds a lock on the repository for ten minutes', async () => {
    const { database, clock } = fixture.resources;
    const { id: userId } = await database.user.findFirstOrThrow();
    const { repository } = await openPersonRepository(fixture.resources, userId);
    const lock = await lockRepository(repository, { clock, exclusive: true, ...openLockOwner('elsewhere') });
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', errorCode: 'repository/locked' });
    await tried(10 * minute);
    expect((await look()).state).toBe('queued');
    await lock[Symbol.asyncDispose]();
    await tried();
    expect(await look()).toMatchObject({ state: 'succeeded', message: null });
  });

  test('where the files are not there for most of the window', async () => {
    rootGone();
    const { triedUntil } = await look();
    await tried(triedUntil.getTime() - now().getTime() - 20 * minute);
    expect((await look()).state).toBe('queued');
    fixture.files.mischief = () => undefined;
    await tried();
    expect(await look()).toMatchObject({ state: 'succeeded', message: null });
  });
});

test('a night whose files do not come back is over some time after its window, with the last cause', async () => {
  rootGone();
  expect(await tried()).toBeGreaterThan(10);
  const over = await look();
  expect(over).toMatchObject({ state: 'failed', errorCode: 'source/not-found' });
  const { zone, windowEnd } = await fixture.resources.database.plan.findFirstOrThrow();
  const time = new Intl.DateTimeFormat('sv-SE', { timeStyle: 'short', timeZone: zone });
  expect([windowEnd, time.format(over.triedUntil)]).toEqual(['05:00', '06:30']);
  expect(over.finishedAt?.getTime()).toBeLessThanOrEqual(over.triedUntil.getTime());
  expect(over.finishedAt?.getTime()).toBeGreaterThan(over.triedUntil.getTime() - 2 * minute);
});

describe('a Retry-After of a year', () => {
  test('of the provider holds neither the night nor the consent for more than an hour', async () => {
    faults().next({ kind: 'status', when: 'before', status: 503, retryAfter: '31536000' });
    await fixture.resources.database.grant.updateMany({ data: { nextExchangeAt: now() } });
    const at = now().getTime();
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', errorCode: 'provider/unavailable' });
    const { dueAt, triedUntil } = await look();
    expectAbout(dueAt, Math.min(at + hour, triedUntil.getTime() - minute));
    expectAbout((await grant()).nextExchangeAt, at + hour);
    await tried();
    expect((await look()).state).toBe('succeeded');
  });

  test('of the provider never holds a consent past its end', async () => {
    const end = new Date(now().getTime() + 20 * minute);
    await fixture.resources.database.grant.updateMany({ data: { nextExchangeAt: now(), idleDeadline: end } });
    faults().next({ kind: 'status', when: 'before', status: 503, retryAfter: '31536000' });
    await fixture.workOn(runId);
    expectAbout((await grant()).nextExchangeAt, end.getTime() - 10 * minute);
  });

  test('of the WebDAV server holds the night for an hour at most', async () => {
    fixture.files.mischief = (_, response) => {
      end(response, 503, { 'retry-after': '31536000' });
      return true;
    };
    const at = now().getTime();
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'queued', errorCode: 'source/unavailable' });
    const { dueAt, triedUntil } = await look();
    expectAbout(dueAt, Math.min(at + hour, triedUntil.getTime() - minute));
  });
});

describe('a run that waits is pulled forward at once, and says no more what it waited for,', () => {
  beforeEach(async () => {
    rootGone();
    await tried(20 * minute);
    fixture.files.mischief = () => undefined;
    fixture.taken();
    expect((await look()).dueAt.getTime()).toBeGreaterThan(now().getTime() + 5 * minute);
    expect((await look()).message).toMatch(/Nothing was backed up/);
  });

  const expectPulled = async () => {
    expect(fixture.taken()).toMatchObject([{ runId, now: true }]);
    const pulled = await look();
    expect(pulled).toMatchObject({ state: 'queued', message: null, errorCode: null });
    expect(pulled.dueAt.getTime()).toBeLessThanOrEqual(now().getTime());
    expect(pulled.triedUntil.getTime()).toBeGreaterThanOrEqual(pulled.dueAt.getTime() + 4 * hour);
    expect(await guest.text(`/runs/${runId}`)).not.toContain('Nothing was backed up');
    expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', attempt: 1 });
  };

  test('by “Back up now”', async () => {
    const pressed = await guest.post('/backup-now', {});
    expect(pressed.headers.get('location')).toBe(`/runs/${runId}`);
    await expectPulled();
  });

  test('by a consent that is given anew', async () => {
    await guest.consent();
    await expectPulled();
  });
});

test('a consent that is given anew mends at once what a refusal made wait', async () => {
  faults().next({ kind: 'invalid_grant' });
  await fixture.workOn(runId);
  expect((await grant()).state).toBe('suspect');
  await guest.consent();
  const pulled = await look();
  expect(pulled.message).toBeNull();
  expect(pulled.dueAt.getTime()).toBeLessThanOrEqual(now().getTime());
  expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', attempt: 1 });
});

test('“Back up now” while the circuit is open tries as soon as a probe may go', async () => {
  const { provider } = fixture.custody;
  const { clientId } = fixture.resources.issuer;
  const [secret = ''] = fixture.resources.config.provider.secrets;
  provider.admin.setClientSecret(clientId, 'another');
  await fixture.workOn(runId);
  expect(await fixture.resources.database.circuit.findFirstOrThrow()).toMatchObject({ open: true });
  provider.admin.setClientSecret(clientId, secret);
  fixture.custody.pass(30_000);
  await guest.post('/backup-now', {});
  expect(await fixture.workOn(runId)).toMatchObject({
    state: 'queued',
    errorCode: 'provider/circuit-open',
    attempt: 0,
  });
  expect((await look()).dueAt.getTime()).toBeLessThanOrEqual(now().getTime() + minute);
  fixture.custody.pass(minute);
  expect(await fixture.workOn(runId)).toMatchObject({ state: 'succeeded', message: null });
});

test('a press on a run that is being worked on answers that run, and leaves it alone', async () => {
  const claimed = await claimRun(fixture.resources.database, { runId, holder: 'somebody', at: now() });
  const before = await look();
  fixture.taken();
  const pressed = await guest.post('/backup-now', {});
  expect(pressed.headers.get('location')).toBe(`/runs/${runId}`);
  expect(claimed?.id).toBe(runId);
  expect(await look()).toEqual(before);
  expect(fixture.taken()).toEqual([]);
});

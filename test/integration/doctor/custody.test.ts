import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bob, carol } from '../../../demo/people.ts';
import { openCircuit } from '../../../src/database/custody/circuits.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { revokeWithdrawn } from '../../../src/flows/consent/revoke-tokens.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { findingLine } from '../../support/fixtures/finding-line.ts';
import { untilNoon } from '../../support/fixtures/noon.ts';
import {
  type DoctorFixtureOptions,
  type DoctorFixtureWithDatabase,
  openDoctorFixtureWithDatabase,
  statesOf,
} from '../../support/harness/doctor.ts';
import { keyLine } from '../../support/harness/settings.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

async function open(realm?: DoctorFixtureOptions['realm']): Promise<DoctorFixtureWithDatabase> {
  const fixture = opened.use(await openDoctorFixtureWithDatabase({ ...(realm && { realm }) }));
  fixture.pass(untilNoon(fixture.clock.now()));
  return fixture;
}
const nothingWrong = (findings: ReadonlyMap<string, Finding>) =>
  expect([...findings.values()].filter(({ state }) => state === 'wrong')).toEqual([]);

async function exchangeTwice(fixture: DoctorFixtureWithDatabase, pauseMs = hour): Promise<string> {
  const { id } = await fixture.consent();
  for (const _ of [1, 2]) {
    fixture.pass(pauseMs);
    await fixture.exchange(id);
  }
  return id;
}

test('an installation in which a person consented and was exchanged for is well', async () => {
  const fixture = await open({ revokeRefreshToken: false });
  await exchangeTwice(fixture);
  const findings = await fixture.examine();
  nothingWrong(findings);
  const names = ['migrations', 'keyring', 'offline tokens', 'rotation', 'grants', 'circuits', 'deadlines', 'runs'];
  expect(statesOf(findings, ...names)).toEqual(Object.fromEntries(names.map((name) => [name, 'ok'])));
  expect(findingLine(findings.get('rotation'))).toMatch(
    /^ok: Of 2 exchanges each brought a new token, and older ones stay valid/,
  );
});

test('looking sends no token, writes no row and puts no key in front', async () => {
  const fixture = await open();
  await exchangeTwice(fixture);
  const tables = () =>
    Promise.all([
      fixture.database.exchange.count(),
      fixture.database.event.count(),
      fixture.database.tokenGeneration.count(),
      fixture.database.canary.findMany(),
      fixture.database.grant.findMany(),
    ]);
  const before = JSON.stringify(await tables());
  const exchanges = fixture.provider.log.requests().filter(({ sid }) => sid !== undefined).length;
  await fixture.examine({ KEYRING: `${keyLine('new')}\n${fixture.environment.KEYRING}` });
  expect(JSON.stringify(await tables())).toBe(before);
  expect(fixture.provider.log.requests().filter(({ sid }) => sid !== undefined)).toHaveLength(exchanges);
  expect(fixture.provider.log.alive()).toHaveLength(1);
});

describe('rotation', () => {
  test('that ends a token with its use is seen in the token, and one reuse is recommended', async () => {
    const fixture = await open();
    await fixture.consent();
    expect(findingLine((await fixture.examine()).get('rotation'))).toMatch(
      /^warn: A token can be used once.*cannot be seen from here.* → Set Refresh Token Max Reuse to 1/,
    );
  });

  test('that lets a token come back once is seen after an answer was lost', async () => {
    const fixture = await open({ refreshTokenMaxReuse: 1 });
    const { id } = await fixture.consent();
    fixture.provider.faults.next({ kind: 'cut', when: 'after' });
    await fixture.exchange(id);
    fixture.pass(10 * minute);
    await fixture.exchange(id);
    expect(findingLine((await fixture.examine()).get('rotation'))).toMatch(
      /^ok: A token can be used once, but again if the answer was lost/,
    );
  });

  test('that lets nothing come back is blamed for what was lost', async () => {
    const fixture = await open({ refreshTokenMaxReuse: 0 });
    const { id } = await fixture.consent();
    fixture.provider.faults.next({ kind: 'cut', when: 'after' });
    await fixture.exchange(id);
    fixture.pass(10 * minute);
    await fixture.exchange(id);
    const findings = await fixture.examine();
    expect(findingLine(findings.get('rotation'))).toMatch(/^warn: .*1 answer was lost in 30 days/);
    expect(findingLine(findings.get('grants'))).toMatch(/^wrong: 1 token was lost by Nightkeep/);
  });

  test('that does not take place is called that', async () => {
    const fixture = await open({ revokeRefreshToken: false });
    const { id } = await fixture.consent();
    for (const _ of [1, 2]) {
      fixture.pass(hour);
      fixture.provider.faults.next({ kind: 'odd', part: 'no refresh_token' });
      await fixture.exchange(id);
    }
    expect(findingLine((await fixture.examine()).get('rotation'))).toMatch(/^ok: No exchange of 2 brought a new token/);
  });
});

describe('offline windows', () => {
  test('that tokens show shorter than the settings are named', async () => {
    const limited = { offlineMaxLimited: true, offlineIdleSeconds: 86_400, offlineMaxSeconds: 10 * 86_400 };
    const fixture = await open(limited);
    const { id } = await fixture.consent();
    expect(findingLine((await fixture.examine()).get('offline idle'))).toMatch(
      /^warn: OFFLINE_IDLE is 30d, but tokens say that they end after 1d without use.* → Set OFFLINE_IDLE to 1d/,
    );
    for (let exchanged = 0; exchanged < 19; exchanged++) {
      fixture.pass(day / 2);
      await fixture.exchange(id);
    }
    expect(findingLine((await fixture.examine()).get('offline maximum'))).toMatch(
      /^warn: OFFLINE_MAX is not set, but tokens end 10d after consent.* → Set OFFLINE_MAX to 10d/,
    );
    const right = await fixture.examine({ OFFLINE_IDLE: '1d', OFFLINE_MAX: '10d' });
    expect(statesOf(right, 'offline idle', 'offline maximum', 'deadlines')).toEqual({
      'offline idle': 'ok',
      'offline maximum': 'ok',
      deadlines: 'ok',
    });
  });

  test('that only show in tokens that were gone after a pause are named', async () => {
    const fixture = await open({ offlineIdleSeconds: 2 * 86_400 });
    const grants = [await fixture.consent(), await fixture.consent(bob)];
    const all = () => Promise.all(grants.map(({ id }) => fixture.exchange(id)));
    fixture.pass(day);
    await all();
    expect((await fixture.examine()).get('offline idle')).toMatchObject({ state: 'unknown' });
    fixture.pass(4 * day);
    await all();
    expect(findingLine((await fixture.examine()).get('offline idle'))).toMatch(
      /^warn: OFFLINE_IDLE is 30d, but 2 sessions were gone after 4d or more.*Offline Session Idle/,
    );
  });
});

describe('grants', () => {
  test('of people whose role was taken away are told apart from others', async () => {
    const fixture = await open();
    const { id } = await fixture.consent();
    fixture.provider.admin.setOfflineRole('alice', false);
    fixture.pass(hour);
    await fixture.exchange(id);
    expect(findingLine((await fixture.examine()).get('grants'))).toMatch(
      /^warn: 1 person may no longer give offline access.*suspect: permission_missing 1.*realm role offline_access/,
    );
  });

  test('that lost their token by us are never passed over', async () => {
    const fixture = await open();
    const { id } = await fixture.consent();
    await fixture.consent(bob);
    await fixture.database.grant.update({ where: { id }, data: { state: 'needs_consent', reason: 'lost_rotation' } });
    expect(findingLine((await fixture.examine()).get('grants'))).toMatch(
      /^wrong: 1 token was lost by Nightkeep.*1 active; 1 needs_consent: lost_rotation 1.* → Set Refresh Token Max Reuse/,
    );
  });

  test('that nobody keeps alive are named before they end', async () => {
    const fixture = await open();
    await fixture.consent();
    fixture.pass(8 * day);
    expect(findingLine((await fixture.examine()).get('deadlines'))).toMatch(
      /^wrong: Of 1 grant 1 should have been exchanged 1h ago/,
    );
    fixture.pass(16 * day);
    expect(findingLine((await fixture.examine()).get('deadlines'))).toMatch(
      /^wrong: .*more than three quarters.*Run a worker/,
    );
  });

  test('that were withdrawn while the provider was away are counted until it has heard of it', async () => {
    const fixture = await open();
    const { id } = await fixture.consent();
    expect((await fixture.examine()).get('withdrawals')).toMatchObject({ state: 'ok' });
    await fixture.provider.down();
    await withdrawConsent(fixture.resources, { grantId: id, by: 'alice' });
    await fixture.provider.up();
    fixture.pass(2 * hour);
    expect(findingLine((await fixture.examine()).get('withdrawals'))).toMatch(
      /^warn: The provider has not ended 1 token/,
    );
    await revokeWithdrawn(fixture.resources);
    expect((await fixture.examine()).get('withdrawals')).toMatchObject({ state: 'ok' });
  });

  test('of a provider whose circuit is open are reported as that', async () => {
    const fixture = await open();
    await fixture.consent();
    const at = fixture.clock.now();
    const about = { issuer: fixture.provider.issuer, clientId: 'nightkeep', at };
    await openCircuit(fixture.database, { ...about, reason: 'refusals' });
    expect(findingLine((await fixture.examine()).get('circuits'))).toMatch(
      /^wrong: Only one exchange a minute.*circuits --trust/,
    );
  });
});

describe('tokens', () => {
  test('of another name of the provider are named', async () => {
    const fixture = await open();
    await fixture.consent(carol);
    const findings = await fixture.examine({ OIDC_ISSUER: 'http://localhost:1/' });
    expect(findingLine(findings.get('offline tokens'))).toMatch(
      /^wrong: .*issued by http:\/\/127.0.0.1:\d+, which is not OIDC_ISSUER/,
    );
  });

  test('that do not open are named, and so is the keyring that is not the right one', async () => {
    const fixture = await open();
    await fixture.consent();
    const another = await fixture.examine({ KEYRING: keyLine('one') });
    expect(findingLine(another.get('keyring'))).toMatch(
      /^wrong: .*one is missing or has changed.* → Put the right KEYRING back/,
    );
    expect(findingLine(another.get('offline tokens'))).toMatch(/^wrong: Of the latest 1 token 1 did not open/);
    const missing = await fixture.examine({ KEYRING: keyLine('two') });
    expect(findingLine(missing.get('keyring'))).toMatch(/^wrong: .*: one is missing/);
    const unreadable = await fixture.examine({ KEYRING: 'one:short' });
    expect(unreadable.get('keyring')).toMatchObject({ state: 'unknown' });
    expect(findingLine(unreadable.get('settings'))).toMatch(
      /^wrong: The keyring cannot be used: key 1 is not written like id:key/,
    );
    expect(unreadable.get('offline tokens')).toMatchObject({ state: 'unknown' });
    expect(findingLine((await fixture.examine({ KEYRING: undefined })).get('keyring'))).toMatch(
      /^wrong: There is no keyring, but this database was sealed with one.*Do not start before/,
    );
  });
});

describe('runs', () => {
  const addRun = async (fixture: DoctorFixtureWithDatabase, data: object) => {
    const plan = await fixture.database.plan.findFirstOrThrow();
    const at = fixture.clock.now();
    const row = {
      id: randomUUID(),
      planId: plan.id,
      night: '2030-01-01',
      trigger: 'schedule',
      dueAt: at,
      queuedAt: at,
    };
    await fixture.database.run.create({ data: { ...row, slot: row.id, ...data } });
  };

  test('that nobody takes, that were left behind and that fail are told apart', async () => {
    const fixture = await open();
    await fixture.consent();
    const at = fixture.clock.now();
    await addRun(fixture, { state: 'failed', finishedAt: at, errorCode: 'source/forbidden' });
    expect(findingLine((await fixture.examine()).get('runs'))).toMatch(
      /^warn: Of 1 run in a day 1 failed, most often by source\/forbidden/,
    );
    await addRun(fixture, { state: 'running', leaseUntil: at });
    fixture.pass(hour);
    expect(findingLine((await fixture.examine()).get('runs'))).toMatch(
      /^wrong: 1 run was left by a worker that is gone.*heal/,
    );
    await addRun(fixture, { state: 'queued', dueAt: at });
    expect(findingLine((await fixture.examine()).get('runs'))).toMatch(
      /^wrong: 1 run is waiting and none is in progress/,
    );
    await fixture.database.plan.updateMany({ data: { nextDueAt: at } });
    expect(findingLine((await fixture.examine()).get('runs'))).toMatch(
      /^wrong: 1 night should have been opened by now/,
    );
  });
});

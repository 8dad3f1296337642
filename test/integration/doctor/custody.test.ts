import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bob, carol } from '../../../demo/people.ts';
import { openCircuit } from '../../../src/database/circuits.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { revokeWithdrawn } from '../../../src/flows/consent/revoke-tokens.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { keyLine, openSurgery, type ReceptionOptions, type Surgery, statesOf } from './house.ts';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

const open = async (realm?: ReceptionOptions['realm']) => opened.use(await openSurgery({ ...(realm && { realm }) }));
const found = (finding: Finding | undefined) => `${finding?.state}: ${finding?.finding} → ${finding?.cure}`;
const nothingWrong = (findings: ReadonlyMap<string, Finding>) =>
  expect([...findings.values()].filter(({ state }) => state === 'wrong')).toEqual([]);

async function exchangeTwice(house: Surgery, pauseMs = hour): Promise<string> {
  const { id } = await house.consent();
  for (const _ of [1, 2]) {
    house.pass(pauseMs);
    await house.exchange(id);
  }
  return id;
}

test('a house in which a person consented and was exchanged for is well', async () => {
  const house = await open({ revokeRefreshToken: false });
  await exchangeTwice(house);
  const findings = await house.examine();
  nothingWrong(findings);
  const names = ['migrations', 'keyring', 'offline tokens', 'rotation', 'grants', 'circuits', 'deadlines', 'runs'];
  expect(statesOf(findings, ...names)).toEqual(Object.fromEntries(names.map((name) => [name, 'ok'])));
  expect(found(findings.get('rotation'))).toMatch(
    /^ok: Of 2 exchanges each brought a new token, and older ones stay good/,
  );
});

test('looking sends no token, writes no row and puts no key in front', async () => {
  const house = await open();
  await exchangeTwice(house);
  const tables = () =>
    Promise.all([
      house.database.exchange.count(),
      house.database.event.count(),
      house.database.tokenGeneration.count(),
      house.database.canary.findMany(),
      house.database.grant.findMany(),
    ]);
  const before = JSON.stringify(await tables());
  const exchanges = house.provider.log.requests().filter(({ sid }) => sid !== undefined).length;
  await house.examine({ KEYRING: `${keyLine('new')}\n${house.environment.KEYRING}` });
  expect(JSON.stringify(await tables())).toBe(before);
  expect(house.provider.log.requests().filter(({ sid }) => sid !== undefined)).toHaveLength(exchanges);
  expect(house.provider.log.alive()).toHaveLength(1);
});

describe('rotation', () => {
  test('that ends a token with its use is seen in the token, and one reuse is recommended', async () => {
    const house = await open();
    await house.consent();
    expect(found((await house.examine()).get('rotation'))).toMatch(
      /^warn: A token ends when it is used.*cannot be seen from here.* → Set Refresh Token Max Reuse to 1/,
    );
  });

  test('that lets a token come back once is seen after an answer was lost', async () => {
    const house = await open({ refreshTokenMaxReuse: 1 });
    const { id } = await house.consent();
    house.provider.faults.next({ kind: 'cut', when: 'after' });
    await house.exchange(id);
    house.pass(10 * minute);
    await house.exchange(id);
    expect(found((await house.examine()).get('rotation'))).toMatch(
      /^ok: A token ends when it is used, but may come back/,
    );
  });

  test('that lets nothing come back is blamed for what was lost', async () => {
    const house = await open({ refreshTokenMaxReuse: 0 });
    const { id } = await house.consent();
    house.provider.faults.next({ kind: 'cut', when: 'after' });
    await house.exchange(id);
    house.pass(10 * minute);
    await house.exchange(id);
    const findings = await house.examine();
    expect(found(findings.get('rotation'))).toMatch(/^warn: .*1 answer got lost in 30 days/);
    expect(found(findings.get('grants'))).toMatch(/^wrong: 1 token was lost by us/);
  });

  test('that does not take place is called that', async () => {
    const house = await open({ revokeRefreshToken: false });
    const { id } = await house.consent();
    for (const _ of [1, 2]) {
      house.pass(hour);
      house.provider.faults.next({ kind: 'odd', part: 'no refresh_token' });
      await house.exchange(id);
    }
    expect(found((await house.examine()).get('rotation'))).toMatch(/^ok: No exchange of 2 brought a new token/);
  });
});

describe('offline windows', () => {
  test('that tokens show shorter than the settings are named', async () => {
    const limited = { offlineMaxLimited: true, offlineIdleSeconds: 86_400, offlineMaxSeconds: 10 * 86_400 };
    const house = await open(limited);
    const { id } = await house.consent();
    expect(found((await house.examine()).get('offline idle'))).toMatch(
      /^warn: OFFLINE_IDLE is 30d, but tokens say that they end after 1d unused.* → Set OFFLINE_IDLE to 1d/,
    );
    for (let exchanged = 0; exchanged < 19; exchanged++) {
      house.pass(day / 2);
      await house.exchange(id);
    }
    expect(found((await house.examine()).get('offline maximum'))).toMatch(
      /^warn: OFFLINE_MAX is not set, but tokens end 10d after consent.* → Set OFFLINE_MAX to 10d/,
    );
    const right = await house.examine({ OFFLINE_IDLE: '1d', OFFLINE_MAX: '10d' });
    expect(statesOf(right, 'offline idle', 'offline maximum', 'deadlines')).toEqual({
      'offline idle': 'ok',
      'offline maximum': 'ok',
      deadlines: 'ok',
    });
  });

  test('that only show in tokens that were gone after a pause are named', async () => {
    const house = await open({ offlineIdleSeconds: 2 * 86_400 });
    const grants = [await house.consent(), await house.consent(bob)];
    const all = () => Promise.all(grants.map(({ id }) => house.exchange(id)));
    house.pass(day);
    await all();
    expect((await house.examine()).get('offline idle')).toMatchObject({ state: 'unknown' });
    house.pass(4 * day);
    await all();
    expect(found((await house.examine()).get('offline idle'))).toMatch(
      /^warn: OFFLINE_IDLE is 30d, but 2 sessions were gone after 4d or more.*Offline Session Idle/,
    );
  });
});

describe('grants', () => {
  test('of people whose role was taken are told from others', async () => {
    const house = await open();
    const { id } = await house.consent();
    house.provider.admin.setOfflineRole('alice', false);
    house.pass(hour);
    await house.exchange(id);
    expect(found((await house.examine()).get('grants'))).toMatch(
      /^warn: 1 person may no longer give offline access.*suspect: permission_missing 1.*realm role offline_access/,
    );
  });

  test('that lost their token by us are never passed over', async () => {
    const house = await open();
    const { id } = await house.consent();
    await house.consent(bob);
    await house.database.grant.update({ where: { id }, data: { state: 'needs_consent', reason: 'lost_rotation' } });
    expect(found((await house.examine()).get('grants'))).toMatch(
      /^wrong: 1 token was lost by us.*1 active; 1 needs_consent: lost_rotation 1.* → Set Refresh Token Max Reuse/,
    );
  });

  test('that nobody keeps alive are named before they end', async () => {
    const house = await open();
    await house.consent();
    house.pass(8 * day);
    expect(found((await house.examine()).get('deadlines'))).toMatch(
      /^wrong: Of 1 grant 1 should have been exchanged 1h ago/,
    );
    house.pass(16 * day);
    expect(found((await house.examine()).get('deadlines'))).toMatch(/^wrong: .*more than three quarters.*worker run/);
  });

  test('that were withdrawn while the provider was away are counted until it has heard of it', async () => {
    const house = await open();
    const { id } = await house.consent();
    expect((await house.examine()).get('withdrawals')).toMatchObject({ state: 'ok' });
    await house.provider.down();
    await withdrawConsent(house.resources, { grantId: id, by: 'alice' });
    await house.provider.up();
    house.pass(2 * hour);
    expect(found((await house.examine()).get('withdrawals'))).toMatch(/^warn: The provider has not ended 1 token/);
    await revokeWithdrawn(house.resources);
    expect((await house.examine()).get('withdrawals')).toMatchObject({ state: 'ok' });
  });

  test('of a provider whose circuit is open are told so', async () => {
    const house = await open();
    await house.consent();
    const at = house.clock.now();
    const about = { issuer: house.provider.issuer, clientId: 'nightkeep', at };
    await openCircuit(house.database, { ...about, reason: 'refusals' });
    expect(found((await house.examine()).get('circuits'))).toMatch(
      /^wrong: Only one exchange a minute.*circuits --trust/,
    );
  });
});

describe('tokens', () => {
  test('of another name of the provider are named', async () => {
    const house = await open();
    await house.consent(carol);
    const findings = await house.examine({ OIDC_ISSUER: 'http://localhost:1/' });
    expect(found(findings.get('offline tokens'))).toMatch(
      /^wrong: .*issued by http:\/\/127.0.0.1:\d+, which is not OIDC_ISSUER/,
    );
  });

  test('that do not open are named, and so is the keyring that is not the right one', async () => {
    const house = await open();
    await house.consent();
    const another = await house.examine({ KEYRING: keyLine('one') });
    expect(found(another.get('keyring'))).toMatch(
      /^wrong: .*one is missing or another key.* → Put the right KEYRING back/,
    );
    expect(found(another.get('offline tokens'))).toMatch(/^wrong: Of the latest 1 tokens 1 did not open/);
    const missing = await house.examine({ KEYRING: keyLine('two') });
    expect(found(missing.get('keyring'))).toMatch(/^wrong: .*: one is missing/);
    const unreadable = await house.examine({ KEYRING: 'one:short' });
    expect(found(unreadable.get('keyring'))).toMatch(
      /^wrong: The keyring cannot be used: key 1 is not written like id:key/,
    );
    expect(unreadable.get('offline tokens')).toMatchObject({ state: 'unknown' });
    expect(found((await house.examine({ KEYRING: undefined })).get('keyring'))).toMatch(
      /^wrong: There is no keyring, but this database was sealed with one.*Do not start before/,
    );
  });
});

describe('runs', () => {
  const addRun = async (house: Surgery, data: object) => {
    const plan = await house.database.plan.findFirstOrThrow();
    const at = house.clock.now();
    const row = {
      id: randomUUID(),
      planId: plan.id,
      night: '2030-01-01',
      trigger: 'schedule',
      dueAt: at,
      queuedAt: at,
    };
    await house.database.run.create({ data: { ...row, slot: row.id, ...data } });
  };

  test('that nobody takes, that were left behind and that fail are told apart', async () => {
    const house = await open();
    await house.consent();
    const at = house.clock.now();
    await addRun(house, { state: 'failed', finishedAt: at, errorCode: 'source/forbidden' });
    expect(found((await house.examine()).get('runs'))).toMatch(
      /^warn: Of 1 run in a day 1 failed, most often by source\/forbidden/,
    );
    await addRun(house, { state: 'running', leaseUntil: at });
    house.pass(hour);
    expect(found((await house.examine()).get('runs'))).toMatch(/^wrong: 1 run was left by a worker that is gone.*heal/);
    await addRun(house, { state: 'queued', dueAt: at });
    expect(found((await house.examine()).get('runs'))).toMatch(/^wrong: 1 run waits and none is worked on/);
    await house.database.plan.updateMany({ data: { nextDueAt: at } });
    expect(found((await house.examine()).get('runs'))).toMatch(/^wrong: 1 night should have been opened by now/);
  });
});

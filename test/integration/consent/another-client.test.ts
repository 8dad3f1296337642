import { afterEach, beforeEach, expect, test } from 'vitest';
import { alice } from '../../../demo/people.ts';
import { countGrantsOfOtherClients } from '../../../src/database/consent/provider-moves.ts';
import { saveHours } from '../../../src/database/nights/plans.ts';
import { checkClients } from '../../../src/doctor/checks/issuers.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { findBrokenRows } from '../../../src/flows/keys/broken-rows.ts';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { type ConsentFixture, openConsentFixture } from '../../support/harness/consent.ts';
import { signInAs } from '../../support/harness/guest.ts';

let fixture: ConsentFixture;
beforeEach(async () => {
  fixture = await openConsentFixture();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** The operator makes another client at the provider, and names it in the settings. */
function nameClient(id: string): void {
  fixture.register({ id });
  const { clock, config } = fixture.resources;
  Object.assign(config, { provider: { ...config.provider, clientId: id } });
  const { provider, publicUrl } = config;
  Object.assign(fixture.resources, { issuer: openIssuer({ provider, publicUrl, clock, log: silentLog }) });
}

async function backUp(planId: string) {
  await fixture.resources.database.run.updateMany({ where: { state: 'queued' }, data: { state: 'cancelled' } });
  return fixture.backUp(planId);
}

test('who agrees anew for another client keeps plan, hours, snapshots and record; the consent before ends here, its tokens with it', async () => {
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const { clock, config, database } = fixture.resources;
  const before = await database.plan.findFirstOrThrow();
  const hours = { zone: 'Europe/Berlin', windowStart: '02:00', windowEnd: '03:00' };
  await saveHours(database, { userId: before.userId, hours, at: clock.now(), by: 'user:alice' });
  expect(await backUp(before.id)).toMatchObject({ state: 'succeeded' });

  const former = config.provider.clientId;
  nameClient('second');
  fixture.resources.tokenCache.known.clear();
  expect((await backUp(before.id)).errorCode).toMatch(/^(provider|grant)\//);
  const { issuer } = await database.grant.findFirstOrThrow();
  const others = () => countGrantsOfOtherClients(database, { issuer, clientId: config.provider.clientId });
  expect(await others()).toEqual([{ clientId: former, count: 1 }]);
  fixture.custody.pass(1_000);
  const again = await signInAs(fixture, alice);
  expect(await again.text('/consent')).toContain('02:00');
  await again.consent();
  expect(await others()).toEqual([]);
  const grants = await database.grant.findMany({ orderBy: { createdAt: 'asc' } });
  expect(grants.map(({ clientId, state, reason }) => [clientId, state, reason])).toEqual([
    [former, 'withdrawn', 'client_changed'],
    ['second', 'active', null],
  ]);
  expect(await database.plan.findMany()).toMatchObject([{ id: before.id, grantId: grants[1]?.id, ...hours }]);
  expect(await database.tokenGeneration.count({ where: { grantId: grants[0]?.id ?? '', sealed: { not: null } } })).toBe(
    0,
  );
  expect(await findBrokenRows(fixture.resources)).toEqual([]);
  expect(await backUp(before.id)).toMatchObject({ state: 'succeeded', counts: { filesNew: 0, filesChanged: 0 } });
});

test('the nights go on of whoever had withdrawn, and agrees for another client', async () => {
  const guest = await signInAs(fixture, alice);
  await guest.consent();
  const { database } = fixture.resources;
  const { grantId } = await database.plan.findFirstOrThrow();
  await withdrawConsent(fixture.resources, { grantId, by: 'user:alice' });
  const before = await database.plan.findFirstOrThrow();
  expect(before.paused).toBe(true);
  nameClient('second');
  fixture.custody.pass(1_000);
  await (await signInAs(fixture, alice)).consent();
  expect(await database.plan.findMany()).toMatchObject([{ id: before.id, paused: false }]);
  expect(await backUp(before.id)).toMatchObject({ state: 'succeeded' });
});

test('the doctor sees consents that were given to another client', () => {
  expect(checkClients([])).toEqual([]);
  const [finding] = checkClients([{ clientId: 'old', count: 12 }]);
  expect(`${finding?.state}: ${finding?.finding} ${finding?.cure}`).toMatch(
    /^warn: People gave 12 consents to old, which is not OIDC_CLIENT_ID.* ask these people to agree again/,
  );
});

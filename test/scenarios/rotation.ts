import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { obtainAccess } from '../../src/flows/custody/obtain-access.ts';
import {
  consent,
  exchangesOf,
  grantOf,
  openServiceFixture,
  type ServiceFixture,
} from '../support/harness/service-fixture.ts';
import type { Provider, Rules } from '../support/realms/realm.ts';

type Rotation = NonNullable<Rules['rotation']>;

const settings: readonly [string, Rotation][] = [
  ['off', 'off'],
  ['on, reuse 0', { reuse: 0 }],
  ['on, reuse 1', { reuse: 1 }],
];

/** Keycloak's Revoke Refresh Token: each offline token serves once, and one that comes back ends the session. */
export function describeRotation(provider: Provider): void {
  test.each(settings)('with Revoke Refresh Token %s the consent lives twenty nights with two workers', (_, rotation) =>
    liveThrough(provider, rotation, 20),
  );

  test('Revoke Refresh Token may be switched on and off between nights', async () => {
    await using fixture = await openServiceFixture(provider, { rules: { rotation: 'off' } });
    await consent(fixture, alice);
    for (const rotation of ['off', { reuse: 0 }, { reuse: 0 }, 'off', 'off', { reuse: 1 }, { reuse: 0 }] as const) {
      await fixture.realm.configure({ rotation });
      expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
    }
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', refusals: 0 });
  });
}

/** Where refresh tokens are rotated in one way and no other. */
export function describeTwoWorkers(provider: Provider, rotation: Rotation, nights: number): void {
  test(`two workers that ask at once do not end the consent in ${nights} nights`, () =>
    liveThrough(provider, rotation, nights));
}

/** The consent lives so many nights with two workers. */
async function liveThrough(provider: Provider, rotation: Rotation, nights: number): Promise<void> {
  await using fixture = await openServiceFixture(provider, { rules: { rotation }, workers: 2 });
  await consent(fixture, alice);
  for (let night = 1; night <= nights; night += 1)
    expect(await fixture.night(() => everyProcessAsks(fixture))).toMatchObject([
      { errorCode: null, state: 'succeeded' },
    ]);
  const exchanges = (await exchangesOf(fixture, alice)).filter(({ purpose }) => purpose !== 'consent');
  expect(exchanges.length).toBeGreaterThan(nights);
  expect(exchanges.every(({ verdict }) => verdict === 'ok')).toBe(true);
  if (rotation !== 'off') expect(new Set(exchanges.map(({ generation }) => generation)).size).toBe(exchanges.length);
  expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
  expect(await fixture.realm.offlineSessions(alice)).toBe(1);
}

/** Each process wants access at the same moment, as when one person's runs fall to several workers. */
async function everyProcessAsks(fixture: ServiceFixture): Promise<void> {
  const { id: grantId } = await grantOf(fixture, alice);
  await Promise.all(fixture.processes.map((each) => obtainAccess(each, { grantId, minimumSeconds: 30 })));
}

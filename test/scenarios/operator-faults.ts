import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { dayMs, hourMs, minuteMs } from '../../src/durations.ts';
import { texts } from '../../src/web/texts/en.ts';
import { madeUpPeople } from '../support/fixtures/made-up-people.ts';
import {
  backUpNow,
  consent,
  databaseOf,
  grantOf,
  homeOf,
  keepTokensAlive,
  openServiceFixture,
  type ServiceFixture,
  sweep,
  sweepUntil,
} from '../support/harness/service-fixture.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

/** What an administrator does to all consents at once, and the word for it in the list of circuits. */
const ofEverybody: readonly [RealmFault, string][] = [
  ['the secret of the client is changed', 'unauthorized_client'],
  ['the client is disabled', 'invalid_client'],
  ['a not-before policy is pushed for the realm', 'refusals'],
  ['a not-before policy is pushed for the client', 'refusals'],
  ['the scope offline_access is taken from the client', 'refusals'],
];

/** One fault of an operator or an administrator concerns everybody, and is nobody's withdrawal. */
export function describeOperatorFaults(provider: Provider): void {
  describe('ten consents', () => {
    const people = madeUpPeople(10);
    let fixture: ServiceFixture;

    beforeAll(async () => {
      fixture = await openServiceFixture(provider, { people });
      for (const person of people) await consent(fixture, person);
    }, 300_000);
    afterAll(() => fixture?.[Symbol.asyncDispose]());

    const told = ofEverybody.filter(([fault]) => provider.behavesAs === '26.7' || !fault.includes('scope'));
    test.each(told)('survive it when %s, however long it lasts, and go on when it is mended', async (fault, reason) => {
      const undo = await fixture.realm.inject(fault, alice);
      fixture.pass(8 * dayMs);
      for (let tried = 0; tried < 30; tried += 1) {
        await keepTokensAlive(fixture);
        fixture.pass(hourMs);
      }
      expect(await circuitsOf(fixture)).toMatch(
        new RegExp(`^open +${fixture.realm.issuer} +nightkeep +${reason} `, 'm'),
      );
      expect(await statesOf(fixture)).not.toContain('needs_consent');
      await undo?.();
      const closed = new RegExp(`^closed +${fixture.realm.issuer} `, 'm');
      // The duty of this very minute may have had the one probe of it before the fault was mended.
      await sweepUntil(fixture, 3 * hourMs, async () => {
        const states = await statesOf(fixture);
        return states.every((state) => state === 'active') && closed.test(await circuitsOf(fixture));
      });
    });

    test('have a good night, all ten of them', async () => {
      await sweepUntil(fixture, hourMs, () => waitForOneNight(fixture));
      const runs = await fixture.night();
      expect(runs.map(({ state }) => state)).toEqual(people.map(() => 'succeeded'));
    });
  });

  test('when the realm is imported again with other keys the operator is asked first, and then the people', async () => {
    await using fixture = await openServiceFixture(provider);
    const visitors = [await consent(fixture, alice), await consent(fixture, bob)];
    await fixture.realm.inject('the realm is imported again with other keys', alice);
    fixture.pass(10 * minuteMs);
    for (const visitor of visitors) await backUpNow(fixture, visitor);
    for (let tried = 0; tried < 10; tried += 1) {
      await sweep(fixture);
      fixture.pass(30 * minuteMs);
    }
    expect(await circuitsOf(fixture)).toMatch(new RegExp(`^open +${fixture.realm.issuer} +nightkeep +refusals `, 'm'));
    for (const visitor of visitors)
      expect(await homeOf(fixture, visitor)).toContain(texts.protection.consent.provider_trouble.happened);
    expect(await statesOf(fixture)).not.toContain('needs_consent');

    await fixture.command('circuits', '--trust', fixture.realm.issuer);
    const allOver = async () => (await statesOf(fixture)).every((state) => state === 'needs_consent');
    await sweepUntil(fixture, 30 * minuteMs, allOver);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'needs_consent', reason: 'ended_at_provider' });
    const again = await consent(fixture, alice);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
    expect(await homeOf(fixture, again)).not.toContain(texts.home.expired);
  });
}

async function statesOf({ processes }: ServiceFixture): Promise<string[]> {
  return (await databaseOf(processes).grant.findMany({ select: { state: true } })).map(({ state }) => state);
}

async function circuitsOf(fixture: ServiceFixture): Promise<string> {
  return fixture.command('circuits');
}

/** Whether all plans wait for the same night: time was passed, and it may have ended within a window. */
async function waitForOneNight({ processes }: ServiceFixture): Promise<boolean> {
  const plans = await databaseOf(processes).plan.findMany({ select: { nextNight: true } });
  return new Set(plans.map(({ nextNight }) => nextNight)).size === 1;
}

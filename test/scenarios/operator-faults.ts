import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { texts } from '../../src/web/texts.ts';
import { madeUpPeople } from '../support/fixtures/made-up-people.ts';
import {
  backUpNow,
  consent,
  databaseOf,
  grantOf,
  homeOf,
  openScene,
  type Scene,
  sweep,
  sweepUntil,
} from '../support/harness/scene.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

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
    let scene: Scene;

    beforeAll(async () => {
      scene = await openScene(provider, { people });
      for (const person of people) await consent(scene, person);
    }, 300_000);
    afterAll(() => scene?.[Symbol.asyncDispose]());

    const told = ofEverybody.filter(([fault]) => provider.behavesAs === '26.7' || !fault.includes('scope'));
    test.each(told)('survive it when %s, however long it lasts, and go on when it is mended', async (fault, reason) => {
      const undo = await scene.realm.inject(fault, alice);
      scene.pass(8 * day);
      for (let tried = 0; tried < 30; tried += 1) {
        await sweep(scene);
        scene.pass(hour);
      }
      expect(await circuitsOf(scene)).toContain(`open   ${scene.realm.issuer} (nightkeep): ${reason}`);
      expect(await statesOf(scene)).not.toContain('needs_consent');
      await undo?.();
      await sweepUntil(scene, 3 * hour, async () => (await statesOf(scene)).every((state) => state === 'active'));
      expect(await circuitsOf(scene)).toContain(`closed ${scene.realm.issuer}`);
    });

    test('have a good night, all ten of them', async () => {
      const runs = await scene.night();
      expect(runs.map(({ state }) => state)).toEqual(people.map(() => 'succeeded'));
    });
  });

  test('when the realm is imported again with other keys the operator is asked first, and then the people', async () => {
    await using scene = await openScene(provider);
    const visitors = [await consent(scene, alice), await consent(scene, bob)];
    await scene.realm.inject('the realm is imported again with other keys', alice);
    scene.pass(10 * minute);
    for (const visitor of visitors) await backUpNow(scene, visitor);
    for (let tried = 0; tried < 10; tried += 1) {
      await sweep(scene);
      scene.pass(30 * minute);
    }
    expect(await circuitsOf(scene)).toContain(`open   ${scene.realm.issuer} (nightkeep): refusals`);
    for (const visitor of visitors)
      expect(await homeOf(scene, visitor)).toContain(texts.protection.consent.provider_trouble.happened);
    expect(await statesOf(scene)).not.toContain('needs_consent');

    await scene.command('circuits', '--trust', scene.realm.issuer);
    const allOver = async () => (await statesOf(scene)).every((state) => state === 'needs_consent');
    await sweepUntil(scene, 30 * minute, allOver);
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'needs_consent', reason: 'ended_at_provider' });
    const again = await consent(scene, alice);
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'active', reason: null });
    expect(await homeOf(scene, again)).not.toContain(texts.home.expired);
  });
}

async function statesOf({ processes }: Scene): Promise<string[]> {
  return (await databaseOf(processes).grant.findMany({ select: { state: true } })).map(({ state }) => state);
}

async function circuitsOf(scene: Scene): Promise<string> {
  return scene.command('circuits');
}

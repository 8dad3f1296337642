import { describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import type { ConsentReason } from '../../src/domain/protection.ts';
import { texts } from '../../src/web/texts.ts';
import {
  backUpNow,
  consent,
  exchangesOf,
  grantOf,
  homeOf,
  openScene,
  runsOf,
  sweepUntil,
} from '../support/harness/scene.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Faults that befall one person, and the word for it that the grant bears. */
const ofOnePerson: readonly [RealmFault, ConsentReason][] = [
  ['the person removes access in the account console', 'withdrawn_at_provider'],
  ['an administrator deletes the consent', 'withdrawn_at_provider'],
  ['an administrator signs the person out', 'signed_out'],
  ['the person is disabled', 'account_disabled'],
  ['the person is deleted', 'withdrawn_at_provider'],
  ['the role offline_access is taken from the person', 'permission_missing'],
];

/** Of those, what an administrator can mend without the person; they are told so at once. */
const mendedThere: ReadonlySet<ConsentReason> = new Set(['account_disabled', 'permission_missing']);

/** What befalls everybody, where there is but one. */
const ofTheRealm: readonly RealmFault[] = [
  'a not-before policy is pushed for the realm',
  'a not-before policy is pushed for the client',
];

/** What the person or an administrator does to one consent at the provider, and what Nightkeep makes of it. */
export function describeConsentFaults(provider: Provider): void {
  const told = ofOnePerson.filter(([fault]) => provider.behavesAs === '26.7' || !fault.includes('role'));
  describe.each(told)('when %s', (fault, reason) => {
    test("only that person's nights stop, and they go on when it is mended, or after a new consent", async () => {
      await using scene = await openScene(provider);
      const [ofAlice, ofBob] = [await consent(scene, alice), await consent(scene, bob)];
      const undo = await scene.realm.inject(fault, alice);

      scene.pass(10 * minute);
      await backUpNow(scene, ofAlice);
      await backUpNow(scene, ofBob);
      expect((await runsOf(scene, alice)).at(-1)).toMatchObject({ state: 'failed', errorCode: 'grant/not-usable' });
      expect((await runsOf(scene, bob)).at(-1)).toMatchObject({ state: 'succeeded' });
      const words = texts.protection.consent;
      const doubted = mendedThere.has(reason) ? words[reason] : words.consent_refused;
      expect(await homeOf(scene, ofAlice)).toContain(doubted.happened);

      await sweepUntil(scene, 30 * minute, async () => (await grantOf(scene, alice)).state === 'needs_consent');
      expect(await grantOf(scene, alice)).toMatchObject({ reason });
      const home = await homeOf(scene, ofAlice);
      expect(home).toContain(texts.home.expired);
      expect(home).toContain(words[reason].happened);
      expect(await scene.command('grants')).toMatch(new RegExp(`alice +needs_consent .*\\(${reason}\\)`));
      expect((await exchangesOf(scene, alice)).at(-1)).toMatchObject({ verdict: 'person', errorCode: 'invalid_grant' });
      expect(await scene.night()).toHaveLength(1);
      expect(await homeOf(scene, ofBob)).toContain(texts.home.protected);
      expect((await scene.command('snapshots', '--user', 'alice')).split('\n')).toHaveLength(1);

      if (undo !== undefined) {
        await undo();
        await sweepUntil(scene, day, async () => (await grantOf(scene, alice)).state === 'active');
      } else if (fault !== 'the person is deleted') await consent(scene, alice);
      else return;
      expect(await grantOf(scene, alice)).toMatchObject({ state: 'active', reason: null });
      const [first, second, ...more] = await scene.night();
      expect([first?.state, second?.state, more]).toEqual(['succeeded', 'succeeded', []]);
    });
  });

  describe('a lone consent, of which nobody else can tell that the provider is at fault', () => {
    test.each(ofTheRealm)(
      'is condemned when %s, and lives again when that is taken back, without consent',
      async (fault) => {
        await using scene = await openScene(provider, { rules: { rotation: { reuse: 0 } } });
        const visitor = await consent(scene, alice);
        const undo = await scene.realm.inject(fault, alice);
        scene.pass(10 * minute);
        await backUpNow(scene, visitor);
        await sweepUntil(scene, 30 * minute, async () => (await grantOf(scene, alice)).state === 'needs_consent');
        expect(await grantOf(scene, alice)).toMatchObject({ reason: 'signed_out' });
        await undo?.();
        await sweepUntil(scene, day, async () => (await grantOf(scene, alice)).state === 'active');
        expect(await scene.night()).toMatchObject([{ state: 'succeeded' }]);
        expect(await scene.realm.offlineSessions(alice)).toBe(1);
      },
    );
  });

  if (provider.behavesAs === '26.4') describeTakenRole(provider);
}

/** Older Keycloaks answer `not_allowed`, and count that answer as a use of the token. */
export function describeTakenRole(provider: Provider): void {
  test('when the role is taken and given back, and somebody says so, one reuse lets the consent live again', async () => {
    await using scene = await openScene(provider, { rules: { rotation: { reuse: 1 } } });
    const [visitor] = [await consent(scene, alice), await consent(scene, bob)];
    const undo = await scene.realm.inject('the role offline_access is taken from the person', alice);
    scene.pass(10 * minute);
    await backUpNow(scene, visitor);
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'suspect', reason: 'permission_missing' });
    expect(await homeOf(scene, visitor)).toContain(texts.protection.consent.permission_missing.happened);
    await undo?.();
    // The service would ask for the same grant each minute, by a clock that is ahead of the command's.
    await scene.halt();
    await scene.command('grants', '--ask-again', '--user', 'alice');
    await scene.restart();
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'active', reason: null });
  });
}

import { describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import type { ConsentReason } from '../../src/domain/protection-reasons.ts';
import { dayMs, minuteMs } from '../../src/durations.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  backUpNow,
  consent,
  exchangesOf,
  grantOf,
  homeOf,
  openServiceFixture,
  runsOf,
  sweepUntil,
} from '../support/harness/service-fixture.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

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
      await using fixture = await openServiceFixture(provider);
      const [ofAlice, ofBob] = [await consent(fixture, alice), await consent(fixture, bob)];
      const undo = await fixture.realm.inject(fault, alice);

      fixture.pass(10 * minuteMs);
      await backUpNow(fixture, ofAlice);
      await backUpNow(fixture, ofBob);
      expect((await runsOf(fixture, alice)).at(-1)).toMatchObject({ state: 'queued', errorCode: 'grant/not-usable' });
      expect((await runsOf(fixture, bob)).at(-1)).toMatchObject({ state: 'succeeded' });
      const words = texts.protection.consent;
      const doubted = mendedThere.has(reason) ? words[reason] : words.consent_refused;
      expect(await homeOf(fixture, ofAlice)).toContain(doubted.happened);

      await sweepUntil(fixture, 30 * minuteMs, async () => (await grantOf(fixture, alice)).state === 'needs_consent');
      expect(await grantOf(fixture, alice)).toMatchObject({ reason });
      const home = await homeOf(fixture, ofAlice);
      expect(home).toContain(texts.home.expired);
      expect(home).toContain(words[reason].happened);
      expect(await fixture.command('grants')).toMatch(new RegExp(`alice +needs_consent .*\\(${reason}\\)`));
      expect((await exchangesOf(fixture, alice)).at(-1)).toMatchObject({
        verdict: 'person',
        errorCode: 'invalid_grant',
      });
      expect(await fixture.night()).toHaveLength(1);
      expect(await homeOf(fixture, ofBob)).toContain(texts.home.protected);
      expect((await fixture.command('snapshots', '--user', 'alice')).split('\n')).toHaveLength(2);

      if (undo !== undefined) {
        await undo();
        await sweepUntil(fixture, dayMs, async () => (await grantOf(fixture, alice)).state === 'active');
      } else if (fault !== 'the person is deleted') await consent(fixture, alice);
      else return;
      expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
      const [first, second, ...more] = await fixture.night();
      expect([first?.state, second?.state, more]).toEqual(['succeeded', 'succeeded', []]);
    });
  });

  describe('a lone consent, of which nobody else can tell that the provider is at fault', () => {
    test.each(ofTheRealm)(
      'is condemned when %s, and lives again when that is taken back, without consent',
      async (fault) => {
        await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 0 } } });
        const visitor = await consent(fixture, alice);
        const undo = await fixture.realm.inject(fault, alice);
        fixture.pass(10 * minuteMs);
        await backUpNow(fixture, visitor);
        await sweepUntil(fixture, 30 * minuteMs, async () => (await grantOf(fixture, alice)).state === 'needs_consent');
        expect(await grantOf(fixture, alice)).toMatchObject({ reason: 'signed_out' });
        await undo?.();
        await sweepUntil(fixture, dayMs, async () => (await grantOf(fixture, alice)).state === 'active');
        expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
        expect(await fixture.realm.offlineSessions(alice)).toBe(1);
      },
    );
  });

  if (provider.behavesAs === '26.4') describeTakenRole(provider);
}

/** Older Keycloaks answer `not_allowed`, and count that answer as a use of the token. */
export function describeTakenRole(provider: Provider): void {
  test('when the role is taken and given back, and somebody says so, one reuse lets the consent live again', async () => {
    await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 1 } } });
    const [visitor] = [await consent(fixture, alice), await consent(fixture, bob)];
    const undo = await fixture.realm.inject('the role offline_access is taken from the person', alice);
    fixture.pass(10 * minuteMs);
    await backUpNow(fixture, visitor);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'suspect', reason: 'permission_missing' });
    expect(await homeOf(fixture, visitor)).toContain(texts.protection.consent.permission_missing.happened);
    await undo?.();
    // The service would ask for the same grant each minute, by a clock that is ahead of the command's.
    await fixture.halt();
    await fixture.command('grants', '--ask-again', '--user', 'alice');
    await fixture.restart();
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
  });
}

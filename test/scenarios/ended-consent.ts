import { expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { hourMs, minuteMs } from '../../src/durations.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  backUpNow,
  consent,
  grantOf,
  homeOf,
  openServiceFixture,
  runsOf,
  sweepUntil,
} from '../support/harness/service-fixture.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

/** One person's consent ends at the provider, which says so in words of its own. */
export function describeEndedConsent(provider: Provider, fault: RealmFault): void {
  test(`when ${fault}, that person alone is asked to consent anew, and nobody else is stopped`, async () => {
    await using fixture = await openServiceFixture(provider);
    const [visitor, ofBob] = [await consent(fixture, alice), await consent(fixture, bob)];
    await fixture.realm.inject(fault, alice);
    fixture.pass(10 * minuteMs);
    await backUpNow(fixture, visitor);
    // It waits for the consent to be asked again, and says so.
    expect((await runsOf(fixture, alice)).at(-1)).toMatchObject({ state: 'queued', errorCode: 'grant/not-usable' });
    expect(await homeOf(fixture, visitor)).not.toContain(texts.home.protected);

    await backUpNow(fixture, ofBob);
    expect((await runsOf(fixture, bob)).at(-1)).toMatchObject({ state: 'succeeded' });

    await sweepUntil(fixture, 2 * hourMs, async () => (await grantOf(fixture, alice)).state === 'needs_consent');
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'needs_consent', reason: 'ended_at_provider' });
    expect(await fixture.command('circuits')).toBe('No circuit was opened yet.');
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
    const home = await homeOf(fixture, visitor);
    expect(home).toContain(texts.home.expired);
    expect(home).toContain(texts.protection.consent.ended_at_provider.happened);

    await consent(fixture, alice);
    const [first, second, ...more] = await fixture.night();
    expect([first?.state, second?.state, more]).toEqual(['succeeded', 'succeeded', []]);
    for (const person of [alice, bob])
      expect(await grantOf(fixture, person)).toMatchObject({ state: 'active', reason: null });
  });
}

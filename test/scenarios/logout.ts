import { describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { minuteMs } from '../../src/durations.ts';
import { texts } from '../../src/web/texts/en.ts';
import { consent, grantOf, openServiceFixture, sweepUntil } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** A sign-out at the provider, of which Nightkeep is told by back-channel logout. */
export function describeLogout(provider: Provider): void {
  describe('a sign-out at the provider', () => {
    test('without "Backchannel logout revoke offline sessions" ends the session here, and the nights go on', async () => {
      await using fixture = await openServiceFixture(provider);
      const [visitor, other] = [await consent(fixture, alice), await consent(fixture, bob)];
      await visitor.signOutAtProvider();
      await visitor.open(fixture.url.href);
      expect(await visitor.text()).toContain(texts.welcome.lead);
      await other.open(fixture.url.href);
      expect(await other.text()).toContain(texts.home.protected);
      expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
      const [first, second] = await fixture.night();
      expect([first?.state, second?.state]).toEqual(['succeeded', 'succeeded']);
      expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    });

    test('with it ends the consent too, at once, here and at the provider', async () => {
      await using fixture = await openServiceFixture(provider, { logoutEndsConsent: true });
      const [visitor] = [await consent(fixture, alice), await consent(fixture, bob)];
      await visitor.signOutAtProvider();
      expect(await grantOf(fixture, alice)).toMatchObject({ state: 'withdrawn', reason: 'back_channel_logout' });
      expect(await grantOf(fixture, bob)).toMatchObject({ state: 'active' });
      await sweepUntil(fixture, minuteMs, async () => (await fixture.realm.offlineSessions(alice)) === 0);
      expect(await fixture.night()).toHaveLength(1);
      await visitor.open(new URL('grant', fixture.url).href);
      expect(await visitor.text()).toContain(texts.protection.consent.back_channel_logout.happened);
    });
  });
}

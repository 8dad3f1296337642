import { describe, expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { texts } from '../../src/web/texts.ts';
import { consent, grantOf, openScene, sweepUntil } from '../support/harness/scene.ts';
import type { Provider } from '../support/realms/realm.ts';

const minute = 60_000;

/** A sign-out at the provider, of which Nightkeep is told by back-channel logout. */
export function describeLogout(provider: Provider): void {
  describe('a sign-out at the provider', () => {
    test('without "Backchannel logout revoke offline sessions" ends the session here, and the nights go on', async () => {
      await using scene = await openScene(provider);
      const [visitor, other] = [await consent(scene, alice), await consent(scene, bob)];
      await visitor.signOutAtProvider();
      await visitor.open(scene.url.href);
      expect(await visitor.text()).toContain(texts.welcome.lead);
      await other.open(scene.url.href);
      expect(await other.text()).toContain(texts.home.protected);
      expect(await grantOf(scene, alice)).toMatchObject({ state: 'active' });
      const [first, second] = await scene.night();
      expect([first?.state, second?.state]).toEqual(['succeeded', 'succeeded']);
      expect(await scene.realm.offlineSessions(alice)).toBe(1);
    });

    test('with it ends the consent too, at once, here and at the provider', async () => {
      await using scene = await openScene(provider, { logoutEndsConsent: true });
      const [visitor] = [await consent(scene, alice), await consent(scene, bob)];
      await visitor.signOutAtProvider();
      expect(await grantOf(scene, alice)).toMatchObject({ state: 'withdrawn', reason: 'back_channel_logout' });
      expect(await grantOf(scene, bob)).toMatchObject({ state: 'active' });
      await sweepUntil(scene, minute, async () => (await scene.realm.offlineSessions(alice)) === 0);
      expect(await scene.night()).toHaveLength(1);
      await visitor.open(new URL('grant', scene.url).href);
      expect(await visitor.text()).toContain(texts.protection.consent.back_channel_logout.happened);
    });
  });
}

import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { consent, grantOf, openServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** Whoever signs out of Nightkeep leaves a browser, not the nights. */
export function describeLeaving(provider: Provider): void {
  test.each(['off', { reuse: 0 }] as const)(
    'signing out of Nightkeep never ends the consent: nights go on before and after (rotation %j)',
    async (rotation) => {
      await using fixture = await openServiceFixture(provider, { rules: { rotation } });
      const visitor = await consent(fixture, alice);
      visitor.asked();
      for (let time = 1; time <= 2; time += 1) {
        await visitor.press(texts.menu.signOut);
        expect(await visitor.text()).toContain(texts.welcome.lead);
        expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
        await visitor.open(new URL('login', fixture.url).href);
        expect(await visitor.text()).toContain(texts.home.protected);
      }
      expect(visitor.asked()).toEqual([]);
      expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', refusals: 0 });
      expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    },
  );
}

import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { consent, grantOf, openServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** What piles up at a provider: its lists show one offline session a consent, however long it lasts and is renewed. */
export function describeSessions(provider: Provider): void {
  test('after twenty nights and three renewals there is one offline session, after withdrawing there is none', async () => {
    await using fixture = await openServiceFixture(provider);
    let visitor = await consent(fixture, alice);
    const { id } = await grantOf(fixture, alice);
    for (let night = 1; night <= 20; night += 1) {
      await fixture.night();
      if (night % 6 !== 0) continue;
      // A fresh browser: the provider begins another session with it.
      visitor = await fixture.visitor(alice);
      await visitor.open(new URL('consent', fixture.url).href);
      await visitor.press(texts.consent.agree);
    }
    expect(await grantOf(fixture, alice)).toMatchObject({ id, state: 'active' });
    expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    expect(await fixture.realm.accessesShownTo(alice)).toBe(1);

    await visitor.open(new URL('grant/withdraw', fixture.url).href);
    await visitor.press(texts.withdraw.choose);
    await visitor.press(texts.withdraw.sureEnd);
    expect(await visitor.text()).toContain(texts.grant.states.withdrawn);
    expect(await fixture.realm.offlineSessions(alice)).toBe(0);
    expect(await fixture.night()).toEqual([]);
  });
}

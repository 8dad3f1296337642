import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts.ts';
import { consent, grantOf, openScene } from '../support/harness/scene.ts';
import type { Provider } from '../support/realms/realm.ts';

/** What piles up at a provider: its lists show one offline session a consent, however long it lasts and is renewed. */
export function describeSessions(provider: Provider): void {
  test('after twenty nights and three renewals there is one offline session, after withdrawing there is none', async () => {
    await using scene = await openScene(provider);
    let visitor = await consent(scene, alice);
    const { id } = await grantOf(scene, alice);
    for (let night = 1; night <= 20; night += 1) {
      await scene.night();
      if (night % 6 !== 0) continue;
      // A fresh browser: the provider begins another session with it.
      visitor = await scene.visitor(alice);
      await visitor.open(new URL('consent', scene.url).href);
      await visitor.press(texts.consent.agree);
    }
    expect(await grantOf(scene, alice)).toMatchObject({ id, state: 'active' });
    expect(await scene.realm.offlineSessions(alice)).toBe(1);
    expect(await scene.realm.accessesShownTo(alice)).toBe(1);

    await visitor.open(new URL('grant/withdraw', scene.url).href);
    await visitor.press(texts.grant.withdraw);
    expect(await visitor.text()).toContain(texts.grant.states.withdrawn);
    expect(await scene.realm.offlineSessions(alice)).toBe(0);
    expect(await scene.night()).toEqual([]);
  });
}

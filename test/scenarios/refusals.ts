import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { errorWords } from '../../src/web/pages/error.ts';
import { texts } from '../../src/web/texts.ts';
import { consent, databaseOf, grantOf, openScene, type Scene } from '../support/harness/scene.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

const missing: readonly RealmFault[] = [
  'the role offline_access is taken from the person',
  'the scope offline_access is taken from the client',
];

/** Consent that does not come about: the page says who can do what, and nothing is left behind. */
export function describeRefusals(provider: Provider): void {
  test.each(missing)('where %s, an administrator is named who can repair it', async (fault) => {
    await using scene = await openScene(provider);
    const undo = await scene.realm.inject(fault, alice);
    const visitor = await consent(scene, alice);
    expect(await visitor.text()).toContain(errorWords['consent/not-offline'].act);
    await expectNothing(scene);
    await undo?.();
    await consent(scene, alice);
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'active' });
  });

  test('where the person says no, nothing is changed, and they may say yes later', async () => {
    await using scene = await openScene(provider);
    const visitor = await scene.visitor(alice);
    await visitor.open(new URL('consent', scene.url).href);
    visitor.decline();
    await visitor.press(texts.consent.agree);
    expect(await visitor.text()).toContain(errorWords['consent/denied'].act);
    await expectNothing(scene);
    await consent(scene, alice);
    expect(await grantOf(scene, alice)).toMatchObject({ state: 'active' });
  });
}

async function expectNothing({ processes, realm }: Scene): Promise<void> {
  expect(await databaseOf(processes).grant.count()).toBe(0);
  expect(await realm.offlineSessions(alice)).toBe(0);
}

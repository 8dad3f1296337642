import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  consent,
  databaseOf,
  grantOf,
  openServiceFixture,
  type ServiceFixture,
} from '../support/harness/service-fixture.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

const missing: readonly RealmFault[] = [
  'the role offline_access is taken from the person',
  'the scope offline_access is taken from the client',
];

/** Consent that does not come about: the page says who can do what, and nothing is left behind. */
export function describeRefusals(provider: Provider): void {
  test.each(missing)('where %s, an administrator is named who can repair it', async (fault) => {
    await using fixture = await openServiceFixture(provider);
    const undo = await fixture.realm.inject(fault, alice);
    const visitor = await consent(fixture, alice);
    expect(await visitor.text()).toContain(texts.errors.told['consent/not-offline'].act);
    await expectNothing(fixture);
    await undo?.();
    await consent(fixture, alice);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
  });

  test('where the person says no, nothing is changed, and they may say yes later', async () => {
    await using fixture = await openServiceFixture(provider);
    const visitor = await fixture.visitor(alice);
    await visitor.open(new URL('consent', fixture.url).href);
    visitor.decline();
    await visitor.press(texts.consent.agree);
    expect(await visitor.text()).toContain(texts.errors.told['consent/denied'].act);
    await expectNothing(fixture);
    await consent(fixture, alice);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active' });
  });
}

async function expectNothing({ processes, realm }: ServiceFixture): Promise<void> {
  expect(await databaseOf(processes).grant.count()).toBe(0);
  expect(await realm.offlineSessions(alice)).toBe(0);
}

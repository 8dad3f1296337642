import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { consent, grantOf, openServiceFixture } from '../support/harness/service-fixture.ts';
import type { ClientKind, Provider } from '../support/realms/realm.ts';

const kinds: readonly ClientKind[] = [
  'confidential, its requests must be pushed',
  'confidential, with a private key',
  'public, its tokens bound to a key',
];

/** The ways in which a provider knows Nightkeep again. */
export function describeClients(provider: Provider): void {
  test.each(kinds)('a client that is %s consents, and has its nights, also after a restart', async (client) => {
    await using fixture = await openServiceFixture(provider, { client, rules: { rotation: { reuse: 0 } } });
    await consent(fixture, alice);
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
    await fixture.restart();
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }]);
    const { state, generation, sealedDpopKey } = await grantOf(fixture, alice);
    expect({ state, generation }).toEqual({ state: 'active', generation: 4 });
    expect(sealedDpopKey !== null).toBe(client.startsWith('public'));
  });
}

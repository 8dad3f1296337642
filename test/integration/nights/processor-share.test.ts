import { expect, test } from 'vitest';
import { openConsentFixture } from '../../support/harness/consent.ts';

test('a run has one share of the processor, from before it asks for access until it ends, that all of its requests count for', async () => {
  await using fixture = await openConsentFixture();
  const { resources, custody } = fixture;
  const { plan } = await fixture.consent();
  const { processor } = resources.sourceServers;
  const told: string[] = [];
  let pieces = 0;
  const open = () => {
    const share = processor.open();
    told.push(`begun after ${custody.provider.log.requests().length - before} requests to the provider`);
    return Object.assign(Object.create(share), {
      did(count: number) {
        pieces += count;
        share.did(count);
      },
      turn: share.turn,
      [Symbol.dispose]() {
        told.push(`ended after ${fixture.files.heard.length} requests for files`);
        share[Symbol.dispose]();
      },
    });
  };
  const sourceServers = { ...resources.sourceServers, processor: { open } };
  resources.tokenCache.known.clear();
  const before = custody.provider.log.requests().length;
  expect(await fixture.backUp(plan.id, { ...resources, sourceServers })).toMatchObject({ state: 'succeeded' });
  const asked = fixture.files.heard.length;
  expect(told).toEqual(['begun after 0 requests to the provider', `ended after ${asked} requests for files`]);
  expect(pieces).toBeGreaterThanOrEqual(asked);
});

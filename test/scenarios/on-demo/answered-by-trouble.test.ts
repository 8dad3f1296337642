import { expect, test } from 'vitest';
import { alice, bob, type Person } from '../../../demo/people.ts';
import type { Manner } from '../../../demo/provider/realm/manner.ts';
import { openTokenCache } from '../../../src/domain/token-cache.ts';
import { dayMs, hourMs } from '../../../src/durations.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { access, openCustodyFixture } from '../../support/harness/custody.ts';

/** People who consented at a provider with tokens that stay in use, which does not say what a refusal means. */
async function openWorld(deadToken: Manner['deadToken']) {
  const manner: Manner = {
    refreshTokens: 'kept',
    opaque: true,
    without: ['introspection'],
    ...(deadToken && { deadToken }),
  };
  const fixture = await openCustodyFixture({ manner }, { settings: { OIDC_PROFILE: 'generic' } });
  const { provider, resources, pass } = fixture;
  const { database } = resources;
  return {
    ...fixture,
    grant: (id: string) => database.grant.findUniqueOrThrow({ where: { id } }),
    end: async ({ username }: Person) => {
      for (const { sid, clientId } of provider.admin.offlineSessions({ username }))
        await provider.admin.endOfflineSession(sid, clientId);
    },
    /** So many hours pass, in each of which tokens are kept alive and these grants are needed; what came of it in the last one. */
    needed: async (ids: readonly string[], hours: number) => {
      let last: unknown[] = [];
      for (let passed = 0; passed < hours; passed += 1) {
        pass(hourMs);
        await keepAlive(resources);
        last = [];
        for (const id of ids) last.push(await access({ ...resources, tokenCache: openTokenCache() }, id));
      }
      return last;
    },
  };
}

const troubles: [string, NonNullable<Manner['deadToken']>][] = [
  ['HTTP 500', [500, { error: 'invalid_grant' }]],
  ['an empty page', [200, '']],
  ['server_error', [400, { error: 'server_error' }]],
];

test.each(troubles)(
  'somebody whose dead token is answered with %s is asked to consent again in the second night, and nobody else is stopped',
  async (_, deadToken) => {
    await using world = await openWorld(deadToken);
    const [dead, living] = [(await world.consent(alice)).grant, (await world.consent(bob)).grant];
    await world.end(alice);
    expect(await world.needed([dead.id, living.id], 1)).toEqual(['provider/ambiguous', 'went well']);
    expect(await world.grant(dead.id)).toMatchObject({ state: 'active', refusals: 0 });
    await world.needed([dead.id, living.id], 30);
    expect(await world.grant(dead.id)).toMatchObject({ state: 'suspect', reason: 'ended_at_provider' });
    expect(await world.needed([dead.id, living.id], 24)).toEqual(['grant/not-usable', 'went well']);
    expect(await world.grant(dead.id)).toMatchObject({ state: 'needs_consent', reason: 'ended_at_provider' });
    expect(await world.grant(living.id)).toMatchObject({ state: 'active', reason: null });
    expect(await world.resources.database.circuit.count()).toBe(0);
  },
);

test('trouble that everybody has condemns nobody, however long it lasts, and all go on after it', async () => {
  await using world = await openWorld(undefined);
  const ids = [(await world.consent(alice)).grant.id, (await world.consent(bob)).grant.id];
  world.provider.faults.use(() => ({ kind: 'status', when: 'before', status: 500 }));
  await world.needed(ids, 60);
  for (const id of ids) expect(await world.grant(id)).toMatchObject({ state: 'active', refusals: 0 });
  world.provider.faults.clear();
  await world.needed(ids, 2);
  for (const id of ids) expect(await world.grant(id)).toMatchObject({ state: 'active', reason: null });
});

test('somebody who is alone here is asked once the end has come that is known', async () => {
  await using world = await openWorld([500, '']);
  const { id } = (await world.consent(alice)).grant;
  await world.end(alice);
  await world.needed([id], 48);
  expect(await world.grant(id)).toMatchObject({ state: 'active', refusals: 0 });
  world.pass(30 * dayMs);
  await world.needed([id], 40);
  expect(await world.grant(id)).toMatchObject({ state: 'needs_consent', reason: 'expired_idle' });
});

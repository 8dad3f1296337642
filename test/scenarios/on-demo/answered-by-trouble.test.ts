import { expect, test } from 'vitest';
import { alice, bob, carol, type Person } from '../../../demo/people.ts';
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

const troubles: [string, NonNullable<Manner['deadToken']>, first: string][] = [
  ['HTTP 500', [500, { error: 'invalid_grant' }], 'provider/ambiguous'],
  ['an empty page', [200, ''], 'provider/ambiguous'],
  ['server_error', [400, { error: 'server_error' }], 'provider/ambiguous'],
  ['a page of a gateway', [502, ''], 'provider/ambiguous'],
  ['temporarily_unavailable', [503, { error: 'temporarily_unavailable' }], 'provider/unavailable'],
  ['temporarily_unavailable as a refusal', [400, { error: 'temporarily_unavailable' }], 'provider/unavailable'],
];

test.each(troubles)(
  'somebody whose dead token is answered with %s is asked to consent again in the second night, and nobody else is stopped',
  async (_, deadToken, first) => {
    await using world = await openWorld(deadToken);
    const [dead, living] = [(await world.consent(alice)).grant, (await world.consent(bob)).grant];
    await world.end(alice);
    expect(await world.needed([dead.id, living.id], 1)).toEqual([first, 'went well']);
    expect(await world.grant(dead.id)).toMatchObject({ state: 'active', refusals: 0 });
    await world.needed([dead.id, living.id], 30);
    expect(await world.grant(dead.id)).toMatchObject({ state: 'suspect', reason: 'ended_at_provider' });
    expect(await world.needed([dead.id, living.id], 24)).toEqual(['grant/not-usable', 'went well']);
    expect(await world.grant(dead.id)).toMatchObject({ state: 'needs_consent', reason: 'ended_at_provider' });
    expect(await world.grant(living.id)).toMatchObject({ state: 'active', reason: null });
    expect(await world.resources.database.circuit.count()).toBe(0);
  },
);

test.each([
  { kind: 'status', when: 'before', status: 500 },
  { kind: 'status', when: 'before', status: 503, retryAfter: '120' },
] as const)(
  'trouble that everybody has condemns nobody, however long it lasts, and all go on after it: %j',
  async (fault) => {
    await using world = await openWorld(undefined);
    const ids = [(await world.consent(alice)).grant.id, (await world.consent(bob)).grant.id];
    world.provider.faults.use(() => fault);
    await world.needed(ids, 60);
    for (const id of ids) expect(await world.grant(id)).toMatchObject({ state: 'active', refusals: 0 });
    world.provider.faults.clear();
    await world.needed(ids, 2);
    for (const id of ids) expect(await world.grant(id)).toMatchObject({ state: 'active', reason: null });
  },
);

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

test('of one consent alone, too many requests are no word of it, and a time to wait is kept when it is asked again', async () => {
  await using world = await openWorld(undefined);
  const [slow, living] = [(await world.consent(alice)).grant, (await world.consent(bob)).grant];
  const [session] = world.provider.admin.offlineSessions({ username: alice.username });
  const answerAlone = (status: 429 | 503, retryAfter: string) =>
    world.provider.faults.use((request) =>
      request.sid === session?.sid ? { kind: 'status', when: 'before', status, retryAfter } : undefined,
    );
  answerAlone(429, '1');
  await world.needed([slow.id, living.id], 60);
  expect(await world.grant(slow.id)).toMatchObject({ state: 'active', refusals: 0 });
  answerAlone(503, '3000');
  await world.needed([slow.id, living.id], 3);
  const { state, nextExchangeAt } = await world.grant(slow.id);
  expect(state).toBe('suspect');
  expect((nextExchangeAt?.getTime() ?? 0) - world.resources.clock.now().getTime()).toBeGreaterThan(2_900_000);
});

test('a dead token that is answered as if the provider were away keeps no other from being kept alive', async () => {
  await using world = await openWorld([503, { error: 'temporarily_unavailable' }]);
  const [dead, living] = [(await world.consent(alice)).grant, (await world.consent(bob)).grant];
  await world.end(alice);
  world.pass(10 * dayMs);
  expect(await keepAlive(world.resources)).toEqual({ exchanged: 1, failed: 1 });
  const at = world.resources.clock.now().getTime();
  expect((await world.grant(dead.id)).lastExchangedAt.getTime()).toBeLessThan(at - 9 * dayMs);
  expect((await world.grant(living.id)).lastExchangedAt.getTime()).toBeGreaterThan(at - hourMs);
});

test('a provider that is away is asked twice in a sweep, and no more', async () => {
  await using world = await openWorld(undefined);
  for (const person of [alice, bob, carol]) await world.consent(person);
  world.pass(10 * dayMs);
  world.provider.faults.use(() => ({ kind: 'status', when: 'before', status: 503, retryAfter: '1' }));
  expect(await keepAlive(world.resources)).toEqual({ exchanged: 0, failed: 2 });
});

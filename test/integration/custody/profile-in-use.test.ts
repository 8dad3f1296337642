import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { profiles } from '../../../src/domain/providers/profiles.ts';
import { beginConsent } from '../../../src/flows/consent/give-consent.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { access, openCustodyFixture } from '../../support/harness/custody.ts';

test('Google is asked for offline access by a parameter, and not by a scope that it does not know', async () => {
  const manner = { without: ['pushed requests' as const] };
  await using fixture = await openCustodyFixture({ manner }, { settings: { OIDC_PROFILE: 'google' } });
  const { url } = await beginConsent(fixture.resources, { returnTo: '/', terms: {} });
  const asked = Object.fromEntries(url.searchParams);
  expect(asked).toMatchObject({ access_type: 'offline', prompt: 'consent', scope: 'openid profile email' });
});

test('any other provider is asked by the scope alone', async () => {
  const manner = { without: ['pushed requests' as const] };
  await using fixture = await openCustodyFixture({ manner });
  const { url } = await beginConsent(fixture.resources, { returnTo: '/', terms: {} });
  expect(url.searchParams.get('scope')).toBe('openid profile email offline_access');
  expect(url.searchParams.has('access_type')).toBe(false);
});

test('keep-alive leaves a grant to its run where an exchange would end the access token of that, until the end is near', async () => {
  await using fixture = await openCustodyFixture();
  const { grant, plan } = await fixture.consent();
  const { database, clock, issuer } = fixture.resources;
  const custody = { ...fixture.resources, issuer: { ...issuer, profile: async () => profiles.hydra } };
  const at = clock.now();
  await database.run.create({
    data: {
      id: crypto.randomUUID(),
      planId: plan.id,
      night: '2026-06-01',
      trigger: 'schedule',
      state: 'running',
      dueAt: at,
      queuedAt: at,
    },
  });
  await database.grant.update({ where: { id: grant.id }, data: { nextExchangeAt: at } });
  fixture.pass(1_000);
  expect(await keepAlive(custody)).toEqual({ exchanged: 0, failed: 0 });
  await database.grant.update({ where: { id: grant.id }, data: { idleDeadline: new Date(at.getTime() + 600_000) } });
  expect(await keepAlive(custody)).toEqual({ exchanged: 1, failed: 0 });
});

describe('the end of an opaque token that no answer names', () => {
  const day = 86_400_000;
  type Realm = Parameters<typeof openCustodyFixture>[0];

  /** In days from consent: when the token ends unused, and at the latest, after consent and after each day that it is used. */
  async function ends(
    realm: Realm,
    { profile, days, idleDays }: { profile: string; days: number[]; idleDays?: number },
  ) {
    const manner = { opaque: true as const, refreshTokens: 'free' as const, answer: { refresh_expires_in: null } };
    await using fixture = await openCustodyFixture(
      { ...realm, manner: { ...manner, ...realm?.manner } },
      { settings: { OIDC_PROFILE: profile }, clock: (shift) => systemClock(() => shift.ms) },
    );
    const { database, clock, issuer } = fixture.resources;
    if (idleDays !== undefined) {
      const inspect: typeof issuer.introspect = async () => {
        const issuedAt = clock.now();
        return { active: true, issuedAt, endsAt: new Date(issuedAt.getTime() + idleDays * day) };
      };
      Object.assign(issuer, { introspect: inspect });
    }
    const { grant } = await fixture.consent();
    const begin = clock.now().getTime();
    const inDays = (end: Date | null) => end && Math.round((end.getTime() - begin) / day);
    const story: unknown[] = [];
    for (const [index, at] of [0, ...days].entries()) {
      if (index > 0) {
        fixture.pass(begin + at * day - clock.now().getTime());
        expect(await access(fixture.resources, grant.id)).toBe('went well');
      }
      const { idleDeadline, maxDeadline } = await database.grant.findUniqueOrThrow({ where: { id: grant.id } });
      story.push([at, inDays(idleDeadline), inDays(maxDeadline)]);
    }
    return story;
  }
  const twentyDays = { offlineIdleSeconds: 1_000 * 86_400, offlineMaxLimited: true, offlineMaxSeconds: 20 * 86_400 };

  test('is asked of a make whose introspection is true: one that new tokens do not move is the last', async () => {
    expect(await ends(twentyDays, { profile: 'okta-org', days: [5, 10] })).toEqual([
      [0, 20, 90],
      [5, 20, 20],
      [10, 20, 20],
    ]);
  });

  test('nor does use move it where the token stays the same', async () => {
    const kept = { ...twentyDays, manner: { refreshTokens: 'kept' as const } };
    expect(await ends(kept, { profile: 'okta-org', days: [5] })).toEqual([
      [0, 20, 90],
      [5, 20, 20],
    ]);
  });

  test('is the idle window where use moves it, however much longer the settings say', async () => {
    expect(await ends({}, { profile: 'okta-custom', days: [2, 4], idleDays: 3 })).toEqual([
      [0, 3, null],
      [2, 5, null],
      [4, 7, null],
    ]);
  });

  test('is not asked of any other, nor learned where it does not answer', async () => {
    expect(await ends(twentyDays, { profile: 'generic', days: [5] })).toEqual([
      [0, 30, null],
      [5, 35, null],
    ]);
    const mute = { ...twentyDays, manner: { without: ['introspection' as const] } };
    expect(await ends(mute, { profile: 'okta-org', days: [5] })).toEqual([
      [0, 30, 90],
      [5, 35, 90],
    ]);
  });
});

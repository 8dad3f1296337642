import { expect, test } from 'vitest';
import { profiles } from '../../../src/domain/providers/profiles.ts';
import { beginConsent } from '../../../src/flows/consent/give-consent.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { openCustodyFixture } from '../../support/harness/custody.ts';

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

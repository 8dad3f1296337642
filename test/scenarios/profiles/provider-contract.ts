import { describe, expect, test } from 'vitest';
import { alice, bob, carol, type Person } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import { endSilentExchanges } from '../../../src/database/custody/exchanges.ts';
import { silenceMs } from '../../../src/database/custody/leases.ts';
import { profiles } from '../../../src/domain/providers/profiles.ts';
import { openTokenCache } from '../../../src/domain/token-cache.ts';
import { dayMs, hourMs, minuteMs } from '../../../src/durations.ts';
import { scopesOf } from '../../../src/flows/consent/give-consent.ts';
import { keepConsent } from '../../../src/flows/consent/keep-consent.ts';
import { withdrawConsent } from '../../../src/flows/consent/withdraw-consent.ts';
import { keepAlive } from '../../../src/flows/custody/keep-alive.ts';
import { exchangeNow, obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { access, openCustodyFixture } from '../../support/harness/custody.ts';
import type { Make } from './makes.ts';

/** What custody owes people at any provider: nothing is lost, nobody is condemned, and nobody else is stopped. */
export function providerContract(name: string, make: Make): void {
  describe(`at ${name}`, () => {
    const idleMs = (make.realm.offlineIdleSeconds ?? 30 * 86_400) * 1000;

    test('a consent lives on while nobody uses it, longer than a token does', async () => {
      await using world = await openWorld(make);
      const { id } = await world.consent(alice);
      const maxMs = make.realm.offlineMaxLimited
        ? (make.realm.offlineMaxSeconds ?? 0) * 1000
        : Number.POSITIVE_INFINITY;
      const span = Math.min(idleMs * 1.5, maxMs * 0.9, 150 * dayMs);
      const steps = 12;
      for (let step = 0; step < steps; step += 1) {
        world.pass(span / steps);
        await keepAlive(world.resources);
      }
      expect(await world.grant(id)).toMatchObject({ state: 'active', reason: null });
      expect(await access(world.resources, id)).toBe('went well');
      expect(world.provider.log.repeats().length === 0 || make.realm.manner.refreshTokens === 'kept').toBe(true);
    });

    test('whose token died is asked to consent again, in time, and nobody else is stopped meanwhile', async () => {
      await using world = await openWorld(make);
      const [dead, ...living] = [await world.consent(alice), await world.consent(bob), await world.consent(carol)];
      await world.end(alice);
      const stepMs = Math.min(hourMs, idleMs / 5);
      const othersEach = Math.max(1, Math.floor(idleMs / 3 / stepMs / 4));
      for (let step = 0; step < 60 && (await world.grant(dead.id)).state !== 'needs_consent'; step += 1) {
        world.pass(stepMs);
        await keepAlive(world.resources);
        const mine = await access(world.resources, dead.id);
        expect(mine).toMatch(/^grant\/not-usable$/);
        if (step % Math.min(othersEach, 6) === 0)
          for (const { id } of living) expect(await access(world.fresh(), id)).toBe('went well');
      }
      expect(await world.grant(dead.id)).toMatchObject({ state: 'needs_consent' });
      expect(await world.resources.database.circuit.count({ where: { open: true } })).toBe(0);
      for (const { id } of living) expect(await world.grant(id)).toMatchObject({ state: 'active', refusals: 0 });
      expect(await world.consent(alice)).toMatchObject({ id: dead.id, state: 'active' });
      expect(await access(world.fresh(), dead.id)).toBe('went well');
    });

    test('a wrong secret condemns nobody, and all go on when it is right again', async () => {
      await using world = await openWorld(make);
      const grants = [await world.consent(alice), await world.consent(bob), await world.consent(carol)];
      world.provider.admin.setClientSecret('rp', 'another');
      const spanMs = Math.min(40 * hourMs, idleMs / 2);
      for (let step = 0; step < 4; step += 1) {
        await keepAlive(world.resources);
        for (const { id } of grants) await access(world.fresh(), id);
        world.pass(spanMs / 4);
      }
      const { database } = world.resources;
      expect(await database.grant.count({ where: { state: 'needs_consent' } })).toBe(0);
      expect(await database.circuit.count({ where: { open: true } })).toBe(1);
      world.provider.admin.setClientSecret('rp', world.resources.config.provider.secrets[0] ?? '');
      const allActive = async () => (await database.grant.count({ where: { state: 'active', reason: null } })) === 3;
      for (let step = 0; step < 20 && !(step > 0 && (await allActive())); step += 1) {
        world.pass(Math.min(hourMs, idleMs / 20));
        await keepAlive(world.resources);
        for (const { id } of grants) await access(world.resources, id);
      }
      expect(await allActive()).toBe(true);
      for (const { id } of grants) expect(await access(world.fresh(), id)).toBe('went well');
    });

    test('an answer that is lost costs nothing where the provider takes a token again, and else nobody but that person', async () => {
      await using world = await openWorld(make);
      const [one, other] = [await world.consent(alice), await world.consent(bob)];
      world.provider.faults.next({ kind: 'cut', when: 'after' });
      await access(world.resources, one.id);
      const stepMs = Math.min(30 * minuteMs, idleMs / 6);
      for (let step = 0; step < 10; step += 1) {
        world.pass(stepMs);
        const at = world.resources.clock.now();
        await endSilentExchanges(world.resources.database, { before: new Date(at.getTime() - silenceMs), at });
        await access(world.fresh(), one.id);
        expect(await access(world.fresh(), other.id)).toBe('went well');
      }
      const found = await world.grant(one.id);
      if (make.outlivesLostAnswer) expect(found).toMatchObject({ state: 'active', reason: null });
      else expect(found.reason).toBe('lost_rotation');
      expect(await world.resources.database.circuit.count()).toBe(0);
    });

    test('a consent that ends after a page of a proxy was lost by Nightkeep only where a token may be replaced', async () => {
      await using world = await openWorld(make);
      const { id } = await world.consent(alice);
      await world.consent(bob);
      expect(await access(world.resources, id)).toBe('went well');
      world.provider.faults.next({ kind: 'page', when: 'before', status: 502 });
      expect(await access(world.fresh(), id)).toBe('provider/ambiguous');
      world.pass(2 * minuteMs);
      await world.end(alice);
      expect(await access(world.fresh(), id)).toBe('grant/not-usable');
      const stays = ['kept', 'free'].includes(String(make.realm.manner.refreshTokens));
      const { reason } = await world.grant(id);
      if (stays) expect(reason).not.toBe('lost_rotation');
      else expect(reason).toBe('lost_rotation');
    });

    test('work under way gets the newest access token, whatever an exchange by others did to its own', async () => {
      await using world = await openWorld(make);
      const { id } = await world.consent(alice);
      const mine = await obtainAccess(world.resources, { grantId: id, minimumSeconds: 30 });
      expect(await world.accepts(mine.token)).toBe(true);
      await exchangeNow(world.resources, id);
      const own = await world.accepts(mine.token);
      expect(own).toBe(make.realm.manner.endsAccessTokens !== true);
      const exchanges = () => world.resources.database.exchange.count();
      const before = await exchanges();
      const newest = await obtainAccess(world.resources, { grantId: id, minimumSeconds: 30, refused: mine.token });
      expect(await world.accepts(newest.token)).toBe(true);
      expect(await exchanges()).toBe(before);
      await exchangeNow(world.fresh(), id);
      const again = await obtainAccess(world.resources, { grantId: id, minimumSeconds: 30, refused: newest.token });
      expect(await world.accepts(again.token)).toBe(true);
      expect(await world.grant(id)).toMatchObject({ state: 'active' });
    });

    test('a renewed consent goes on, and a withdrawn one is ended there where the provider can', async () => {
      await using world = await openWorld(make);
      const first = await world.consent(alice);
      await access(world.resources, first.id);
      const again = await world.consent(alice);
      expect(again.id).toBe(first.id);
      for (let night = 0; night < 3; night += 1) {
        world.pass(Math.min(dayMs, idleMs / 3));
        expect(await access(world.resources, first.id)).toBe('went well');
      }
      const withdrawn = await withdrawConsent(world.resources, { grantId: first.id, by: 'test' });
      const canRevoke = !make.realm.manner.without?.includes('revocation');
      expect(withdrawn).toEqual({ withdrawn: true, tokens: canRevoke ? 'ended' : 'not ended there' });
      if (canRevoke) expect(world.provider.log.alive()).toEqual([]);
      const sealed = { grantId: first.id, sealed: { not: null } };
      expect(await world.resources.database.tokenGeneration.count({ where: sealed })).toBe(0);
    });
  });
}

/** The provider as this make, and Nightkeep that is told which it is; both go by one clock. */
async function openWorld(make: Make) {
  const fixture = await openCustodyFixture(make.realm, {
    clock: (shift) => systemClock(() => shift.ms),
    settings: { OIDC_PROFILE: make.profile },
  });
  const { provider, resources } = fixture;
  provider.admin.setClient('rp', { directAccess: true, consentRequired: false });
  // How Google is asked shows in the browser only; here its offline token is asked for by the scope that the demo knows.
  const scope = scopesOf({ extraScopes: [] }, profiles.generic).consent;
  return {
    ...fixture,
    consent: async ({ username, password }: Person) => {
      const authorized = await resources.issuer.enroll.password({ username, password }, scope);
      const agreed = { method: 'password' as const, terms: {}, agreedAt: resources.clock.now() };
      return (await keepConsent(resources, { authorized, ...agreed })).grant;
    },
    /** Nightkeep with no access token at hand. */
    fresh: () => ({ ...resources, tokenCache: openTokenCache() }),
    grant: (id: string) => resources.database.grant.findUniqueOrThrow({ where: { id } }),
    end: async ({ username }: Person) => {
      for (const { sid, clientId } of provider.admin.offlineSessions({ username }))
        await provider.admin.endOfflineSession(sid, clientId);
    },
    accepts: async (token: string) => {
      const { status } = await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
      return status === 200;
    },
  };
}

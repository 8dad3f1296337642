import { describe, expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { texts } from '../../src/web/texts/en.ts';
import { consent, grantOf, openServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** Offline access is asked for in the login page, once, and serves from then on while the person is away. */
export function describeConsent(provider: Provider): void {
  describe('an offline token', () => {
    test('is given through the login page, and used after the person signed out and after restarts', async () => {
      await using fixture = await openServiceFixture(provider);
      const visitor = await consent(fixture, alice);
      expect(visitor.asked()).toEqual(expect.arrayContaining(['password', 'consent']));
      await visitor.open(fixture.url.href);
      expect(await visitor.text()).toContain(texts.home.protected);
      await visitor.press(texts.menu.signOut);
      await visitor.signOutAtProvider();
      await provider.restart?.();
      await fixture.restart();
      expect(await fixture.night()).toMatchObject([{ state: 'succeeded', snapshotId: expect.any(String) }]);
      expect(await fixture.realm.offlineSessions(alice)).toBe(1);
      const output = await fixture.command('snapshots', '--user', alice.username);
      expect(output.split('\n')).toHaveLength(3);
      visitor.asked();
      await visitor.open(new URL('login', fixture.url).href);
      expect(visitor.asked()).toContain('password');
    });

    test('is nowhere to be read: not in the database, not in the log', async () => {
      await using fixture = await openServiceFixture(provider);
      await consent(fixture, alice);
      await fixture.night();
      const { generation } = await grantOf(fixture, alice);
      expect(generation).toBeGreaterThan(1);
      const rows = await fixture.processes[0]?.database.tokenGeneration.findMany();
      expect(rows?.some(({ sealed }) => /eyJ|\.ey/.test(Buffer.from(sealed ?? []).toString('latin1')))).toBe(false);
      expect(fixture.log.join('\n')).not.toMatch(/eyJ[\w-]+\.[\w-]+/);
    });
  });

  describe('a page opened with ?scope=offline_access', () => {
    test('asks for offline access by itself, and only then there is an offline session', async () => {
      await using fixture = await openServiceFixture(provider);
      const visitor = await fixture.visitor(alice);
      await visitor.open(new URL('grant', fixture.url).href);
      expect(visitor.asked()).toContain('password');
      expect(visitor.url()).toBe(new URL('grant', fixture.url).href);
      expect(await fixture.realm.offlineSessions(alice)).toBe(0);
      expect(await visitor.text()).toContain(texts.grant.none);

      await visitor.open(new URL('grant?scope=offline_access', fixture.url).href);
      expect(await visitor.text()).toContain(texts.consent.title);
      await visitor.press(texts.consent.agree);
      expect(visitor.url()).toBe(new URL('grant', fixture.url).href);
      expect(visitor.asked()).toEqual(['consent']);
      expect(await fixture.realm.offlineSessions(alice)).toBe(1);
      expect(await visitor.text()).toContain(texts.grant.states.active);
      await fixture.atRest();

      await visitor.open(new URL('grant?scope=offline_access', fixture.url).href);
      expect(visitor.asked()).toEqual([]);
      expect(await fixture.realm.offlineSessions(alice)).toBe(1);
    });
  });
}

import { expect, test } from 'vitest';
import { alice, bob, carol } from '../../demo/people.ts';
import { rememberFirstKeys } from '../../src/flows/provider/remember-keys.ts';
import { texts } from '../../src/web/texts/en.ts';
import {
  consent,
  databaseOf,
  grantOf,
  homeOf,
  openServiceFixture,
  runsOf,
  sweepUntil,
} from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** The provider is the same and calls itself otherwise: its address has changed. */
export function describeMovedProvider(provider: Provider): void {
  test('people keep what they have where the operator follows, and are asked to agree again where their tokens are refused', async () => {
    const people = [alice, bob, carol];
    await using fixture = await openServiceFixture(provider, { people, wired: true });
    const { issuer: old, movedIssuer = '' } = fixture.realm;
    for (const person of people) await consent(fixture, person);
    const users = () =>
      databaseOf(fixture.processes).user.findMany({ select: { id: true, issuer: true }, orderBy: { id: 'asc' } });
    const before = await users();
    for (const process of fixture.processes) await rememberFirstKeys(process);
    await fixture.halt();
    await fixture.realm.move?.();
    fixture.settings.OIDC_ISSUER = movedIssuer;
    const move = ['provider', 'move', old, movedIssuer];
    const dry = await fixture.command(...move, '--dry-run');
    expect(dry).toMatch(/^Both are one provider: they sign with the same key/);
    expect(dry).toContain('people 3, consents 3');
    expect(await fixture.command(...move)).toContain(`Moved from ${old} to ${movedIssuer}: people 3, consents 3.`);
    await fixture.restart();
    expect(await users()).toEqual(before.map(({ id }) => ({ id, issuer: movedIssuer })));

    const refused = { state: 'queued', errorCode: 'grant/not-usable' };
    expect(await fixture.night()).toMatchObject([refused, refused, refused]);
    const visitor = await fixture.visitor(alice);
    expect(await homeOf(fixture, visitor)).toContain(texts.protection.consent.consent_refused.happened);
    await sweepUntil(fixture, 30 * 60_000, async () => (await grantOf(fixture, carol)).state === 'needs_consent');
    expect(await fixture.command('circuits')).toBe('No circuit was opened yet.');
    await visitor.open(new URL('consent', fixture.url).href);
    if ((await visitor.text()).includes(texts.welcome.lead)) await visitor.press(texts.menu.signIn);
    await visitor.press(texts.consent.agree);
    await fixture.atRest();
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null });
    expect((await runsOf(fixture, alice)).at(-1)).toMatchObject({ state: 'succeeded' });
    expect(await homeOf(fixture, visitor)).toContain(texts.home.protected);
    // The head of the table, the one from before the move and the one from after it.
    expect((await fixture.command('snapshots', '--user', alice.username)).split('\n')).toHaveLength(3);
    expect(await users()).toHaveLength(3);
  });
}

import { expect, test } from 'vitest';
import { alice, bob } from '../../../demo/people.ts';
import { texts } from '../../../src/web/texts/en.ts';
import {
  consent,
  databaseOf,
  grantOf,
  homeOf,
  openServiceFixture,
  runsOf,
  sweepUntil,
} from '../../support/harness/service-fixture.ts';
import type { Provider } from '../../support/realms/realm.ts';
import { describeMovedProvider } from '../moved-provider.ts';
import { onDemo } from './on-demo.ts';

onDemo(describeMovedProvider);

/** The provider has left its old address, where nobody answers any more, and no key of it is known. */
function describeProviderOfUnknownKeys(provider: Provider): void {
  const moved = async (how?: { takesFormerName: true }) => {
    const fixture = await openServiceFixture(provider, { people: [alice, bob], wired: true });
    for (const person of [alice, bob]) await consent(fixture, person);
    const users = await databaseOf(fixture.processes).user.findMany({ orderBy: { id: 'asc' } });
    await fixture.halt();
    await fixture.realm.move?.(how);
    const { issuer: old, movedIssuer: to = '' } = fixture.realm;
    fixture.settings.OIDC_ISSUER = to;
    return { fixture, old, to, users, move: ['provider', 'move', old, to] };
  };
  const idsOf = (users: readonly { id: string }[]) => users.map(({ id }) => id);

  test('its people are moved where it takes a token of its old name, and their nights go on', async () => {
    const { fixture, old, to, users, move } = await moved({ takesFormerName: true });
    await using _ = fixture;
    expect(await fixture.command('doctor').catch(String)).toContain(`nightkeep provider move ${old} ${to}`);
    expect(await fixture.command(...move, '--dry-run')).toContain('Nothing was changed.');
    const said = await fixture.command(...move);
    expect(said).toMatch(/^Both are one provider: the new address took an offline token of the old one/);
    expect(said).toContain(`Moved from ${old} to ${to}: people 2, consents 2.`);
    await fixture.restart();
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
    const visitor = await fixture.visitor(alice);
    expect(await homeOf(fixture, visitor)).toContain(texts.home.protected);
    const { user } = databaseOf(fixture.processes);
    expect(idsOf(await user.findMany({ where: { issuer: to }, orderBy: { id: 'asc' } }))).toEqual(idsOf(users));
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'active', reason: null, issuer: to });
    expect((await runsOf(fixture, alice)).map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    expect(await fixture.command('circuits')).toBe('No circuit was opened yet.');
    expect(await fixture.command('doctor').catch(String)).not.toContain('provider move');
  });

  test('nobody is moved where it takes none, and all go on once it is back', async () => {
    const { fixture, old, users, move } = await moved();
    await using _ = fixture;
    await expect(fixture.command(...move)).rejects.toThrow(/Nobody was moved: .* It accepted none of: /s);
    fixture.settings.OIDC_ISSUER = old;
    await fixture.realm.move?.();
    await fixture.restart();
    const { grant, user } = databaseOf(fixture.processes);
    const issuers = users.map(({ id, issuer }) => ({ id, issuer }));
    expect(await user.findMany({ orderBy: { id: 'asc' } })).toMatchObject(issuers);
    const isWell = async () => (await grant.count({ where: { state: 'active', reason: null } })) === 2;
    await sweepUntil(fixture, 10 * 60_000, isWell);
    expect(await fixture.night()).toMatchObject([{ state: 'succeeded' }, { state: 'succeeded' }]);
  });
}

onDemo(describeProviderOfUnknownKeys);

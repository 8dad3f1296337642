import { expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { consent, databaseOf, grantOf, openServiceFixture, runsOf } from '../support/harness/service-fixture.ts';
import type { Provider, RealmFault } from '../support/realms/realm.ts';

interface Leaving {
  fault: RealmFault & ('the person is disabled' | 'the person is deleted');
  /** Whether the provider gives access tokens all the same. */
  goesOn: boolean;
  /** Whether it can be told to end the token. */
  revokes: boolean;
}

/** Somebody can no longer sign in at the provider, so not here either. */
export function describeLeavers(provider: Provider, { fault, goesOn, revokes }: Leaving): void {
  const then = goesOn ? 'their nights go on' : 'their nights stop';
  test(`when ${fault} ${then}, nobody else is stopped, and an operator can withdraw for them`, async () => {
    await using fixture = await openServiceFixture(provider);
    for (const person of [alice, bob]) await consent(fixture, person);
    await fixture.realm.inject(fault, alice);
    const signedIn = async () =>
      (await databaseOf(fixture.processes).user.findFirstOrThrow({ where: { username: alice.username } }))
        .lastSignedInAt;
    const before = await signedIn();
    // The provider goes on asking for the password.
    await consent(fixture, alice).catch(() => undefined);
    expect(await signedIn()).toEqual(before);
    await fixture.night();
    const ended = { state: 'succeeded', errorCode: null };
    expect((await runsOf(fixture, bob)).at(-1)).toMatchObject(ended);
    const ofAlice = goesOn ? ended : { state: 'queued', errorCode: 'grant/not-usable' };
    expect((await runsOf(fixture, alice)).at(-1)).toMatchObject(ofAlice);
    expect(await fixture.command('circuits')).toBe('No circuit was opened yet.');

    const said = await fixture.command('withdraw', '--user', alice.username, '--yes');
    expect(said).toMatch(revokes ? /The provider ended the token too/ : /could not be ended at the provider/);
    expect(await grantOf(fixture, alice)).toMatchObject({ state: 'withdrawn', reason: 'withdrawn_by_operator' });
    expect(await fixture.night()).toMatchObject([ended]);
  });
}

import { expect, test } from 'vitest';
import { alice, bob } from '../../demo/people.ts';
import { dayMs, hourMs } from '../../src/durations.ts';
import { consent, grantOf, openServiceFixture, sweep, sweepUntil } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

/** The provider gets another secret for Nightkeep, and the operator does not know it yet. */
export function describeRefusedClient(provider: Provider): void {
  test('with a wrong client secret the operator is told, nobody has to consent anew, and all goes on with the right one', async () => {
    await using fixture = await openServiceFixture(provider);
    for (const person of [alice, bob]) await consent(fixture, person);
    const grants = () => Promise.all([alice, bob].map((person) => grantOf(fixture, person)));
    const undo = await fixture.realm.inject('the secret of the client is changed', alice);
    fixture.pass(8 * dayMs);
    for (let hours = 0; hours < 40; hours += 1) {
      await sweep(fixture);
      fixture.pass(hourMs);
    }
    const about = `${fixture.realm.issuer} +${fixture.realm.client.id}`;
    expect(await fixture.command('circuits')).toMatch(new RegExp(`^open +${about} `, 'm'));
    expect(fixture.log.some((line) => line.includes('"circuit.opened"'))).toBe(true);
    await expect(fixture.command('doctor')).rejects.toThrow(/wrong +client /);
    expect((await grants()).map(({ state }) => state)).not.toContain('needs_consent');

    await undo?.();
    await sweepUntil(fixture, hourMs, async () => {
      const closed = new RegExp(`^closed +${about} `, 'm').test(await fixture.command('circuits'));
      return closed && (await grants()).every(({ state }) => state === 'active');
    });
    const [first, second, ...more] = await fixture.night();
    expect([first?.state, second?.state, more]).toEqual(['succeeded', 'succeeded', []]);
  });
}

/** Where a token is used up although the client was refused. */
export function describeRefusedClientOfOneUse(provider: Provider): void {
  test('a wrong client secret costs one consent, of the first who is asked for, and no more however long it lasts', async () => {
    await using fixture = await openServiceFixture(provider, { rules: { rotation: { reuse: 0 } } });
    for (const person of [alice, bob]) await consent(fixture, person);
    // Nothing but keep-alive asks, one after the other: what is under way at once would be used up at once.
    await fixture.processes[0]?.database.plan.updateMany({ data: { paused: true } });
    const undo = await fixture.realm.inject('the secret of the client is changed', alice);
    fixture.pass(8 * dayMs);
    for (let hours = 0; hours < 40; hours += 1) {
      await sweep(fixture);
      fixture.pass(hourMs);
    }
    expect(await fixture.command('circuits')).toMatch(new RegExp(`^open +${fixture.realm.issuer} `, 'm'));
    const mended = fixture.now();
    await undo?.();
    const exchanged = async () => {
      const grants = await Promise.all([alice, bob].map((person) => grantOf(fixture, person)));
      return grants.filter(({ lastExchangedAt }) => lastExchangedAt > mended).length;
    };
    await sweepUntil(fixture, hourMs, async () => (await exchanged()) > 0);
    expect(await exchanged()).toBe(1);
  });
}

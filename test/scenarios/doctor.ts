import { expect, test } from 'vitest';
import { alice } from '../../demo/people.ts';
import { consent, openServiceFixture } from '../support/harness/service-fixture.ts';
import type { Provider } from '../support/realms/realm.ts';

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { name: string; state: string; finding: string }[];
}

/** What the doctor says where all is well. */
export function describeDoctor(provider: Provider): void {
  test('the doctor finds nothing wrong, before the first consent and after a night', async () => {
    await using fixture = await openServiceFixture(provider);
    const look = async (): Promise<Report> => JSON.parse(await fixture.command('doctor', '--json'));
    const before = await look();
    expect(before.checks.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(before.ok).toBe(true);
    await consent(fixture, alice);
    await fixture.night();
    const after = await look();
    expect(after.checks.filter(({ state }) => state === 'wrong')).toEqual([]);
    expect(after.ok).toBe(true);
  });
}

import type { Person } from '../../../demo/people.ts';
import type { ProviderOptions } from '../../../demo/provider/provider.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { examine } from '../../../src/doctor/doctor.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { type Custody, openCustody } from './custody.ts';
import { openProviderFixture, type ProviderFixture } from './provider.ts';

export const secret = 'a secret & more';

/** What the doctor found, by the name of what was looked at. */
export type Findings = ReadonlyMap<string, Finding>;

/** A demo provider with Nightkeep as its client, and the settings that Nightkeep would run with; no database. */
export interface DoctorFixture extends ProviderFixture {
  examine(changes?: Environment): Promise<Findings>;
}

export interface DoctorFixtureOptions {
  client?: Partial<DemoClient>;
  realm?: ProviderOptions['options'];
  /** How far the provider's clock is ahead. */
  aheadMs?: number;
  /** How the doctor waits, where not by the machine's clock. */
  sleep?: Clock['sleep'];
}

/** Time passes for both. */
export async function openDoctorFixture({
  client,
  realm = {},
  aheadMs = 0,
  sleep,
}: DoctorFixtureOptions = {}): Promise<DoctorFixture> {
  const fixture = await openProviderFixture({
    client: { id: 'nightkeep', secret, ...client },
    realm,
    clocks: (shift) => ({
      nightkeep: { ...systemClock(() => shift.ms), ...(sleep && { sleep }) },
      provider: systemClock(() => shift.ms + aheadMs),
    }),
  });
  const { environment, clock } = fixture;
  return {
    ...fixture,
    examine: async (changes = {}) => byName((await examine({ ...environment, ...changes }, clock)).checks),
  };
}

/** The same with a database, a keyring, and people who consent. */
export async function openDoctorFixtureWithDatabase(options: DoctorFixtureOptions = {}) {
  await using opened = new AsyncDisposableStack();
  const fixture = opened.use(await openDoctorFixture(options));
  const { environment, clock, visit } = fixture;
  const { resources, consentBy } = opened.use(await openCustody(environment, { clock }));
  const closing = opened.move();
  return {
    ...fixture,
    resources,
    database: resources.database,
    consent: async (person?: Person) => (await consentBy((url) => visit(url, person))).grant,
    exchange: (grantId: string) => exchange(resources, grantId),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Exchanges the token of a grant, whatever comes of it. */
export async function exchange(custody: Custody, grantId: string): Promise<void> {
  await obtainAccess(custody, { grantId, minimumSeconds: 100_000 }).catch(() => undefined);
}

export type DoctorFixtureWithDatabase = Awaited<ReturnType<typeof openDoctorFixtureWithDatabase>>;

export function byName(checks: readonly Finding[]): Findings {
  return new Map(checks.map((finding) => [finding.name, finding]));
}

/** The states, by name: what a test of one knob looks at. */
export function statesOf(findings: Findings, ...names: string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, findings.get(name)?.state]));
}

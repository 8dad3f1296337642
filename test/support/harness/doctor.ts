import { join } from 'node:path';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { alice, type Person, people } from '../../../demo/people.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { openDatabase } from '../../../src/database/client.ts';
import { examine } from '../../../src/doctor/doctor.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { openTokenCache } from '../../../src/domain/token-cache.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { openKeyring } from '../../../src/resources.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { openTestDatabase } from '../servers/postgres.ts';
import { startRelyingParty } from '../servers/relying-party.ts';
import { keyLine, settingsFor } from './settings.ts';

export const secret = 'a secret & more';

/** What the doctor found, by the name of what was looked at. */
export type Findings = ReadonlyMap<string, Finding>;

/** A demo provider with Nightkeep as its client, and the settings that Nightkeep would run with; no database. */
export interface DoctorFixture extends AsyncDisposable {
  readonly provider: DemoProvider;
  readonly client: DemoClient;
  /** A folder of its own. */
  readonly folder: string;
  readonly clock: Clock;
  readonly environment: Environment;
  /** Time passes for everybody. */
  pass(ms: number): void;
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

export async function openDoctorFixture({
  client,
  realm = {},
  aheadMs = 0,
  sleep,
}: DoctorFixtureOptions = {}): Promise<DoctorFixture> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder('doctor')).path;
  const party = opened.use(await startRelyingParty({ id: 'nightkeep', secret, ...client }));
  let shift = 0;
  const clock = { ...systemClock(() => shift), ...(sleep && { sleep }) };
  const theirs = systemClock(() => shift + aheadMs);
  const world = { clients: [party.client], people, options: realm, clock: theirs };
  const provider = opened.adopt(await startProvider(world), (one) => one.stop());
  const publicUrl = new URL('/', party.client.redirectUris[0]);
  const at = { folder, publicUrl, issuer: provider.issuer, clientId: 'nightkeep' };
  const environment = { ...settingsFor(at), OIDC_CLIENT_SECRET: secret };
  const closing = opened.move();
  return {
    provider,
    client: party.client,
    folder,
    clock,
    environment,
    pass: (ms) => {
      shift += ms;
    },
    examine: async (changes = {}) => byName((await examine({ ...environment, ...changes }, clock)).checks),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The same with a database, a keyring, and people who consent. */
export async function openDoctorFixtureWithDatabase(options: DoctorFixtureOptions = {}) {
  await using opened = new AsyncDisposableStack();
  const fixture = opened.use(await openDoctorFixture(options));
  const custody = opened.use(await openCustody(fixture.environment, fixture.clock));
  const closing = opened.move();
  return {
    ...fixture,
    ...custody,
    consent: (person: Person = alice) =>
      custody.consentBy(async (url) => {
        await using browser = openBrowser();
        return (await signIn(browser, await browser.open(url), person)).url;
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** What Nightkeep keeps of people, on a database of its own; it writes database and keyring into the environment. */
export async function openCustody(environment: Environment, clock: Clock) {
  await using opened = new AsyncDisposableStack();
  const test = opened.use(await openTestDatabase());
  const database = opened.adopt(await openDatabase(test.url), (one) => one.$disconnect());
  Object.assign(environment, { DATABASE_URL: test.url, KEYRING: keyLine('one') });
  const config = readConfig(environment);
  const resources = {
    clock,
    config,
    database,
    holder: 'test',
    log: silentLog,
    keyring: await openKeyring(database, parseKeyring(config.keyring), clock.now()),
    spool: openSpool(join(config.dataDir, 'spool')),
    tokenCache: openTokenCache(),
    issuer: openIssuer({ provider: config.provider, publicUrl: config.publicUrl, clock, log: silentLog }),
  };
  const closing = opened.move();
  return {
    resources,
    database,
    /** `visit` follows an address as the person would, and gives where it ends. */
    consentBy: async (visit: (url: string) => Promise<string>) => {
      const { url, transaction } = await beginConsent(resources, { returnTo: '/', terms: {} });
      const callback = new URL(await visit(url.href));
      const kept = JSON.parse(JSON.stringify(transaction));
      return (await finishConsent(resources, { callback, transaction: kept })).grant;
    },
    /** Exchanges the token of a grant, whatever comes of it. */
    exchange: (grantId: string) => obtainAccess(resources, { grantId, minimumSeconds: 100_000 }).catch(() => undefined),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

export type DoctorFixtureWithDatabase = Awaited<ReturnType<typeof openDoctorFixtureWithDatabase>>;

export function byName(checks: readonly Finding[]): Findings {
  return new Map(checks.map((finding) => [finding.name, finding]));
}

/** The states, by name: what a test of one knob looks at. */
export function statesOf(findings: Findings, ...names: string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.map((name) => [name, findings.get(name)?.state]));
}

import { join } from 'node:path';
import type { Person } from '../../../demo/people.ts';
import type { DemoProvider, ProviderOptions } from '../../../demo/provider/provider.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { openMarkMemory } from '../../../src/domain/marks.ts';
import { openTokenCache } from '../../../src/domain/token-cache.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { openMeters } from '../../../src/meters.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import { openKeyring } from '../../../src/repository-resources.ts';
import type { Resources } from '../../../src/resources.ts';
import { openLocalBackend } from '../../../src/store/backend/local.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { outcomeOf } from '../fixtures/outcomes.ts';
import { openDatabaseFixture } from './database.ts';
import { openProviderFixture } from './provider.ts';

export type Custody = Pick<
  Resources,
  | 'clock'
  | 'config'
  | 'database'
  | 'holder'
  | 'issuer'
  | 'keyring'
  | 'log'
  | 'marks'
  | 'meters'
  | 'spool'
  | 'store'
  | 'tokenCache'
>;

/** How it ends to ask for access for a run. */
export const access = (custody: Custody, grantId: string): Promise<unknown> =>
  outcomeOf(obtainAccess(custody, { grantId, minimumSeconds: 30 }));

/** The part of Nightkeep that keeps tokens, on a database of its own. */
export interface OpenCustody extends AsyncDisposable {
  readonly resources: Custody;
  readonly databaseUrl: string;
  /** The same database and provider from another process. */
  other(holder: string): Custody;
  /** Somebody consents who follows an address by `visit`, which gives where it ends. */
  consentBy(visit: (url: URL) => Promise<URL>): ReturnType<typeof finishConsent>;
}

/** Opens it at the provider that these settings name; the database is added to them. */
export async function openCustody(
  environment: Environment,
  { clock, log = silentLog }: { clock: Clock; log?: Log },
): Promise<OpenCustody> {
  await using opened = new AsyncDisposableStack();
  const { url, database } = opened.use(await openDatabaseFixture());
  Object.assign(environment, { DATABASE_URL: url });
  const config = readConfig(environment);
  const keyring = await openKeyring(database, parseKeyring(config.keyring), clock.now());
  const enter = (holder: string): Custody => ({
    clock,
    config,
    database,
    holder,
    keyring,
    log,
    spool: openSpool(join(config.dataDir, 'spool')),
    tokenCache: openTokenCache(),
    marks: openMarkMemory(),
    store: (location) => openLocalBackend(join(config.dataDir, 'store', location)),
    meters: openMeters(),
    issuer: openIssuer({ provider: config.provider, publicUrl: config.publicUrl, clock, log }),
  });
  const resources = enter('first');
  const closing = opened.move();
  return {
    resources,
    databaseUrl: url,
    other: enter,
    consentBy: async (visit) => {
      const begun = await beginConsent(resources, { returnTo: '/', terms: { said: 'every night' } });
      const transaction = JSON.parse(JSON.stringify(begun.transaction));
      return finishConsent(resources, { callback: await visit(begun.url), transaction });
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The same at the demo's provider. */
export interface CustodyFixture extends Omit<OpenCustody, 'consentBy'> {
  readonly provider: DemoProvider;
  /** Advances the clock. */
  pass(ms: number): void;
  consent(person?: Person): ReturnType<typeof finishConsent>;
  /** Follows an address as the person would, and gives where it ends. */
  visit(url: URL, person?: Person): Promise<URL>;
}

export interface CustodyExtras {
  people?: readonly Person[];
  log?: Log;
  /** Further settings of Nightkeep. */
  settings?: Record<string, string>;
  /** Makes the clock of Nightkeep; the provider goes by it too. */
  clock?: (shift: { ms: number }) => Clock;
}

export async function openCustodyFixture(
  realm: ProviderOptions['options'] = {},
  { people, log = silentLog, settings = {}, clock: makeClock }: CustodyExtras = {},
): Promise<CustodyFixture> {
  await using opened = new AsyncDisposableStack();
  const clocks = (shift: { ms: number }) => {
    if (makeClock === undefined) return { nightkeep: systemClock(() => shift.ms) };
    const clock = makeClock(shift);
    return { nightkeep: clock, provider: clock };
  };
  const fixture = opened.use(await openProviderFixture({ realm, clocks, ...(people && { people }) }));
  const { provider, clock, environment, pass, visit } = fixture;
  const { consentBy, ...custody } = opened.use(await openCustody({ ...environment, ...settings }, { clock, log }));
  const closing = opened.move();
  return {
    ...custody,
    provider,
    pass,
    visit,
    consent: (person) => consentBy((url) => visit(url, person)),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

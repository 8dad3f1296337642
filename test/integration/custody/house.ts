import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openBrowser, signIn } from '../../../demo/browser.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/idp.ts';
import { alice, type Person, people } from '../../../demo/people.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Config } from '../../../src/config.ts';
import { openDatabase } from '../../../src/database/client.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { beginConsent, finishConsent } from '../../../src/flows/give-consent.ts';
import { silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import type { Resources } from '../../../src/resources.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { openTestDatabase } from '../../support/postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startRelyingParty } from '../demo/relying-party.ts';

export type Custody = Pick<
  Resources,
  'clock' | 'config' | 'database' | 'holder' | 'issuer' | 'keyring' | 'log' | 'spool'
>;

/** The part of the house that keeps tokens, at the demo's provider, with a database of its own. */
export interface CustodyHouse extends AsyncDisposable {
  readonly resources: Custody;
  readonly provider: DemoProvider;
  /** The clock goes on from here by so much more. */
  pass(ms: number): void;
  /** The same database and provider from another process. */
  other(holder: string): Custody;
  consent(person?: Person): ReturnType<typeof finishConsent>;
  /** Follows an address as the person would, and gives where it ends. */
  visit(url: URL, person?: Person): Promise<URL>;
}

export async function openCustodyHouse(options: ProviderOptions['options'] = {}): Promise<CustodyHouse> {
  await using opened = new AsyncDisposableStack();
  const party = opened.use(await startRelyingParty());
  const provider = opened.adopt(await startProvider({ clients: [party.client], people, options }), (one) => one.stop());
  const test = opened.adopt(await openTestDatabase(), (one) => one.drop());
  const folder = opened.use(await temporaryFolder('custody'));
  await migrate(test.url);
  const database = opened.adopt(await openDatabase(test.url), (one) => one.$disconnect());
  let shift = 0;
  const clock = systemClock(() => shift);
  const config = configFor(provider.issuer, party.client);
  const keyring = parseKeyring(config.keyring);
  const enter = (holder: string): Custody => ({
    clock,
    config,
    database,
    holder,
    keyring,
    log: silentLog,
    spool: openSpool(join(folder.path, 'spool')),
    issuer: openIssuer({ provider: config.provider, publicUrl: config.publicUrl, clock, log: silentLog }),
  });
  const resources = enter('first');
  const visit = async (url: URL, person = alice) => {
    await using browser = openBrowser();
    return new URL((await signIn(browser, await browser.open(url.href), person)).url);
  };
  const closing = opened.move();
  return {
    resources,
    provider,
    visit,
    other: enter,
    pass: (ms) => {
      shift += ms;
    },
    consent: async (person = alice) => {
      const begun = await beginConsent(resources, { returnTo: '/', terms: { said: 'every night' } });
      const transaction = JSON.parse(JSON.stringify(begun.transaction));
      const callback = await visit(begun.url, person);
      return finishConsent(resources, { callback, transaction, firstNight });
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

export const firstNight = () => ({ night: '2030-01-01', dueAt: new Date('2030-01-01T02:00:00Z') });

function configFor(issuer: string, client: { id: string; secret?: string; redirectUris: readonly string[] }): Config {
  return {
    publicUrl: new URL('/', client.redirectUris[0]),
    host: '127.0.0.1',
    port: 0,
    dataDir: '',
    storeFolder: '',
    provider: {
      issuer: new URL(issuer),
      clientId: client.id,
      authentication: 'client_secret_basic',
      secrets: [client.secret ?? ''],
      extraScopes: [],
    },
    filesUrl: 'http://127.0.0.1/dav/{preferred_username}/',
    window: { zone: 'UTC', start: '01:00', end: '05:00' },
    retention: { daily: 7, weekly: 4, monthly: 12 },
    offlineIdleMs: 30 * 86_400_000,
    operatorRole: 'nightkeep-operator',
    rolesClaim: 'roles',
    logLevel: 'info',
    concurrency: 1,
    graceMs: 1000,
    keyring: `one:${randomBytes(32).toString('base64url')}`,
  };
}

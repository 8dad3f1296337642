import { join } from 'node:path';
import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { alice, people as demoPeople, type Person } from '../../../demo/people.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import { openDatabase } from '../../../src/database/client.ts';
import { openTokenCache } from '../../../src/domain/token-cache.ts';
import { isAppError } from '../../../src/errors.ts';
import { beginConsent, finishConsent } from '../../../src/flows/consent/give-consent.ts';
import { obtainAccess } from '../../../src/flows/custody/obtain-access.ts';
import { type Log, silentLog } from '../../../src/log.ts';
import { openIssuer } from '../../../src/oidc/issuer.ts';
import type { Resources } from '../../../src/resources.ts';
import { parseKeyring } from '../../../src/vault/keyring.ts';
import { openSpool } from '../../../src/vault/spool.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { openTestDatabase } from '../servers/postgres.ts';
import { startRelyingParty } from '../servers/relying-party.ts';
import { keyLine, settingsFor } from './settings.ts';

export type Custody = Pick<
  Resources,
  'clock' | 'config' | 'database' | 'holder' | 'issuer' | 'keyring' | 'log' | 'spool' | 'tokenCache'
>;

/** How work ended: the code of Nightkeep's own error, or the error that is none. */
export const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'went well',
    (error: unknown) => (isAppError(error) ? error.code : error),
  );

/** How it ends to ask for access for a run. */
export const access = (custody: Custody, grantId: string): Promise<unknown> =>
  outcomeOf(obtainAccess(custody, { grantId, minimumSeconds: 30 }));

/** The part of Nightkeep that keeps tokens, at the demo's provider, with a database of its own. */
export interface CustodyFixture extends AsyncDisposable {
  readonly resources: Custody;
  readonly provider: DemoProvider;
  readonly databaseUrl: string;
  /** The clock goes on from here by so much more. */
  pass(ms: number): void;
  /** The same database and provider from another process. */
  other(holder: string): Custody;
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
  options: ProviderOptions['options'] = {},
  extras: CustodyExtras = {},
): Promise<CustodyFixture> {
  const { log = silentLog, people = demoPeople, settings = {} } = extras;
  await using opened = new AsyncDisposableStack();
  const party = opened.use(await startRelyingParty());
  const test = opened.use(await openTestDatabase());
  const folder = opened.use(await temporaryFolder('custody'));
  const database = opened.adopt(await openDatabase(test.url), (one) => one.$disconnect());
  const shift = { ms: 0 };
  const clock = extras.clock?.(shift) ?? systemClock(() => shift.ms);
  const started = startProvider({ clients: [party.client], people, options, ...(extras.clock && { clock }) });
  const provider = opened.adopt(await started, (one) => one.stop());
  const { id: clientId, secret = '', redirectUris } = party.client;
  const publicUrl = new URL('/', redirectUris[0]);
  const at = { folder: folder.path, publicUrl, issuer: provider.issuer, clientId };
  const config = readConfig({ ...settingsFor(at), OIDC_CLIENT_SECRET: secret, KEYRING: keyLine('one'), ...settings });
  const keyring = parseKeyring(config.keyring);
  const enter = (holder: string): Custody => ({
    clock,
    config,
    database,
    holder,
    keyring,
    log,
    spool: openSpool(join(folder.path, 'spool')),
    tokenCache: openTokenCache(),
    issuer: openIssuer({ provider: config.provider, publicUrl: config.publicUrl, clock, log }),
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
    databaseUrl: test.url,
    visit,
    other: enter,
    pass: (ms) => {
      shift.ms += ms;
    },
    consent: async (person = alice) => {
      const begun = await beginConsent(resources, { returnTo: '/', terms: { said: 'every night' } });
      const transaction = JSON.parse(JSON.stringify(begun.transaction));
      const callback = await visit(begun.url, person);
      return finishConsent(resources, { callback, transaction });
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

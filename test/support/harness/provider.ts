import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { alice, people as demoPeople, type Person } from '../../../demo/people.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import type { DemoClient } from '../../../demo/provider/realm/client.ts';
import { type Clock, systemClock } from '../../../src/clock.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { startRelyingParty } from '../servers/relying-party.ts';
import { settingsFor } from './settings.ts';

/** The demo's provider with Nightkeep as its client, and the settings that Nightkeep would run with; no database. */
export interface ProviderFixture extends AsyncDisposable {
  readonly provider: DemoProvider;
  readonly client: DemoClient;
  /** A folder of its own. */
  readonly folder: string;
  /** Nightkeep's. */
  readonly clock: Clock;
  readonly environment: Environment;
  /** Advances the clock. */
  pass(ms: number): void;
  /** Follows an address as the person would, and gives where it ends. */
  visit(url: URL, person?: Person): Promise<URL>;
}

export interface ProviderFixtureOptions {
  client?: Partial<DemoClient>;
  people?: readonly Person[];
  realm?: ProviderOptions['options'];
  /** The clocks of Nightkeep and the provider. The provider keeps the machine's time unless told otherwise. */
  clocks?: (shift: { ms: number }) => { nightkeep: Clock; provider?: Clock };
}

export async function openProviderFixture({
  client: changes,
  people = demoPeople,
  realm = {},
  clocks = (shift) => ({ nightkeep: systemClock(() => shift.ms) }),
}: ProviderFixtureOptions = {}): Promise<ProviderFixture> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder('provider')).path;
  const { client } = opened.use(await startRelyingParty(changes));
  const shift = { ms: 0 };
  const { nightkeep, provider: theirs = systemClock() } = clocks(shift);
  const started = startProvider({ clients: [client], people, options: realm, clock: theirs });
  const provider = opened.adopt(await started, (one) => one.stop());
  const { id: clientId, secret = '', redirectUris } = client;
  const at = { folder, publicUrl: new URL('/', redirectUris[0]), issuer: provider.issuer, clientId };
  const closing = opened.move();
  return {
    provider,
    client,
    folder,
    clock: nightkeep,
    environment: { ...settingsFor(at), OIDC_CLIENT_SECRET: secret },
    pass: (ms) => {
      shift.ms += ms;
    },
    visit: async (url, person = alice) => {
      await using browser = openBrowser();
      return new URL((await signIn(browser, await browser.open(url.href), person)).url);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

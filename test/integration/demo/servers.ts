import { openBrowser, signIn } from '../../../demo/browser/browser.ts';
import { type CloudOptions, type DemoCloud, startCloud } from '../../../demo/cloud/cloud.ts';
import { type Person, people } from '../../../demo/people.ts';
import { type DemoProvider, type ProviderOptions, startProvider } from '../../../demo/provider/provider.ts';
import { startRelyingParty } from '../../support/servers/relying-party.ts';

/** Both servers, and somebody who may ask for tokens. */
export interface DemoServers extends AsyncDisposable {
  readonly provider: DemoProvider;
  readonly cloud: DemoCloud;
  /** Signs the person in, says yes, and gives an access token for the cloud. */
  accessToken(person: Person): Promise<string>;
}

export async function startServers(
  options: ProviderOptions['options'] = {},
  cloudOptions: Partial<CloudOptions> = {},
): Promise<DemoServers> {
  const party = await startRelyingParty();
  const provider = await startProvider({ clients: [party.client], people, options });
  const cloud = await startCloud({ issuer: provider.issuer, people: people.slice(0, 2), ...cloudOptions });
  return {
    provider,
    cloud,
    accessToken: async (person) => {
      await using browser = openBrowser();
      const attempt = await party.begin(await party.discover(provider.issuer), 'openid profile');
      const back = await signIn(browser, await browser.open(attempt.url), person);
      return (await attempt.finish(back.url)).access_token;
    },
    [Symbol.asyncDispose]: async () => {
      await cloud.stop();
      await provider.stop();
      await party[Symbol.asyncDispose]();
    },
  };
}

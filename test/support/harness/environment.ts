import { generateKeyPairSync } from 'node:crypto';
import { type DemoCloud, startCloud } from '../../../demo/cloud/cloud.ts';
import { alice, bob, type Person } from '../../../demo/people.ts';
import { freePort } from '../../../src/database/server/free-port.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import type { ClientKind, Provider, Realm, WantedRealm } from '../realms/realm.ts';
import { openTestDatabase } from '../servers/postgres.ts';
import { settingsFor } from './settings.ts';

export type Settings = Record<string, string>;

export interface EnvironmentOptions extends Partial<Omit<WantedRealm, 'nightkeep'>> {
  /** Further settings of Nightkeep. */
  readonly settings?: Settings;
}

/** What Nightkeep stands on: a realm, a cloud that trusts it, a database that is migrated, and the settings that name them. */
export interface TestEnvironment extends AsyncDisposable {
  readonly realm: Realm;
  readonly cloud: DemoCloud;
  readonly url: URL;
  readonly settings: Settings;
  readonly folder: string;
}

export async function openTestEnvironment(
  provider: Provider,
  options: EnvironmentOptions = {},
): Promise<TestEnvironment> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder('service')).path;
  const database = opened.use(await openTestDatabase());
  const url = new URL(`http://localhost:${await freePort()}/`);
  const people = options.people ?? [alice, bob];
  const realm = opened.use(await provider.openRealm({ rules: {}, ...options, people, nightkeep: url }));
  const cloud = opened.adopt(await smallCloud(realm, people), (one) => one.stop());
  const settings = {
    ...settingsFor({
      folder,
      publicUrl: url,
      issuer: realm.issuer,
      clientId: realm.client.id,
      filesUrl: cloud.filesUrl,
    }),
    ...settingsOfClient(realm, options.client),
    PORT: url.port,
    DATABASE_URL: database.url,
    GRACE_SECONDS: '5',
    // One that falls into a test would change what it finds in database and store.
    STATE_EXPORTS: '0',
    // Time passes in great steps, and whom the provider shuts out could not sign in again to see what the pages say.
    SESSION_IDLE: '12h',
    ...options.settings,
  };
  const closing = opened.move();
  return { realm, cloud, url, settings, folder, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Little to fetch: these scenarios are about consent. The client itself has files too. */
async function smallCloud({ issuer, client, accessToken }: Realm, people: readonly Person[]): Promise<DemoCloud> {
  const all = [...people, { ...alice, username: `service-account-${client.id}` }];
  const cloud = await startCloud({ issuer, people: all, ...(accessToken && { token: accessToken }) });
  for (const { username } of all) {
    const folders = new Set([...cloud.contents(username).keys()].map((path) => path.split('/')[0] ?? ''));
    folders.delete('Recipes');
    for (const folder of folders) cloud.remove(username, folder);
  }
  return cloud;
}

function settingsOfClient({ client }: Realm, kind: ClientKind | undefined): Settings {
  if (kind === 'public, its tokens bound to a key') return { OIDC_CLIENT_AUTH: 'none' };
  if (kind !== 'confidential, with a private key') return { OIDC_CLIENT_SECRET: client.secret };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { OIDC_CLIENT_AUTH: 'private_key_jwt', OIDC_PRIVATE_KEY: String(pem) };
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Person } from '../../demo/people.ts';
import { temporaryFolder } from '../../test/support/fixtures/temporary-folder.ts';
import { importRealm } from '../../test/support/realms/keycloak-realm.ts';
import { defaultVersion, keycloakDistribution } from '../../test/support/servers/keycloak/distribution.ts';
import { administrator, prepareHome, startKeycloak } from '../../test/support/servers/keycloak/process.ts';

export interface ProviderProcess extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly secret: string;
  readonly redirectUri: string;
  readonly people: readonly Person[];
}

/** Starts a provider in a process of its own, with strict rotation and this number of made-up people. */
export const providers: Readonly<Record<string, (people: number) => Promise<ProviderProcess>>> = {
  demo: startDemo,
  keycloak: startRealKeycloak,
};

function makeUp(count: number): Person[] {
  return Array.from({ length: count }, (_, n) => ({
    username: `person${n}`,
    password: `person${n}`,
    subject: `subject-${n}`,
    name: `Person ${n}`,
    email: `person${n}@demo.example`,
    zone: 'UTC',
    roles: [],
  }));
}

async function startDemo(count: number): Promise<ProviderProcess> {
  const people = makeUp(count);
  const child: ChildProcess = fork(join(import.meta.dirname, 'provider.ts'), { serialization: 'json' });
  child.send(people);
  const [said] = await once(child, 'message');
  return {
    ...said,
    people,
    [Symbol.asyncDispose]: async () => {
      if (!child.connected) return;
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

async function startRealKeycloak(count: number): Promise<ProviderProcess> {
  const people = makeUp(count);
  const distribution = await keycloakDistribution(defaultVersion);
  if (distribution === undefined) throw new Error('There is no Keycloak without Java and Maven.');
  await using opened = new AsyncDisposableStack();
  const home = opened.use(await temporaryFolder('bench-keycloak'));
  await prepareHome(distribution, home.path);
  const { url } = opened.adopt(await startKeycloak(home.path, { compiler: 'fast' }), (server) => server.stop());
  const nightkeep = new URL('http://127.0.0.1:3000/');
  const { issuer, client } = await importRealm(
    { url, version: defaultVersion, administrator },
    { nightkeep, people, rules: { rotation: { reuse: 0 } }, client: 'confidential, with passwords of people' },
  );
  const closing = opened.move();
  return {
    issuer,
    people,
    clientId: client.id,
    secret: client.secret,
    redirectUri: new URL('callback', nightkeep).href,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

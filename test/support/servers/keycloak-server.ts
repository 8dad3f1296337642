import KeycloakAdminClient from '@keycloak/keycloak-admin-client';
import type { TestProject } from 'vitest/node';
import { listenOnLoopback } from '../../../demo/loopback-server.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { defaultVersion, keycloakDistribution } from './keycloak/distribution.ts';
import { administrator, prepareHome, startKeycloak } from './keycloak/process.ts';

/** The Keycloak of this test run, as test files get it. */
export interface ProvidedKeycloak {
  /** With a trailing slash. */
  readonly url: string;
  readonly version: string;
  readonly administrator: { readonly username: string; readonly password: string };
  /**
   * A POST to this address restarts the server and answers when it is back, and one to `kill` below it kills it before;
   * absent where it is not ours to restart.
   */
  readonly restartUrl?: string;
}

const variable = 'NIGHTKEEP_TEST_KEYCLOAK';

/**
 * Vitest's global setup: one Keycloak for all projects of the run, of KEYCLOAK_VERSION or the default one; or the running
 * one that KEYCLOAK_URL names, with KC_BOOTSTRAP_ADMIN_USERNAME and KC_BOOTSTRAP_ADMIN_PASSWORD as its administrator.
 */
export default async function provideKeycloak(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const known = process.env[variable];
  if (known !== undefined) {
    project.provide('keycloak', JSON.parse(known));
    return undefined;
  }
  const named = process.env.KEYCLOAK_URL;
  if (named) {
    project.provide('keycloak', await findNamed(new URL(named)));
    return undefined;
  }
  const version = process.env.KEYCLOAK_VERSION || defaultVersion;
  const distribution = await keycloakDistribution(version);
  if (distribution === undefined) return undefined;
  const home = await temporaryFolder('keycloak');
  await prepareHome(distribution, home.path);
  let server = await startKeycloak(home.path);
  const control = await listenOnLoopback(0);
  control.serve(async ({ url }, response) => {
    await (url === '/kill' ? server.kill() : server.stop());
    server = await startKeycloak(home.path, { port: Number(new URL(server.url).port) });
    response.end();
  });
  const provided: ProvidedKeycloak = { url: server.url, version, administrator, restartUrl: control.origin };
  process.env[variable] = JSON.stringify(provided);
  project.provide('keycloak', provided);
  return async () => {
    await control.down();
    await server.stop();
    await home[Symbol.asyncDispose]();
  };
}

async function findNamed({ href }: URL): Promise<ProvidedKeycloak> {
  const { KC_BOOTSTRAP_ADMIN_USERNAME: username, KC_BOOTSTRAP_ADMIN_PASSWORD: password } = process.env;
  const known = { username: username || administrator.username, password: password || administrator.password };
  const admin = new KeycloakAdminClient({ baseUrl: href.replace(/\/$/, '') });
  await admin.auth({ ...known, grantType: 'password', clientId: 'admin-cli' });
  const { systemInfo } = await admin.serverInfo.find();
  return { url: href.replace(/\/?$/, '/'), version: systemInfo?.version ?? '', administrator: known };
}

declare module 'vitest' {
  interface ProvidedContext {
    keycloak: ProvidedKeycloak | undefined;
  }
}

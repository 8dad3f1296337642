import type { TestProject } from 'vitest/node';
import { listenOnLoopback } from '../../demo/loopback-server.ts';
import { defaultVersion, keycloakDistribution } from './keycloak/distribution.ts';
import { administrator, prepareHome, startKeycloak } from './keycloak/process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The Keycloak of this test run, as test files get it. */
export interface ProvidedKeycloak {
  /** With a trailing slash. */
  readonly url: string;
  readonly administrator: { readonly username: string; readonly password: string };
  /** A POST to this address restarts the server and answers when it is back; absent where it is not ours to restart. */
  readonly restartUrl?: string;
}

/**
 * Vitest's global setup: one Keycloak for all files of the run, of KEYCLOAK_VERSION or the default one; or the running
 * one that KEYCLOAK_URL names, with KC_BOOTSTRAP_ADMIN_USERNAME and KC_BOOTSTRAP_ADMIN_PASSWORD as its administrator.
 */
export default async function provideKeycloak(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const named = process.env.KEYCLOAK_URL;
  if (named) {
    project.provide('keycloak', { url: named.replace(/\/?$/, '/'), administrator: namedAdministrator() });
    return undefined;
  }
  const distribution = await keycloakDistribution(process.env.KEYCLOAK_VERSION || defaultVersion);
  if (distribution === undefined) return undefined;
  const home = await temporaryFolder('keycloak');
  await prepareHome(distribution, home.path);
  let server = await startKeycloak(home.path);
  const control = await listenOnLoopback(0);
  control.serve(async (_request, response) => {
    await server.stop();
    server = await startKeycloak(home.path, Number(new URL(server.url).port));
    response.end();
  });
  project.provide('keycloak', { url: server.url, administrator, restartUrl: control.origin });
  return async () => {
    await control.down();
    await server.stop();
    await home[Symbol.asyncDispose]();
  };
}

function namedAdministrator(): ProvidedKeycloak['administrator'] {
  const { KC_BOOTSTRAP_ADMIN_USERNAME: username, KC_BOOTSTRAP_ADMIN_PASSWORD: password } = process.env;
  return { username: username || administrator.username, password: password || administrator.password };
}

declare module 'vitest' {
  interface ProvidedContext {
    keycloak: ProvidedKeycloak | undefined;
  }
}

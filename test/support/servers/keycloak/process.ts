import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningServer, startServerProcess } from '../server-process.ts';

/** Who may do everything at the Keycloak of a test run. */
export const administrator = { username: 'admin', password: 'admin' };

/** What the placeholders of the realm to import stand for, where the server itself imports it. */
export const placeholders = {
  NIGHTKEEP_URL: 'http://localhost:3000',
  NIGHTKEEP_BACKCHANNEL_URL: 'http://localhost:3000',
  NIGHTKEEP_CLIENT_SECRET: 'of-the-imported-realm',
  WEBDAV_CLIENT_SECRET: 'of-the-webdav-server',
};

/**
 * A home of its own for one server: the programs are the distribution's, the data are not. What stands in
 * `data/import` is imported at the first start, as in docker-compose.yml.
 */
export async function prepareHome(distribution: string, home: string): Promise<void> {
  for (const folder of ['bin', 'data/import']) await mkdir(join(home, folder), { recursive: true });
  // A copy: from a link the script would find its way to the distribution's own data.
  await copyFile(join(distribution, 'bin', 'kc.sh'), join(home, 'bin', 'kc.sh'));
  for (const folder of ['lib', 'conf', 'providers', 'themes'])
    await symlink(join(distribution, folder), join(home, folder));
  await copyFile('deploy/keycloak/nightkeep-realm.json', join(home, 'data', 'import', 'nightkeep-realm.json'));
}

export interface KeycloakStart {
  /** Any free one where absent. */
  readonly port?: number;
  /** A server that lives for minutes is ready sooner where its compiler does not try hard, as it does to be fast. */
  readonly compiler?: 'soon ready' | 'fast';
  /** The name below which browsers are sent to it, as docker-compose.yml sets it; whatever it is asked by where absent. */
  readonly hostname?: string;
}

/** Starts Keycloak on loopback and waits until it has imported its realm; the data stay in `home` when it stops. */
export async function startKeycloak(
  home: string,
  { port, compiler = 'soon ready', hostname }: KeycloakStart = {},
): Promise<RunningServer> {
  const server = await startServerProcess(async (at) => programFor(home, at, compiler, hostname), undefined, {
    startMs: 180_000,
    stopMs: 30_000,
    ...(port !== undefined && { port }),
  });
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${server.url}realms/nightkeep/.well-known/openid-configuration`);
    if (answer.ok) return server;
    if (attempt === 50) throw new Error(`Keycloak started without its realm: ${answer.status} ${await answer.text()}`);
    await sleep(200);
  }
}

function programFor(home: string, port: number, compiler: KeycloakStart['compiler'], hostname: string | undefined) {
  const named = { KC_HOSTNAME: `http://${hostname}:${port}`, KC_HOSTNAME_BACKCHANNEL_DYNAMIC: 'true' };
  const serving = [`--http-port=${port}`, '--http-host=127.0.0.1', '--http-enabled=true', '--hostname-strict=false'];
  return {
    command: join(home, 'bin', 'kc.sh'),
    args: ['start', '--optimized', '--import-realm', '--cache=local', '--log-level=warn', ...serving],
    env: {
      KC_BOOTSTRAP_ADMIN_USERNAME: administrator.username,
      KC_BOOTSTRAP_ADMIN_PASSWORD: administrator.password,
      ...(compiler === 'soon ready' && { JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1' }),
      ...(hostname !== undefined && named),
      ...placeholders,
    },
  };
}

import { join } from 'node:path';
import { type Clock, systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config/config.ts';
import type { Environment } from '../src/config/environment.ts';
import { freePort } from '../src/database/server/free-port.ts';
import { type Log, openLog } from '../src/log.ts';
import { openResources, type Resources } from '../src/resources.ts';
import { serve } from '../src/web/server.ts';
import { startWorker } from '../worker/main.ts';
import { type DemoCloud, startCloud } from './cloud/cloud.ts';
import { alice, bob, people } from './people.ts';
import { type DemoProvider, startProvider } from './provider/provider.ts';
import type { DemoClient } from './provider/realm/client.ts';

/** A provider, a cloud, and Nightkeep with its embedded database, all by one clock. */
export interface Demo extends AsyncDisposable {
  readonly provider: DemoProvider;
  readonly cloud: DemoCloud;
  readonly resources: Resources;
  /** Where Nightkeep's pages are. */
  readonly url: URL;
  /** Moves the clock of all three on. */
  advance(ms: number): void;
}

export interface DemoOptions {
  /** Where database, keyring and repositories go. */
  folder: string;
  port?: number;
  log?: (line: string) => void;
  /** Settings of Nightkeep beside those that the demo needs. */
  settings?: Environment;
}

/** Starts everything; it listens on loopback only and ends with the demo. */
export async function startDemo({ folder, port, log, settings }: DemoOptions): Promise<Demo> {
  await using opened = new AsyncDisposableStack();
  let advanced = 0;
  const clock = systemClock(() => advanced);
  const url = new URL(`http://localhost:${port ?? (await freePort())}/`);
  const client = nightkeepAt(url);
  const provider = opened.adopt(await startProvider({ clients: [client], people, clock }), (started) => started.stop());
  const cloud = opened.adopt(await startCloud({ issuer: provider.issuer, people: [alice, bob], clock }), (started) =>
    started.stop(),
  );
  const config = readConfig({
    ...settings,
    PUBLIC_URL: url.href,
    PORT: url.port,
    DATA_DIR: folder,
    STORE_URL: new URL(`file://${join(folder, 'store')}`).href,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: client.id,
    OIDC_CLIENT_SECRET: client.secret,
    FILES_URL: cloud.filesUrl,
    CALENDARS_URL: cloud.davUrl,
    CONTACTS_URL: cloud.davUrl,
    MAIL_URL: cloud.mailUrl,
    ZONE: 'Europe/Berlin',
    LOG_LEVEL: log ? 'info' : 'error',
    GRACE_SECONDS: '5',
  });
  const resources = opened.use(await openResources(config, { clock, log: logTo(clock, config.logLevel, log) }));
  opened.adopt(await serve(resources), (web) => web.close(config.graceMs));
  opened.adopt(await startWorker(resources), (worker) => worker.close(config.graceMs));
  const closing = opened.move();
  return {
    provider,
    cloud,
    resources,
    url,
    advance: (ms) => {
      advanced += ms;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Nightkeep as the provider knows it. */
function nightkeepAt(url: URL) {
  return {
    id: 'nightkeep',
    name: 'Nightkeep',
    authentication: 'client_secret_basic',
    secret: 'demo-secret',
    redirectUris: [new URL('callback', url).href],
    postLogoutRedirectUris: [url.href],
    backchannelLogoutUri: new URL('backchannel-logout', url).href,
  } satisfies DemoClient;
}

function logTo(
  clock: Clock,
  level: 'debug' | 'info' | 'warn' | 'error',
  write: ((line: string) => void) | undefined,
): Log {
  return openLog({ clock, level, write: write ?? ((line) => process.stderr.write(`${line}\n`)) });
}

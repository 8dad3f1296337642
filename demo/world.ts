import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config.ts';
import { type Log, openLog } from '../src/log.ts';
import { openResources, type Resources } from '../src/resources.ts';
import { serve } from '../src/web/server.ts';
import { startWorker } from '../worker/main.ts';
import { type DemoCloud, startCloud } from './cloud/cloud.ts';
import { alice, bob, people } from './people.ts';
import { type DemoProvider, startProvider } from './provider/provider.ts';

/** A whole small world: a provider, a cloud, and Nightkeep itself on its embedded default. */
export interface World extends AsyncDisposable {
  provider: DemoProvider;
  cloud: DemoCloud;
  house: Resources;
  url: URL;
  /** Moves everybody's clock on. */
  shift(ms: number): void;
}

export interface WorldOptions {
  /** Where database, keyring and repositories go. */
  folder: string;
  port?: number;
  log?: (line: string) => void;
}

const clientSecret = 'demo-secret';

/** Starts the world; everything listens on loopback only and ends with it. */
export async function openWorld({ folder, port, log }: WorldOptions): Promise<World> {
  await using opened = new AsyncDisposableStack();
  let shifted = 0;
  const clock = systemClock(() => shifted);
  const at = port ?? (await freePort());
  const url = new URL(`http://localhost:${at}/`);
  const client = {
    id: 'nightkeep',
    name: 'Nightkeep',
    authentication: 'client_secret_basic' as const,
    secret: clientSecret,
    redirectUris: [new URL('callback', url).href],
    postLogoutRedirectUris: [url.href],
    backchannelLogoutUri: new URL('backchannel-logout', url).href,
  };
  const provider = opened.adopt(await startProvider({ clients: [client], people, clock }), (started) => started.stop());
  const cloud = opened.adopt(await startCloud({ issuer: provider.issuer, people: [alice, bob], clock }), (started) =>
    started.stop(),
  );
  const settings = {
    PUBLIC_URL: url.href,
    PORT: String(at),
    DATA_DIR: folder,
    ZONE: 'Europe/Berlin',
    LOG_LEVEL: log ? 'info' : 'error',
  };
  const config = readConfig({
    ...settings,
    STORE_URL: new URL(`file://${join(folder, 'store')}`).href,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: 'nightkeep',
    OIDC_CLIENT_SECRET: clientSecret,
    FILES_URL: cloud.filesUrl,
    GRACE_SECONDS: '5',
  });
  const house = opened.use(await openResources(config, { clock, log: logTo(clock, config.logLevel, log) }));
  opened.adopt(await serve(house), (web) => web.close(config.graceMs));
  opened.adopt(await startWorker(house), (worker) => worker.close(config.graceMs));
  const closing = opened.move();
  return {
    provider,
    cloud,
    house,
    url,
    shift: (ms) => {
      shifted += ms;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function logTo(
  clock: Clock,
  level: 'debug' | 'info' | 'warn' | 'error',
  write: ((line: string) => void) | undefined,
): Log {
  return openLog({ clock, level, write: write ?? ((line) => process.stderr.write(`${line}\n`)) });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** A worker in a process of its own: does the runs that it is sent, and is killed after as many steps to the outside as it is told. */

import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { openDatabase } from '../../src/database/client.ts';
import { openMarkMemory } from '../../src/domain/marks.ts';
import { openTokenCache } from '../../src/domain/token-cache.ts';
import { isAppError } from '../../src/errors.ts';
import { backUp } from '../../src/flows/nights/back-up.ts';
import { steerRun } from '../../src/flows/nights/steer-run.ts';
import { openLog } from '../../src/log.ts';
import { openMeters } from '../../src/meters.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { openKeyring } from '../../src/repository-resources.ts';
import { openProcessState, type Resources } from '../../src/resources.ts';
import type { Backend } from '../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { openLockOwner } from '../../src/store/repository/locks.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';
import { openSpool } from '../../src/vault/spool.ts';
import { rememberingQueues } from '../support/fixtures/remembering-queues.ts';
import { cheapScryptCosts } from '../support/fixtures/repository.ts';
import { intercept } from './intercept.ts';

/** What the process is told once, at its start. */
export interface Station {
  readonly holder: string;
  readonly databaseUrl: string;
  readonly spool: string;
  readonly store: string;
  readonly config: Config;
  readonly issuer: string;
  readonly publicUrl: string;
  /** Milliseconds since 1970 by the clock of the test. */
  readonly at: number;
}

/** What it is told then: the time, and a run to do or how many steps it has left. */
export type Order = { readonly at: number; readonly runId: string } | { readonly left: number };

/** What it answers when a run is over: how long it slept by its own clock, and an error that is none of Nightkeep's. */
export interface Done {
  readonly sleptMs: number;
  readonly failure?: string;
}

let left = Number.POSITIVE_INFINITY;
const step = <T>(call: () => Promise<T>): Promise<T> => {
  left -= 1;
  if (left < 0) process.kill(process.pid, 'SIGKILL');
  return call();
};

const time = { at: 0, sleptMs: 0 };

process.on('message', (told: Station | Order) => {
  if ('left' in told) left = told.left;
  else if ('runId' in told) void work(told);
  else station.resolve(told);
});
const station = Promise.withResolvers<Station>();
const opened = station.promise.then(open);

async function work({ at, runId }: { at: number; runId: string }): Promise<void> {
  const resources = await opened;
  Object.assign(time, { at, sleptMs: 0 });
  const { signal } = new AbortController();
  const failure = await steerRun(resources, { runId, signal }, (input) => backUp(resources, input)).then(
    () => undefined,
    (error: unknown) => (isAppError(error) ? undefined : String(error instanceof Error ? error.stack : error)),
  );
  const done: Done = { sleptMs: time.sleptMs, ...(failure !== undefined && { failure }) };
  process.send?.(done);
}

async function open(told: Station): Promise<Resources> {
  time.at = told.at;
  const clock = steppingClock();
  const log = openLog({ clock, level: 'debug', write: (line) => process.stdout.write(`${line}\n`) });
  const publicUrl = new URL(told.publicUrl);
  const config = { ...told.config, publicUrl, provider: { ...told.config.provider, issuer: new URL(told.issuer) } };
  const database = await openDatabase(told.databaseUrl, 4);
  const custody = intercept(
    {
      clock,
      config,
      database,
      log,
      holder: told.holder,
      issuer: openIssuer({ provider: config.provider, publicUrl, clock, log }),
      keyring: await openKeyring(database, parseKeyring(config.keyring), clock.now()),
      spool: openSpool(told.spool),
      tokenCache: openTokenCache(),
      marks: openMarkMemory(),
      store: (location: string) => countedBackend(openLocalBackend(join(told.store, location))),
      meters: openMeters(),
    },
    (_, call) => step(call),
  );
  const part = {
    ...custody,
    queues: rememberingQueues([]),
    scrypt: cheapScryptCosts,
    places: async () => [],
  };
  return { ...part, ...openProcessState(part), lockOwner: openLockOwner(told.holder) };
}

/** Stands where the test has set it, but for what is slept: that passes at once. */
function steppingClock(): Clock {
  return {
    ...systemClock(),
    now: () => new Date(time.at + time.sleptMs),
    elapsed: () => time.at + time.sleptMs,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      time.sleptMs += Math.min(ms, 1_000);
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
      signal?.throwIfAborted();
    },
  };
}

function countedBackend(backend: Backend): Backend {
  return {
    location: backend.location,
    save: (type, name, bytes) => step(() => backend.save(type, name, bytes)),
    load: (type, name, range) => step(() => backend.load(type, name, range)),
    list: async function* (type) {
      await step(async () => undefined);
      yield* backend.list(type);
    },
    stat: (type, name) => step(() => backend.stat(type, name)),
    remove: (type, name) => step(() => backend.remove(type, name)),
    vacate: () => step(() => backend.vacate()),
  };
}

/** Works on one run until it has ended, or until the test kills it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { openDatabase } from '../../src/database/client.ts';
import { backUp } from '../../src/flows/nights/back-up.ts';
import { steerRun } from '../../src/flows/nights/steer-run.ts';
import { openLog } from '../../src/log.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { openProcessState } from '../../src/resources.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';
import { openSpool } from '../../src/vault/spool.ts';
import { rememberingQueues } from '../support/fixtures/remembering-queues.ts';
import { cheapScryptCosts } from '../support/fixtures/repository.ts';

export interface Order {
  runId: string;
  databaseUrl: string;
  spool: string;
  store: string;
  config: Config;
  issuer: string;
  publicUrl: string;
  shiftMs: number;
}

const [order] = (await once(process, 'message')) as [Order];
const clock = systemClock(() => order.shiftMs);
const log = openLog({ clock, level: 'info', write: (line) => process.stdout.write(`${line}\n`) });
const provider = { ...order.config.provider, issuer: new URL(order.issuer) };
const publicUrl = new URL(order.publicUrl);
const config = { ...order.config, provider, publicUrl };
const database = await openDatabase(order.databaseUrl, 2);
const resources = {
  config,
  clock,
  log,
  database,
  issuer: openIssuer({ provider, publicUrl, clock, log }),
  keyring: parseKeyring(config.keyring),
  holder: `child/${process.pid}`,
  spool: openSpool(order.spool),
  queues: rememberingQueues([]),
  scrypt: cheapScryptCosts,
  store: (location: string) => openLocalBackend(join(order.store, location)),
  ...openProcessState({ clock, database, log }),
};
const { signal } = new AbortController();
await steerRun(resources, { runId: order.runId, signal }, (input) => backUp(resources, input));
process.exit(0);

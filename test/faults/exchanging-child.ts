/** Exchanges one grant's token, and is killed at a step of it: before the n-th thing that it asks of the outside, or after it. */

import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { openDatabase } from '../../src/database/client.ts';
import { openMarkMemory } from '../../src/domain/marks.ts';
import { openTokenCache } from '../../src/domain/token-cache.ts';
import { exchangeNow } from '../../src/flows/custody/obtain-access.ts';
import { openLog } from '../../src/log.ts';
import { openMeters } from '../../src/meters.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';
import { openSpool } from '../../src/vault/spool.ts';
import { type Around, intercept } from './intercept.ts';

export interface Order {
  grantId: string;
  databaseUrl: string;
  spool: string;
  config: Config;
  issuer: string;
  publicUrl: string;
  shiftMs: number;
  /** Which moment: an even number is before a step, an odd one after it. */
  killAt: number;
}

const [order] = (await once(process, 'message')) as [Order];
let moment = -1;
const pass = (name: string) => {
  moment += 1;
  process.send?.({ moment, name });
  if (moment === order.killAt) process.kill(process.pid, 'SIGKILL');
};
const killing: Around = async ({ at, name }, call) => {
  pass(`before ${at} ${name}`);
  const answer = await call();
  pass(`after ${at} ${name}`);
  return answer;
};

const clock = systemClock(() => order.shiftMs);
const log = openLog({ clock, level: 'debug', write: (line) => process.stdout.write(`${line}\n`) });
const provider = { ...order.config.provider, issuer: new URL(order.issuer) };
const config = { ...order.config, provider };
const database = await openDatabase(order.databaseUrl, 2);
const issuer = openIssuer({ provider, publicUrl: new URL(order.publicUrl), clock, log });
const custody = {
  config,
  clock,
  log,
  database,
  issuer,
  keyring: parseKeyring(config.keyring),
  holder: `child/${process.pid}`,
  spool: openSpool(order.spool),
  tokenCache: openTokenCache(),
  marks: openMarkMemory(),
  store: (location: string) => openLocalBackend(join(order.spool, 'store', location)),
  meters: openMeters(),
};
await exchangeNow(intercept(custody, killing), order.grantId);
await database.$disconnect();
process.disconnect();

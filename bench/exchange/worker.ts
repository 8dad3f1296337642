/** A child process of bench/exchange.ts: exchanges its grants in turn through the whole protocol, for as long as each message says. */

import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/database/client.ts';
import { openMarkMemory } from '../../src/domain/marks.ts';
import { openTokenCache } from '../../src/domain/token-cache.ts';
import { exchangeNow } from '../../src/flows/custody/obtain-access.ts';
import { sharedStatements } from '../../src/flows/custody/statements.ts';
import { silentLog } from '../../src/log.ts';
import { openMeters } from '../../src/meters.ts';
import { openIssuer } from '../../src/oidc/issuer.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';
import { openSpool } from '../../src/vault/spool.ts';
import { repeatAtOnce } from './concurrency.ts';
import { configOf } from './settings.ts';
import { countStatements } from './statements.ts';

export interface WorkerOrder {
  grantIds: string[];
  atOnce: number;
  /** How many exchanges it makes before it says that it is warm. */
  warmUp: number;
  databaseUrl: string;
  keyring: string;
  spool: string;
  provider: { issuer: string; clientId: string; secret: string; redirectUri: string };
}

export interface WorkerResult {
  exchanges: number;
  elapsedMs: number;
  statements: number;
}

process.once('disconnect', () => process.exit());
const [order]: [WorkerOrder] = (await once(process, 'message')) as [WorkerOrder];
const { provider, grantIds, atOnce, warmUp } = order;
const config = configOf(provider, order.keyring);
const clock = systemClock();
const count = countStatements();
const database = await openDatabase(order.databaseUrl, 2);
const resources = {
  config,
  clock,
  database,
  log: silentLog,
  keyring: parseKeyring(config.keyring),
  holder: `bench/${process.pid}`,
  spool: openSpool(order.spool),
  tokenCache: openTokenCache(),
  marks: openMarkMemory(),
  store: (location: string) => openLocalBackend(join(order.spool, 'store', location)),
  meters: openMeters(),
  issuer: openIssuer({ provider: config.provider, publicUrl: config.publicUrl, clock, log: silentLog }),
};
const statements = sharedStatements(database);
const exchange = (grantId: string) => exchangeNow(resources, grantId, { statements });
await repeatAtOnce(grantIds, atOnce, exchange, (done) => done >= warmUp);
process.on('message', async ({ ms }: { ms: number }) => {
  const begin = performance.now();
  const before = count();
  const exchanges = await repeatAtOnce(grantIds, atOnce, exchange, () => performance.now() - begin >= ms);
  const result: WorkerResult = { exchanges, elapsedMs: performance.now() - begin, statements: count() - before };
  process.send?.(result);
});
process.send?.('warm');

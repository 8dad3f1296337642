/** Verifies what is due, and is killed before or after the n-th thing that it does at the store, where the test says so. */
import { once } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import type { Config } from '../../src/config/config.ts';
import { openDatabase } from '../../src/database/client.ts';
import { verifyDue } from '../../src/flows/verification/verify-due.ts';
import { openLog } from '../../src/log.ts';
import { openProcessState } from '../../src/resources.ts';
import type { Backend } from '../../src/store/backend/backend.ts';
import { openLocalBackend } from '../../src/store/backend/local.ts';
import { parseKeyring } from '../../src/vault/keyring.ts';

export interface Order {
  databaseUrl: string;
  store: string;
  config: Pick<Config, 'keyring' | 'verifyDays'>;
  shiftMs: number;
  /** Which moment: an even number is before a step, an odd one after it; none with -1. */
  killAt: number;
}

const [order] = (await once(process, 'message')) as [Order];
let moment = -1;
const pass = () => {
  moment += 1;
  if (moment === order.killAt) process.kill(process.pid, 'SIGKILL');
};
const killing =
  <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
  async (...args: Args): Promise<Result> => {
    pass();
    const result = await work(...args);
    pass();
    return result;
  };
const guarded = (backend: Backend): Backend => ({
  ...backend,
  save: killing(backend.save),
  load: killing(backend.load),
  remove: killing(backend.remove),
});

const clock = systemClock(() => order.shiftMs);
const log = openLog({ clock, level: 'info', write: (line) => process.stdout.write(`${line}\n`) });
const database = await openDatabase(order.databaseUrl, 2);
const resources = {
  config: order.config as Config,
  clock,
  log,
  database,
  keyring: parseKeyring(order.config.keyring),
  store: (location: string) => guarded(openLocalBackend(join(order.store, location))),
  ...openProcessState({ clock, database, log }),
};
await verifyDue(resources, { signal: new AbortController().signal });
process.send?.({ moments: moment + 1, peakBytes: process.resourceUsage().maxRSS * 1024 });
await database.$disconnect();
process.disconnect();

/** A worker process of bench/crowd.ts: gets its settings in a message, works until its parent goes, and answers each message with how many
 * statements it has sent; `forget` lets go of all access tokens, as they end before the next night. */
import { once } from 'node:events';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config/config.ts';
import { silentLog } from '../../src/log.ts';
import { openResources } from '../../src/resources.ts';
import { startWorker } from '../../worker/main.ts';
import { countStatements } from '../exchange/statements.ts';

process.once('disconnect', () => process.exit());
const [settings]: [Record<string, string>] = (await once(process, 'message')) as [Record<string, string>];
const statements = countStatements();
const resources = await openResources(readConfig(settings), { clock: systemClock(), log: silentLog });
await startWorker(resources);
process.on('message', (asked) => {
  if (asked === 'forget') resources.tokenCache.known.clear();
  process.send?.(statements());
});
process.send?.('ready');

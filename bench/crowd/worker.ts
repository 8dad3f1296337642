/** A worker process of bench/crowd.ts: gets its settings in a message, works until its parent goes, and answers each message with how many
 * statements it has sent; `forget` lets go of all access tokens, as they end before the next night; `profile` begins a profile of its
 * main thread, and a message that names a file ends it and writes it there. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
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
let profiling: Session | undefined;
process.on('message', async (asked) => {
  if (asked === 'forget') resources.tokenCache.known.clear();
  if (asked === 'profile') profiling = await beginProfile();
  if (profiling && typeof asked === 'object' && asked !== null && 'profile' in asked)
    await endProfile(profiling, String(asked.profile));
  process.send?.(statements());
});
process.send?.('ready');

async function beginProfile(): Promise<Session> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  return session;
}

async function endProfile(session: Session, file: string): Promise<void> {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
}

import { listGrantsToExchange } from '../database/grants.ts';
import type { Needs } from './exchange-token.ts';
import { exchangeNow } from './obtain-access.ts';

/**
 * Exchanges the tokens whose time has come, those that end first before the others, and asks refused ones again.
 * One that fails does not keep the others from it; answers how many went well and how many did not.
 */
export async function keepAlive(
  resources: Needs,
  { limit = 50, signal }: { limit?: number; signal?: AbortSignal } = {},
): Promise<{ exchanged: number; failed: number }> {
  const { database, clock, log } = resources;
  const count = { exchanged: 0, failed: 0 };
  for (const grantId of await listGrantsToExchange(database, { at: clock.now(), limit })) {
    if (signal?.aborted) break;
    try {
      await exchangeNow(resources, { grantId, purpose: 'keep-alive' });
      count.exchanged += 1;
    } catch (error) {
      log.warn('keep-alive.failed', { grantId, error });
      count.failed += 1;
    }
  }
  return count;
}

import { askGrantAgain } from '../database/deadlines.ts';
import type { Needs } from './exchange-token.ts';
import { exchangeNow } from './obtain-access.ts';

/**
 * Somebody says that what was missing at the provider is back: the grant is asked at once, not only when its turn
 * comes. Throws what `exchangeToken` throws where it is still not usable.
 */
export async function askAgain(resources: Needs, { grantId, by }: { grantId: string; by: string }): Promise<void> {
  await askGrantAgain(resources.database, { grantId, at: resources.clock.now(), by });
  await exchangeNow(resources, { grantId, purpose: 'keep-alive' });
}

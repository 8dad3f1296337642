import { askGrantAgain } from '../database/deadlines.ts';
import type { Resources } from '../resources.ts';
import type { Needs } from './exchange-token.ts';
import { exchangeNow } from './obtain-access.ts';

/**
 * Somebody says that what was missing at the provider is back: the grant is asked at once, not only when its turn
 * comes. Answers whether it is usable; throws where the provider cannot be asked just now.
 */
export async function askAgain(
  resources: Needs & Pick<Resources, 'database' | 'clock'>,
  { grantId, by }: { grantId: string; by: string },
): Promise<void> {
  await askGrantAgain(resources.database, { grantId, at: resources.clock.now(), by });
  await exchangeNow(resources, { grantId, purpose: 'keep-alive' });
}

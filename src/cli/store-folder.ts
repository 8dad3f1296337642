import { existsSync } from 'node:fs';
import { type StoreAddress, storeUrl } from '../domain/store-address.ts';
import { AppError } from '../errors.ts';

/**
 * Throws `store/unavailable` where the store is a folder that is not there. Whoever makes one may leave that to the first backup; whoever
 * looks for what lies in one must not read that it is empty.
 */
export function requireStoreFolder(address: StoreAddress): void {
  if (address.kind !== 'folder' || existsSync(address.folder)) return;
  throw new AppError(
    'store/unavailable',
    `There is no folder ${address.folder}, so nothing is known of the store ${storeUrl(address)}. Is its disk mounted, and the address right?`,
  );
}

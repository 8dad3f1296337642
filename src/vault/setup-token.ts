import { createHmac } from 'node:crypto';
import type { Keyring } from './keyring.ts';

/** What opens the first-run page of this installation: all of its processes know the same, and nobody finds a key by it. */
export function setupTokenOf({ fingerprintKey }: Pick<Keyring, 'fingerprintKey'>): string {
  return createHmac('sha256', fingerprintKey).update('nightkeep setup').digest('base64url').slice(0, 22);
}

import type { RestAddress, S3Address } from './store-address.ts';

/** What opens stores on servers. */
export interface StoreKey {
  /** The bucket, or the host with its port, that alone it is for. */
  readonly only?: string;
  /** Of an S3 store the access key, of a REST store the user. */
  readonly id: string;
  readonly secret: string;
}

/** The key for a store; one that is for it alone is taken first. */
export function findStoreKey(address: S3Address | RestAddress, keys: readonly StoreKey[]): StoreKey | undefined {
  const { place, fits } = whatFits(address);
  const fitting = keys.filter(fits);
  return fitting.find(({ only }) => only === place) ?? fitting.find(({ only }) => only === undefined);
}

/**
 * What STORE_KEYS lacks for a store, worded to follow its name, with the cure; undefined where it lacks nothing. A REST store without a
 * user needs no key.
 */
export function lackOfKey(address: S3Address | RestAddress, keys: readonly StoreKey[]): string | undefined {
  if (findStoreKey(address, keys) !== undefined || (address.kind === 'rest' && address.user === '')) return undefined;
  const { place } = whatFits(address);
  if (address.kind === 's3') return `has no key for the bucket ${place}: add a line "${place} ID SECRET"`;
  return `has no password for ${address.user} at ${place}: add a line "${place} ${address.user} PASSWORD"`;
}

function whatFits(address: S3Address | RestAddress) {
  if (address.kind === 's3') return { place: address.bucket, fits: () => true };
  return { place: new URL(address.origin).host, fits: ({ id }: StoreKey) => id === address.user };
}

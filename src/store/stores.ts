import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type S3Address, type StoreAddress, storeUrl } from '../domain/store-address.ts';
import { AppError } from '../errors.ts';
import type { Backend } from './backend/backend.ts';
import { listLocalPlaces, openLocalBackend } from './backend/local.ts';
import { type RetryOptions, retrying, withRetries } from './backend/retrying.ts';
import { openS3Store, type S3Store } from './backend/s3/s3.ts';

/** What opens S3 stores. */
export interface StoreAccess {
  /** Keys; one without a bucket is for every bucket that has none of its own. */
  readonly storeKeys: readonly StoreKey[];
  /** Certificates in PEM that are believed besides those of the system. */
  readonly storeCa?: string | undefined;
}

export interface StoreKey {
  readonly bucket?: string;
  readonly id: string;
  readonly secret: string;
}

/** The stores that this process uses; all repositories in one share its connections. */
export interface Stores extends AsyncDisposable {
  /** The place inside a store that one repository fills. Throws `config/invalid` where there is no key for it. */
  open(address: StoreAddress, location: string): Backend;
  /** The places in a store in which something is, in no order. Throws as `open` does. */
  places(address: StoreAddress): Promise<string[]>;
}

/** A server far away may be away for longer than a disk is busy: half a minute, before the run is tried again as a whole. */
const farAway = { attempts: 8, longestPauseMs: 10_000 };

export function openStores(
  { storeKeys, storeCa }: StoreAccess,
  clock: Clock,
  patience: Omit<RetryOptions, 'clock'> = {},
): Stores {
  const opened = new AsyncDisposableStack();
  const buckets = new Map<string, S3Store>();
  const bucketAt = (address: S3Address) => {
    const { endpoint, region, bucket, style } = address;
    const at = storeUrl({ ...address, prefix: '' });
    const { id, secret } = keyFor(bucket, storeKeys);
    const known = buckets.get(at);
    if (known !== undefined) return known;
    const key = { accessKeyId: id, secretAccessKey: secret };
    const store = opened.use(openS3Store({ endpoint, region, bucket, style, ...key, ca: storeCa }, { clock }));
    buckets.set(at, store);
    return store;
  };
  return {
    open: (address, location) => {
      if (address.kind === 'folder')
        return retrying(openLocalBackend(join(address.folder, location)), { clock, ...patience });
      const prefix = address.prefix === '' ? location : `${address.prefix}/${location}`;
      return retrying(bucketAt(address).open(prefix), { clock, ...farAway, ...patience });
    },
    places: (address) =>
      withRetries({ clock, ...(address.kind === 's3' && farAway), ...patience }, () =>
        Array.fromAsync(
          address.kind === 'folder' ? listLocalPlaces(address.folder) : bucketAt(address).places(address.prefix),
        ),
      ),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function keyFor(bucket: string, keys: readonly StoreKey[]): StoreKey {
  const key = keys.find((one) => one.bucket === bucket) ?? keys.find((one) => one.bucket === undefined);
  if (key !== undefined) return key;
  throw new AppError(
    'config/invalid',
    `STORE_KEYS has no key for the bucket ${bucket}: add a line "${bucket} ID SECRET".`,
  );
}

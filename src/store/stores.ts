import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import {
  type RestAddress,
  restServerUrl,
  type S3Address,
  type StoreAddress,
  storeUrl,
} from '../domain/store-address.ts';
import { findStoreKey, lackOfKey, type StoreKey } from '../domain/store-key.ts';
import { AppError } from '../errors.ts';
import type { Backend } from './backend/backend.ts';
import { listLocalPlaces, openLocalBackend } from './backend/local.ts';
import type { RemoteStore } from './backend/remote-store.ts';
import { openRestStore } from './backend/rest/rest.ts';
import { type RetryOptions, retrying, withRetries } from './backend/retrying.ts';
import { openS3Store } from './backend/s3/s3.ts';

/** What opens stores on servers. */
export interface StoreAccess {
  readonly storeKeys: readonly StoreKey[];
  /** Certificates in PEM that are believed besides those of the system. */
  readonly storeCa?: string | undefined;
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

/** Opens stores as they are needed, one set of connections for each server. `patience` changes how often, and for how long, failed requests are repeated. */
export function openStores(access: StoreAccess, clock: Clock, patience: Omit<RetryOptions, 'clock'> = {}): Stores {
  const opened = new AsyncDisposableStack();
  const remote = new Map<string, RemoteStore>();
  const storeAt = (address: S3Address | RestAddress) => {
    const at = storeUrl({ ...address, prefix: '' });
    const store = remote.get(at) ?? opened.use(openRemoteStore(address, access, clock));
    remote.set(at, store);
    return store;
  };
  return {
    open: (address, location) => {
      requireName(location);
      if (address.kind === 'folder')
        return retrying(openLocalBackend(join(address.folder, location)), { clock, ...patience });
      const path = address.prefix === '' ? location : `${address.prefix}/${location}`;
      return retrying(storeAt(address).open(path), { clock, ...farAway, ...patience });
    },
    places: (address) =>
      withRetries({ clock, ...(address.kind !== 'folder' && farAway), ...patience }, () =>
        Array.fromAsync(
          address.kind === 'folder' ? listLocalPlaces(address.folder) : storeAt(address).places(address.prefix),
        ),
      ),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The name of a folder in the store, and never a way out of it. */
function requireName(location: string): void {
  if (location !== '' && location !== '.' && location !== '..' && !/[/\\\0]/.test(location)) return;
  throw new AppError(
    'store/unavailable',
    'A repository is in a folder of the store, and this is not the name of one.',
    {
      detail: { location },
    },
  );
}

function openRemoteStore(
  address: S3Address | RestAddress,
  { storeKeys, storeCa: ca }: StoreAccess,
  clock: Clock,
): RemoteStore {
  const lack = lackOfKey(address, storeKeys);
  if (lack !== undefined) throw new AppError('config/invalid', `STORE_KEYS ${lack}.`);
  const key = findStoreKey(address, storeKeys);
  if (address.kind === 'rest') {
    const { origin, user } = address;
    const location = `rest:${restServerUrl(address)}`;
    return openRestStore({ origin, user, password: key?.secret, location, ca }, { clock });
  }
  const { endpoint, region, bucket, style } = address;
  const { id: accessKeyId = '', secret: secretAccessKey = '' } = key ?? {};
  return openS3Store({ endpoint, region, bucket, style, accessKeyId, secretAccessKey, ca }, { clock });
}

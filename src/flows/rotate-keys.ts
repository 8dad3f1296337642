import { findFrontKey, putInFront } from '../database/canaries.ts';
import {
  beforeAll,
  countSealed,
  type SealedKind,
  type SealedPage,
  type SealedValue,
  sealedPlaces,
} from '../database/sealed-values.ts';
import { isHouseError } from '../errors.ts';
import type { Resources } from '../resources.ts';
import { type Binding, seal, unseal } from '../vault/seal.ts';
import { bindingOfBoundKey } from './bound-key.ts';
import { bindingOf } from './custody.ts';
import { passwordOf, recoveryOf } from './person-repository.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log'>;

export interface Rotation {
  /** Values that are sealed under the newest key now. */
  resealed: number;
  /** Values that do not open; they stay as they are. */
  broken: number;
}

const batch = 200;
/** A worker does so much at a time, so that the pool of connections stays free for exchanges. */
const mostInBackground = 5_000;

const bindings: Record<SealedKind, (value: SealedValue) => Binding> = {
  'offline tokens': ({ userId, id, number }) => bindingOf({ userId, grantId: id }, number),
  'repository passwords': ({ id }) => passwordOf(id),
  'recovery keys': ({ id }) => recoveryOf(id),
  'DPoP keys': ({ userId, id }) => bindingOfBoundKey({ userId, grantId: id }),
};

const kinds: SealedKind[] = ['offline tokens', 'DPoP keys', 'repository passwords', 'recovery keys'];

/**
 * Seals everything afresh under the key in front of the keyring. It may be stopped at any moment and begun again, and
 * runs beside exchanges: each value is replaced only where it is still the one that was opened. What other processes
 * seal under an older key meanwhile is found by the passes that follow, until one finds nothing.
 */
export async function rotateKeys(resources: Needs, report?: (done: number, total: number) => void): Promise<Rotation> {
  const { clock, database, keyring } = resources;
  const keyId = keyring.newest;
  if ((await findFrontKey(database)) !== keyId) await putInFront(database, { keyId, at: clock.now() });
  const counts = await countSealed(database);
  const total = counts.reduce((sum, { keyId: id, count }) => (id === keyId ? sum : sum + count), 0);
  let done = 0;
  const onBatch = (moved: number) => {
    done += moved;
    report?.(done, Math.max(done, total));
  };
  for (;;) {
    const { resealed, broken } = await pass(resources, { onBatch });
    if (resealed === 0) return { resealed: done, broken };
  }
}

/**
 * A part of that, for the worker's tick. Does nothing in a process whose keyring is older than another's: it would
 * seal under a key that is on its way out.
 */
export async function continueRotation(
  resources: Needs,
  { most = mostInBackground, signal }: { most?: number; signal?: AbortSignal } = {},
): Promise<Rotation> {
  const { database, keyring, log } = resources;
  const front = await findFrontKey(database);
  if (front !== undefined && front !== keyring.newest) {
    log.warn('keyring.behind', {
      front,
      newest: keyring.newest,
      cure: 'Restart this process with the newest KEYRING.',
    });
    return { resealed: 0, broken: 0 };
  }
  const rotation = await pass(resources, { most, signal });
  if (rotation.resealed > 0) log.info('keyring.rotated', { keyId: keyring.newest, ...rotation });
  return rotation;
}

interface Pass {
  most?: number;
  signal?: AbortSignal | undefined;
  onBatch?: (moved: number) => void;
}

async function pass(resources: Needs, { most = Number.POSITIVE_INFINITY, signal, onBatch }: Pass): Promise<Rotation> {
  const sum = { resealed: 0, broken: 0 };
  for await (const { kind, values } of underOlderKeys(resources)) {
    const before = sum.resealed;
    for (const value of values) {
      if (signal?.aborted) return sum;
      const outcome = await reseal(resources, kind, value);
      if (outcome !== 'gone') sum[outcome] += 1;
    }
    onBatch?.(sum.resealed - before);
    if (sum.resealed >= most) break;
  }
  return sum;
}

async function* underOlderKeys({ database, keyring }: Needs) {
  const keyIds = [...keyring.keys.keys()].filter((id) => id !== keyring.newest);
  if (keyIds.length === 0) return;
  for (const kind of kinds) {
    let after: SealedPage['after'] = beforeAll;
    for (;;) {
      const values = await sealedPlaces[kind].list(database, { keyIds, after, limit: batch });
      const last = values.at(-1);
      if (last === undefined) break;
      yield { kind, values };
      after = last;
    }
  }
}

async function reseal(
  { database, keyring, log }: Needs,
  kind: SealedKind,
  value: SealedValue,
): Promise<'resealed' | 'broken' | 'gone'> {
  const binding = bindings[kind](value);
  try {
    const fresh = seal(keyring, binding, unseal(keyring, binding, value.sealed));
    return (await sealedPlaces[kind].replace(database, value, fresh)) ? 'resealed' : 'gone';
  } catch (error) {
    if (!isHouseError(error)) throw error;
    const { id, number } = value;
    log.error('keyring.value-broken', { kind, id, number, error });
    return 'broken';
  }
}

import { findFrontKey, saveFrontKey } from '../../database/state/canaries.ts';
import {
  beforeAll,
  countSealed,
  listSealed,
  type Resealed,
  replaceSealed,
  type SealedKind,
  type SealedPage,
  type SealedValue,
  sealedKinds,
} from '../../database/state/sealed-values.ts';
import type { AgreedRuleFacts, ErasureFacts, PersonFacts, PlaceFacts, PlanFacts } from '../../domain/row-facts.ts';
import { isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { purposes } from '../../vault/purposes.ts';
import { type Binding, seal, unseal } from '../../vault/seal.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring' | 'log'>;

export interface Rotation {
  /** Values that are sealed under the newest key now. */
  resealed: number;
  /** Values that cannot be opened; they stay as they are. */
  broken: number;
}

const batch = 500;
/** So much a worker reseals at a time, so that database connections stay free for exchanges. */
const mostInBackground = 20_000;
/** Between two attempts to reseal what another transaction holds. */
const pauseWhileHeldMs = 200;

const bindings: Record<SealedKind, (value: SealedValue) => Binding> = {
  'offline tokens': ({ userId, id, number }) => purposes.offlineToken({ userId, grantId: id }, number),
  'repository passwords': ({ facts }) => purposes.repositoryPassword(facts as PlaceFacts),
  'recovery keys': ({ id }) => purposes.recoveryKey(id),
  'DPoP keys': ({ userId, id }) => purposes.dpopKey({ userId, grantId: id }),
  people: ({ facts }) => purposes.person(facts as PersonFacts),
  plans: ({ facts }) => purposes.plan(facts as PlanFacts),
  'requests to erase': ({ facts }) => purposes.erasure(facts as ErasureFacts),
  'retention rules': ({ facts }) => purposes.agreedRule(facts as AgreedRuleFacts),
};

/**
 * Reseals everything under the first key of the keyring. It may be stopped and started again at any time, and runs beside
 * exchanges: each value is replaced only where it has not changed. Repeats until a pass finds nothing, so that values that
 * others hold, or seal under an older key meanwhile, are resealed too.
 */
export async function rotateKeys(resources: Needs, report?: (done: number, total: number) => void): Promise<Rotation> {
  const { clock, database, keyring } = resources;
  const keyId = keyring.newest;
  if ((await findFrontKey(database)) !== keyId) await saveFrontKey(database, { keyId, at: clock.now() });
  const counts = await countSealed(database);
  const total = counts.reduce((sum, { keyId: id, count }) => (id === keyId ? sum : sum + count), 0);
  let done = 0;
  const onBatch = (moved: number) => {
    done += moved;
    report?.(done, Math.max(done, total));
  };
  for (;;) {
    const { resealed, broken, passedOver } = await pass(resources, { onBatch });
    if (resealed + passedOver === 0) return { resealed: done, broken };
    if (resealed === 0) await clock.sleep(pauseWhileHeldMs);
  }
}

/**
 * Reseals a part of it, for the worker. Does nothing in a process with an older keyring than another, since it would seal
 * under a key that is being retired.
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
  const { resealed, broken } = await pass(resources, { most, signal });
  if (resealed > 0) log.info('keyring.rotated', { keyId: keyring.newest, resealed, broken });
  return { resealed, broken };
}

interface Pass {
  most?: number;
  signal?: AbortSignal | undefined;
  onBatch?: (moved: number) => void;
}

async function pass(resources: Needs, { most = Number.POSITIVE_INFINITY, signal, onBatch }: Pass) {
  const { database, keyring } = resources;
  const sum = { resealed: 0, broken: 0, passedOver: 0 };
  for await (const { kind, seen } of underOlderKeys(resources)) {
    if (sum.resealed >= most || signal?.aborted) break;
    const values = seen.flatMap((value) => reseal(resources, kind, value) ?? []);
    const moved = await replaceSealed(database, kind, { keyId: keyring.newest, values });
    sum.resealed += moved;
    sum.broken += seen.length - values.length;
    sum.passedOver += values.length - moved;
    onBatch?.(moved);
  }
  return sum;
}

async function* underOlderKeys({ database, keyring }: Needs) {
  const keyIds = [...keyring.keys.keys()].filter((id) => id !== keyring.newest);
  if (keyIds.length === 0) return;
  for (const kind of sealedKinds) {
    let after: SealedPage['after'] = beforeAll;
    for (;;) {
      const seen = await listSealed(database, kind, { keyIds, after, limit: batch });
      const last = seen.at(-1);
      if (last === undefined) break;
      yield { kind, seen };
      after = last;
    }
  }
}

/** Undefined where the value cannot be opened. */
function reseal({ keyring, log }: Needs, kind: SealedKind, seen: SealedValue): Resealed | undefined {
  const binding = bindings[kind](seen);
  try {
    return { seen, sealed: seal(keyring, binding, unseal(keyring, binding, seen.sealed)).sealed };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const { id, number } = seen;
    log.error('keyring.value-broken', { kind, id, number, error });
    return undefined;
  }
}

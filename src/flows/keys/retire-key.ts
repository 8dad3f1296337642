import { countCards } from '../../database/repositories/cards.ts';
import { findFrontKey, listCanaries, removeCanary } from '../../database/state/canaries.ts';
import { countSealed } from '../../database/state/sealed-values.ts';
import { AppError, isAppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { keyIdOf } from '../../vault/seal.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'keyring'> & { spool: Pick<Resources['spool'], 'list'> };

export interface KeyUse {
  id: string;
  /**
   * sealing: first in the keyring. opening: in the keyring, and something is still sealed under it. idle: in the keyring, and
   * nothing needs it. missing: something needs it, and it is not in the keyring.
   */
  state: 'sealing' | 'opening' | 'idle' | 'missing';
  /** When it last became the first; absent before that, and once it is retired. */
  since?: Date;
  /** How many values of each kind are sealed under it. */
  sealed: Record<string, number>;
}

/** Every key of the keyring, the newest first, and every key that something is sealed under. */
export async function listKeys({ database, keyring, spool }: Omit<Needs, 'clock'>): Promise<KeyUse[]> {
  const uses = await listUses({ database, spool });
  const since = new Map((await listCanaries(database)).map(({ keyId, createdAt }) => [keyId, createdAt]));
  const ids = new Set([...keyring.keys.keys(), ...uses.map(({ keyId }) => keyId)]);
  return [...ids].map((id) => {
    const sealed = Object.fromEntries(uses.filter(({ keyId }) => keyId === id).map(({ kind, count }) => [kind, count]));
    const used = Object.keys(sealed).length > 0;
    const opens = keyring.keys.has(id) ? (used ? 'opening' : 'idle') : 'missing';
    const at = since.get(id);
    return { id, state: id === keyring.newest ? 'sealing' : opens, ...(at && { since: at }), sealed };
  });
}

/**
 * Removes the canary of a key, so that the keyring may be used without it. Throws `keyring/in-use` while the key seals or
 * something is sealed under it, naming what, and `request/not-found` for an unknown key.
 */
export async function retireKey(
  { clock, database, keyring, spool }: Needs,
  { keyId, by }: { keyId: string; by: string },
): Promise<void> {
  if (keyId === keyring.newest || keyId === (await findFrontKey(database)))
    throw inUse(keyId, 'seals everything new. Put another key first in the keyring and restart every process');
  const uses = (await listUses({ database, spool })).filter((use) => use.keyId === keyId);
  if (uses.length > 0) {
    const named = uses.map(({ kind, count }) => `${kind}: ${count}`).join(', ');
    const rotatable = uses.some(({ kind }) => kind !== onDisk);
    throw inUse(keyId, `still seals ${named}. Run: nightkeep ${rotatable ? 'keys rotate' : 'heal'}`);
  }
  if ((await removeCanary(database, { keyId, by, at: clock.now() })) || keyring.keys.has(keyId)) return;
  throw new AppError('request/not-found', `There is no key ${keyId}. See: nightkeep keys`);
}

const onDisk = 'spooled answers';

async function listUses({ database, spool }: Pick<Needs, 'database' | 'spool'>) {
  const files = (await spool.list()).flatMap(({ sealed }) => keyIdIn(sealed) ?? []);
  const spooled = Object.entries(Object.groupBy(files, (keyId) => keyId)).map(([keyId, ids = []]) => ({
    kind: onDisk,
    keyId,
    count: ids.length,
  }));
  const cards = (await countCards(database)).map((count) => ({ kind: 'cards of repositories', ...count }));
  return [...(await countSealed(database)), ...cards, ...spooled];
}

/** A file that was cut off cannot be opened with any key, so it needs none. */
function keyIdIn(sealed: Uint8Array): string | undefined {
  try {
    return keyIdOf(sealed);
  } catch (error) {
    if (isAppError(error, 'seal/broken')) return undefined;
    throw error;
  }
}

function inUse(keyId: string, why: string): AppError {
  return new AppError('keyring/in-use', `Key ${keyId} cannot be retired: it ${why}.`, { detail: { keyId } });
}

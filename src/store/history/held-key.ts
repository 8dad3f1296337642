import type { Holdable } from '../../domain/holder.ts';
import type { RepositoryKey } from '../repository/repository.ts';

/** The key of a repository, kept so that it is derived once. */
export interface HeldKey extends Holdable, RepositoryKey {}

const bytes = 256;

/** Holds the key of a repository in memory. */
export function holdKey({ masterKey, keyId }: RepositoryKey): HeldKey {
  return { masterKey, keyId, renew: async () => true, weight: () => bytes };
}

import { endSilentExchanges } from '../../database/custody/exchanges.ts';
import { silenceMs } from '../../database/custody/leases.ts';
import type { Resources } from '../../resources.ts';
import { revokeWithdrawn } from '../consent/revoke-tokens.ts';
import { replaySpool } from './spool-answer.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'issuer' | 'keyring' | 'log' | 'spool'>;

export interface HealedGrants {
  /** Tokens that were only on this machine's disk. */
  replayed: number;
  /** Exchanges that can no longer get an answer. */
  silent: number;
  /** Tokens of withdrawn grants that had not been revoked at the provider. */
  revoked: number;
}

/**
 * Saves the tokens that are on this machine's disk to the database, ends exchanges without an answer as ambiguous, and revokes the tokens of
 * withdrawn grants at the provider.
 */
export async function healGrants(resources: Needs): Promise<HealedGrants> {
  const { clock, database } = resources;
  const replayed = await replaySpool(resources);
  const at = clock.now();
  const silent = await endSilentExchanges(database, { before: new Date(at.getTime() - silenceMs), at });
  const { revoked } = await revokeWithdrawn(resources);
  return { replayed, silent, revoked };
}

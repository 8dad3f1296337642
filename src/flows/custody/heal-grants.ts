import { endSilentExchanges } from '../../database/exchanges.ts';
import { silenceMs } from '../../database/leases.ts';
import { forgetLogouts } from '../../database/logouts.ts';
import { forgetWebSessions } from '../../database/web-sessions.ts';
import type { Resources } from '../../resources.ts';
import { revokeWithdrawn } from '../consent/revoke-tokens.ts';
import { replaySpool } from './spool-answer.ts';

type Needs = Pick<Resources, 'clock' | 'database' | 'issuer' | 'keyring' | 'log' | 'spool'> & {
  config: Pick<Resources['config'], 'session'>;
};

export interface HealedGrants {
  /** Tokens that were only on this machine's disk. */
  replayed: number;
  /** Exchanges that can no longer get an answer. */
  silent: number;
  /** Tokens of withdrawn grants that the provider had not been told of. */
  revoked: number;
}

/**
 * Gives the tokens on this machine's disk to the database, ends exchanges without an answer as ambiguous, revokes the
 * tokens of withdrawn grants at the provider, and forgets logouts and web sessions that have ended.
 */
export async function healGrants(resources: Needs): Promise<HealedGrants> {
  const { clock, config, database } = resources;
  const replayed = await replaySpool(resources);
  const at = clock.now();
  const silent = await endSilentExchanges(database, { before: new Date(at.getTime() - silenceMs), at });
  const { revoked } = await revokeWithdrawn(resources);
  await forgetLogouts(database, at);
  await forgetWebSessions(database, { at, idleMs: config.session.idleMs });
  return { replayed, silent, revoked };
}

import { forgetLogouts } from '../../database/ended-sessions.ts';
import { endSilentExchanges } from '../../database/exchanges.ts';
import { silenceMs } from '../../database/leases.ts';
import { listQueuedRuns, returnLapsedRuns } from '../../database/runs.ts';
import type { Resources } from '../../resources.ts';
import { revokeWithdrawn } from '../consent/revoke-tokens.ts';
import { replaySpool } from '../custody/spool-answer.ts';

type GrantNeeds = Pick<Resources, 'clock' | 'database' | 'issuer' | 'keyring' | 'log' | 'spool'>;
type RunNeeds = Pick<Resources, 'clock' | 'database' | 'holder' | 'queues'>;

export interface HealedGrants {
  /** Tokens that were on this machine's disk only. */
  replayed: number;
  /** Exchanges whose answer nobody can have any more. */
  silent: number;
  /** Withdrawn tokens that the provider had not heard of. */
  revoked: number;
}

export interface HealedRuns {
  /** Runs whose lease lapsed. */
  returned: number;
  failed: number;
  /** Runs that have a job in the queue now. */
  queued: number;
}

const most = 10_000;

/**
 * Mends what a crash, an outage or a lost queue left behind: tokens on this disk get into the database, exchanges
 * without an answer are called ambiguous, withdrawn tokens end at the provider, lapsed runs return, and every queued run
 * has its job again.
 */
export async function heal(resources: GrantNeeds & RunNeeds): Promise<HealedGrants & HealedRuns> {
  return { ...(await healGrants(resources)), ...(await healRuns(resources)) };
}

async function healGrants(resources: GrantNeeds): Promise<HealedGrants> {
  const { clock, database } = resources;
  const replayed = await replaySpool(resources);
  const at = clock.now();
  const silent = await endSilentExchanges(database, { before: new Date(at.getTime() - silenceMs), at });
  const { revoked } = await revokeWithdrawn(resources);
  await forgetLogouts(database, at);
  return { replayed, silent, revoked };
}

/** The part of it that mends runs. */
export async function healRuns({ clock, database, holder, queues }: RunNeeds): Promise<HealedRuns> {
  const at = clock.now();
  const lapsed = await returnLapsedRuns(database, { at, by: `worker:${holder}` });
  const queued = await listQueuedRuns(database, most);
  const delay = (dueAt: Date) => Math.max(0, dueAt.getTime() - at.getTime());
  await queues.backUps.enqueue(
    queued.map(({ id, fence, dueAt }) => ({ runId: id, attempt: fence, delayMs: delay(dueAt) })),
  );
  return { ...lapsed, queued: queued.length };
}

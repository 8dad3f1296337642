import { findGrant } from '../../database/consent/grants.ts';
import { findCircuit } from '../../database/custody/circuits.ts';
import { findUnansweredExchange } from '../../database/custody/exchanges.ts';
import { type LeaseRequest, silenceMs } from '../../database/custody/leases.ts';
import { AppError } from '../../errors.ts';
import type { Resources } from '../../resources.ts';
import { circuitOpen, notUsable } from './explain-failure.ts';

/** Why the token of the grant is not sent at that moment, and when it is; undefined where it may be sent. */
export async function whyUnusable(
  database: Resources['database'],
  { grantId, purpose }: Pick<LeaseRequest, 'grantId' | 'purpose'>,
  at: Date,
): Promise<AppError | undefined> {
  const grant = await findGrant(database, grantId);
  if (grant === null || grant.state === 'withdrawn') return notUsable('withdrawn');
  const circuit = await findCircuit(database, grant);
  // A run whose grant had its turn as a probe waits for keep-alive, which probes with others.
  if (circuit?.open && (circuit.nextProbeAt > at || purpose === 'run')) return circuitOpen(at, circuit.nextProbeAt);
  if (grant.leaseUntil !== null && grant.leaseUntil <= at) {
    const began = await findUnansweredExchange(database, { grantId, fence: grant.fence });
    const leftMs = began === undefined ? 0 : began.getTime() + silenceMs - at.getTime();
    if (leftMs > 0) return unanswered(leftMs);
  }
  if (grant.state === 'active' && grant.reason === null) return undefined;
  const { state, nextExchangeAt: next } = grant;
  if (next !== null && next <= at) return undefined;
  return notUsable(state, state === 'needs_consent' || next === null ? undefined : next.getTime() - at.getTime());
}

/** Its maker ended, or cannot reach the database, and may have what the provider answered. */
function unanswered(afterMs: number): AppError {
  return new AppError(
    'grant/busy',
    'A worker stopped while it was using this consent. The answer that it may have received is waited for, for at most a quarter of an hour.',
    { retry: { afterMs } },
  );
}

import { findCircuit } from '../../database/circuits.ts';
import { findGrant } from '../../database/grants.ts';
import type { LeaseRequest } from '../../database/leases.ts';
import type { AppError } from '../../errors.ts';
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
  if (grant.state === 'active' && grant.reason === null) return undefined;
  const { state, nextExchangeAt: next } = grant;
  if (next !== null && next <= at) return undefined;
  return notUsable(state, state === 'needs_consent' || next === null ? undefined : next.getTime() - at.getTime());
}

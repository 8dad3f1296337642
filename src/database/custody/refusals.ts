import type { Change } from '../../domain/refusal.ts';
import { type Database, inTransaction } from '../client.ts';
import { lockGrant } from '../consent/grants.ts';
import { saveEvent } from '../events.ts';
import type { Lease } from './leases.ts';

export interface Refused {
  lease: Lease;
  at: Date;
  errorCode: string;
  /** Nothing of the grant changes where absent. */
  change?: Change | undefined;
  /** Keep-alive leaves a grant alone until then that was due and could not be asked. */
  notBefore: Date;
  /** False leaves the lease to run out, so that nobody sends the same token too soon. */
  free: boolean;
}

/**
 * Saves what an exchange that brought no token means for its grant, which changes only if generation and fence are still those
 * sent: a refusal of a token that was replaced meanwhile condemns nobody.
 */
export async function saveRefused(database: Database, refused: Refused): Promise<void> {
  const { lease, at, errorCode, change, notBefore, free } = refused;
  await inTransaction(database, async (transaction) => {
    const grant = await lockGrant(transaction, lease.grant.id);
    if (grant === null) return;
    const due = grant.nextExchangeAt !== null && grant.nextExchangeAt <= at;
    const { count } = await transaction.grant.updateMany({
      where: { id: grant.id, generation: lease.token.number, fence: lease.fence, state: { not: 'withdrawn' } },
      data: {
        ...(due && { nextExchangeAt: notBefore }),
        ...change,
        ...(free && { leaseHolder: null, leaseUntil: null }),
      },
    });
    if (count === 1 && change && change.state !== grant.state)
      await saveEvent(transaction, 'grant', grant.id, {
        from: grant.state,
        to: change.state,
        reason: change.reason ?? errorCode,
        at,
        by: 'provider',
      });
  });
}

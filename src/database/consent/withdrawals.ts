import type { ErasureFacts, RowSealing } from '../../domain/row-facts.ts';
import { saveAudit } from '../audit.ts';
import { type Database, inTransaction } from '../client.ts';
import { saveEvent } from '../events.ts';
import { cancelRuns } from '../nights/run-cancellations.ts';
import { saveEraseAt } from '../repositories/erasures.ts';
import { nextNumber } from './generations.ts';
import { lockGrant } from './grants.ts';

/** What a withdrawal ended. */
export interface Withdrawn {
  readonly userId: string;
  /** That of the generation with which a later consent would begin: all with lower ones have ended. */
  readonly nextNumber: number;
}

export interface Withdrawal {
  grantId: string;
  at: Date;
  by: string;
  reason: string;
  /** Why, in the words of the operator who did it. */
  words?: string | undefined;
  /** When the person's snapshots go; nothing is said of them where absent. */
  eraseAt?: Date | undefined;
  /** Vouches for that. */
  sealing: RowSealing<ErasureFacts>;
}

/**
 * Ends the grant here; undefined where it had ended: plan stopped, runs cancelled, tokens shredded. Those that
 * may still live at the provider stay sealed until it has ended them, at most until their idle window has passed;
 * `next_exchange_at` says that there are any.
 */
export async function withdrawGrant(
  database: Database,
  { grantId, at, by, reason, words, eraseAt, sealing }: Withdrawal,
): Promise<Withdrawn | undefined> {
  return inTransaction(database, async (transaction) => {
    const grant = await lockGrant(transaction, grantId);
    if (grant === null || grant.state === 'withdrawn') return undefined;
    await transaction.$executeRaw`
      UPDATE token_generations SET state = 'dead', ends_at = least(ends_at, ${grant.idleDeadline}),
        sealed = CASE WHEN state IN ('current', 'pending', 'replaced') THEN sealed END
      WHERE grant_id = ${grantId}::uuid`;
    await transaction.grant.update({
      where: { id: grantId },
      data: {
        state: 'withdrawn',
        reason,
        endedAt: at,
        nextExchangeAt: at,
        fence: { increment: 1 },
        leaseHolder: null,
        leaseUntil: null,
        sealedDpopKey: null,
        dpopKeyId: null,
      },
    });
    if (eraseAt !== undefined) await saveEraseAt(transaction, { userId: grant.userId, eraseAt, sealing, at, by });
    await transaction.plan.updateMany({ where: { grantId }, data: { paused: true, pausedUntil: null } });
    await cancelRuns(transaction, { grantId, at, by, reason });
    await saveEvent(transaction, 'grant', grantId, { from: grant.state, to: 'withdrawn', reason, at, by });
    const act = 'consent-withdrawn';
    await saveAudit(transaction, { at, by, act, userId: grant.userId, about: reason, reason: words });
    return { userId: grant.userId, nextNumber: await nextNumber(transaction, grantId) };
  });
}

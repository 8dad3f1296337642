import type { Database } from './client.ts';
import type { Grant, TokenGeneration } from './generated/client.ts';
import { lockGrant, tellGrant } from './grants.ts';

/** Ends the grant here: shreds its tokens, pauses its plan, and answers the last one, for revocation, or nothing if it had ended. */
export async function withdrawGrant(
  database: Database,
  { grantId, at, by, reason }: { grantId: string; at: Date; by: string; reason: string },
): Promise<{ grant: Grant; tokens: TokenGeneration[] } | undefined> {
  return database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, grantId);
    if (grant.state === 'withdrawn') return undefined;
    const living = { grantId, state: { in: ['current' as const, 'pending' as const] } };
    const tokens = await transaction.tokenGeneration.findMany({ where: living, orderBy: { number: 'asc' } });
    await transaction.tokenGeneration.updateMany({ where: living, data: { state: 'dead' } });
    await transaction.tokenGeneration.updateMany({ where: { grantId }, data: { sealed: null } });
    await transaction.grant.update({
      where: { id: grantId },
      data: { state: 'withdrawn', reason, endedAt: at, fence: { increment: 1 }, leaseHolder: null, leaseUntil: null },
    });
    await transaction.plan.updateMany({ where: { grantId }, data: { paused: true } });
    await tellGrant(transaction, grant, 'withdrawn', reason, at, by);
    return { grant, tokens };
  });
}

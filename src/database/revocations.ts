import type { Database } from './client.ts';

/** A token that is to be ended at the provider, and is sealed here only for that. */
export interface TokenToRevoke {
  grantId: string;
  userId: string;
  number: number;
  sealed: Uint8Array | null;
  /** When it ends by itself. */
  endsAt: Date | null;
}

/** How a token went that was kept for its revocation. */
export type RevocationEnd = 'revoked' | 'expired' | 'shredded';

/** The tokens of withdrawn grants that the provider has not ended yet, the oldest first; of one grant where it is named. */
export async function listWithdrawnTokens(
  database: Database,
  { grantId, limit }: { grantId?: string | undefined; limit: number },
): Promise<TokenToRevoke[]> {
  const rows = await database.tokenGeneration.findMany({
    where: {
      ...(grantId !== undefined && { grantId }),
      state: 'dead',
      sealed: { not: null },
      grant: { state: 'withdrawn' },
    },
    orderBy: [{ receivedAt: 'asc' }, { number: 'asc' }],
    take: limit,
    select: { grantId: true, number: true, sealed: true, endsAt: true, grant: { select: { userId: true } } },
  });
  return rows.map(({ grant, ...row }) => ({ ...row, userId: grant.userId }));
}

/** Shreds a token that was kept for its revocation, and leaves an event; false where another process did so first. */
export async function saveRevoked(
  database: Database,
  { token, end, reason, at }: { token: TokenToRevoke; end: RevocationEnd; reason: string; at: Date },
): Promise<boolean> {
  const { grantId, number } = token;
  return database.$transaction(async (transaction) => {
    const { count } = await transaction.tokenGeneration.updateMany({
      where: { grantId, number, state: { in: ['dead', 'replaced'] }, sealed: { not: null } },
      data: { state: 'dead', sealed: null },
    });
    if (count === 1)
      await transaction.event.create({
        data: {
          subjectKind: 'grant',
          subjectId: grantId,
          to: end,
          reason,
          at,
          by: end === 'revoked' ? 'provider' : 'schedule',
        },
      });
    return count === 1;
  });
}

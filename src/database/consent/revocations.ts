import { type Database, inTransaction } from '../client.ts';
import { saveEvent } from '../events.ts';

/** A token that is to be revoked at the provider, and is kept sealed only for that. */
export interface TokenToRevoke {
  grantId: string;
  userId: string;
  number: number;
  sealed: Uint8Array | null;
  /** When it expires by itself. */
  endsAt: Date | null;
}

/** What became of a token that was kept to be revoked. */
export type RevocationEnd = 'revoked' | 'expired' | 'shredded';

/** The tokens of withdrawn grants, or of one such grant, that are not revoked yet, the oldest first. */
export async function listWithdrawnTokens(
  database: Database,
  { grantId, at, limit }: { grantId?: string | undefined; at: Date; limit: number },
): Promise<TokenToRevoke[]> {
  return database.$queryRaw<TokenToRevoke[]>`
    SELECT t.grant_id AS "grantId", g.user_id AS "userId", t.number, t.sealed, t.ends_at AS "endsAt"
    FROM grants g JOIN token_generations t ON t.grant_id = g.id
    WHERE g.state = 'withdrawn' AND g.next_exchange_at <= ${at} AND t.sealed IS NOT NULL
      AND (${grantId ?? null}::uuid IS NULL OR g.id = ${grantId ?? null}::uuid)
    ORDER BY g.next_exchange_at, t.grant_id, t.number LIMIT ${limit}`;
}

/** A token of an earlier consent. */
export interface ReplacedToken extends TokenToRevoke {
  /** The provider's sessions of this token and of the one that took its place, where they are known. */
  sid: string | null;
  currentSid: string | null;
}

/** The tokens of earlier consents of a grant, once a token of the newer one was exchanged. */
export async function listReplacedTokens(database: Database, grantId: string): Promise<ReplacedToken[]> {
  return database.$queryRaw<ReplacedToken[]>`
    SELECT t.grant_id AS "grantId", g.user_id AS "userId", t.number, t.sealed, t.ends_at AS "endsAt", t.sid,
      coalesce(c.sid, g.sid) AS "currentSid"
    FROM grants g JOIN token_generations t ON t.grant_id = g.id
      JOIN token_generations c ON c.grant_id = g.id AND c.number = g.generation
    WHERE g.id = ${grantId}::uuid AND t.state = 'replaced' AND EXISTS (SELECT 1 FROM exchanges e
      WHERE e.grant_id = g.id AND e.verdict = 'ok' AND e.purpose <> 'consent' AND e.generation > t.number)
    ORDER BY t.number`;
}

/** Shreds a token that was kept to be revoked, and records it; false where another process did so first. */
export async function saveRevoked(
  database: Database,
  { token, end, reason, at }: { token: TokenToRevoke; end: RevocationEnd; reason: string; at: Date },
): Promise<boolean> {
  const { grantId, number } = token;
  return inTransaction(database, async (transaction) => {
    const { count } = await transaction.tokenGeneration.updateMany({
      where: { grantId, number, state: { in: ['dead', 'replaced'] }, sealed: { not: null } },
      data: { state: 'dead', sealed: null },
    });
    if (count === 0) return false;
    const rest = { grantId, sealed: { not: null } };
    if ((await transaction.tokenGeneration.count({ where: rest })) === 0)
      await transaction.grant.updateMany({
        where: { id: grantId, state: 'withdrawn' },
        data: { nextExchangeAt: null },
      });
    const by = end === 'revoked' ? 'provider' : 'schedule';
    await saveEvent(transaction, 'grant', grantId, { to: end, reason, at, by });
    return true;
  });
}

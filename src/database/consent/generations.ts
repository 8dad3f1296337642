import type { Deadlines } from '../../domain/deadlines.ts';
import { chooseGeneration } from '../../domain/generation.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import type { Lease, LeasedToken } from '../custody/leases.ts';
import { saveEvent } from '../events.ts';
import { lockGrant } from './grants.ts';

/** An offline token as a row keeps it, with what may be known of it without opening it. */
export interface SealedToken {
  /** The generation that it becomes; it is sealed for this number. */
  number: number;
  sealed: Uint8Array<ArrayBuffer>;
  keyId: string;
  fingerprint: Uint8Array<ArrayBuffer>;
  issuedAt: Date | null;
  endsAt: Date | null;
  sid: string | null;
}

/** The number that the next generation of the grant gets. */
export async function nextNumber(transaction: Transaction, grantId: string): Promise<number> {
  const { _max } = await transaction.tokenGeneration.aggregate({ where: { grantId }, _max: { number: true } });
  return (_max.number ?? 0) + 1;
}

/**
 * Makes the generation current that was issued last, of those that were received and never made so; the others must
 * never be sent. The lease is held, so nobody sends anything meanwhile; the exchange on record then names what is sent.
 */
export async function promotePending(database: Database, lease: Lease, at: Date): Promise<Lease> {
  const { grant, token, exchangeId } = lease;
  const grantId = grant.id;
  return inTransaction(database, async (transaction) => {
    const known = await transaction.tokenGeneration.findMany({
      where: { grantId, OR: [{ state: 'pending' }, { number: token.number }] },
    });
    const current = known.find(({ number }) => number === token.number);
    if (current === undefined) throw new Error(`Grant ${grantId} has no current generation.`);
    const chosen = chooseGeneration(
      current,
      known.filter(({ state }) => state === 'pending'),
    );
    const promoted = known.find(({ number }) => number === chosen.number) ?? current;
    if (promoted !== current) {
      const row = ({ number }: LeasedToken) => ({ where: { grantId_number: { grantId, number } } });
      await transaction.tokenGeneration.update({ ...row(current), data: { state: 'superseded' } });
      await transaction.tokenGeneration.update({ ...row(promoted), data: { state: 'current' } });
      await transaction.grant.update({ where: { id: grantId }, data: { generation: promoted.number } });
      await transaction.exchange.update({ where: { id: exchangeId }, data: { generation: promoted.number } });
      const reason = `generation ${promoted.number}`;
      await saveEvent(transaction, 'grant', grantId, { to: 'promoted', reason, at, by: 'provider' });
    }
    await transaction.tokenGeneration.updateMany({ where: { grantId, state: 'pending' }, data: { state: 'dead' } });
    return { ...lease, token: promoted, pending: false };
  });
}

/** Saves when the current token of a grant ends, and what follows; nothing where another token is current by now. */
export async function saveTokenEnd(
  database: Database,
  end: {
    grantId: string;
    fingerprint: Uint8Array<ArrayBuffer>;
    issuedAt: Date | undefined;
    endsAt: Date;
    deadlines: Deadlines;
  },
): Promise<void> {
  const { grantId, fingerprint, issuedAt, endsAt, deadlines } = end;
  await inTransaction(database, async (transaction) => {
    const grant = await lockGrant(transaction, grantId);
    if (grant === null || grant.state === 'withdrawn') return;
    const { count } = await transaction.tokenGeneration.updateMany({
      where: { grantId, number: grant.generation, fingerprint },
      data: { endsAt, ...(issuedAt && { issuedAt }) },
    });
    if (count === 1) await transaction.grant.update({ where: { id: grantId }, data: deadlines });
  });
}

/** Whether a token is kept for a person at this client, by its fingerprint. */
export async function isTokenKept(
  database: Database,
  {
    fingerprint,
    ...grant
  }: { issuer: string; subject: string; clientId: string; fingerprint: Uint8Array<ArrayBuffer> },
): Promise<boolean> {
  return (await database.tokenGeneration.count({ where: { fingerprint, sealed: { not: null }, grant } })) > 0;
}

/** The current token of the grant of this client that was exchanged well most recently, another one's; null where no other lives. */
export async function findLivingToken(
  database: Database,
  { issuer, clientId, besides }: { issuer: string; clientId: string; besides: string },
): Promise<{ userId: string; grantId: string; number: number; sealed: Uint8Array | null } | null> {
  const [living] = await database.$queryRaw<
    { userId: string; grantId: string; number: number; sealed: Uint8Array | null }[]
  >`
    SELECT g.user_id AS "userId", g.id AS "grantId", t.number, t.sealed
    FROM (SELECT * FROM grants WHERE issuer = ${issuer} AND client_id = ${clientId} AND state = 'active' AND reason IS NULL
      AND id <> ${besides}::uuid ORDER BY last_exchanged_at DESC LIMIT 1) g
    JOIN token_generations t ON t.grant_id = g.id AND t.number = g.generation`;
  return living ?? null;
}

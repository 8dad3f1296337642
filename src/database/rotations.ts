import type { Database, Transaction } from './client.ts';
import { endExchange } from './exchanges.ts';
import { findGrant, lockGrant, nextNumber, tellGrant } from './grants.ts';
import { type Lease, moveTo } from './leases.ts';

/** A sealed offline token and what may be known of it without opening it. */
export interface ReceivedToken {
  /** Seals for the number the generation gets: the number is part of what the seal is bound to. */
  sealFor: (number: number) => { sealed: Uint8Array<ArrayBuffer>; keyId: string };
  fingerprint: Uint8Array<ArrayBuffer>;
  issuedAt: Date | null;
  endsAt: Date | null;
  sid: string | null;
}

/** Where a token came from: the generation that was sent for it, and the fence under which it was. */
export interface Origin {
  grantId: string;
  sent: number;
  fence: number;
}

export interface Exchanged {
  lease: Lease;
  at: Date;
  status: number;
  /** Absent where the provider did not rotate. */
  received?: ReceivedToken | undefined;
  deadlines: { idleDeadline: Date; maxDeadline: Date | null; idleSeconds: number | null; nextExchangeAt: Date };
}

/** Older ones can be of no use any more, not even to tell what happened. */
const generationsKept = 30;

export type Saved = { outcome: 'saved'; replaced: number } | { outcome: 'fenced' } | { outcome: 'withdrawn' };

/**
 * Saves an exchange that succeeded, in one statement guarded by generation and fence; a success also closes the
 * circuit of the provider. Fenced out, the new token is kept as pending; of a grant that was withdrawn meanwhile
 * nothing is kept, and the caller must revoke it. `replaced` counts generations of an earlier consent to be revoked now.
 * Of the chain the last thirty generations are kept; what is older is gone.
 */
export async function saveExchanged(database: Database, exchanged: Exchanged): Promise<Saved> {
  const [row] = await save(database, exchanged).catch((error: unknown) => {
    // The number was taken meanwhile, by a token that a spool gave back.
    if (isUniqueViolation(error)) return [];
    throw error;
  });
  return row === undefined ? saveLate(database, exchanged) : { outcome: 'saved', replaced: row.replaced };
}

function save(
  database: Database,
  { lease, at, status, received, deadlines }: Exchanged,
): Promise<{ replaced: number }[]> {
  const { exchangeId, fence, grant, token } = lease;
  const number = received === undefined ? null : lease.nextNumber;
  const { sealed, keyId } = received?.sealFor(lease.nextNumber) ?? { sealed: null, keyId: null };
  const { idleDeadline, maxDeadline, idleSeconds, nextExchangeAt } = deadlines;
  return database.$queryRaw<{ replaced: number }[]>`
    WITH moved AS (
      UPDATE grants SET state = 'active', reason = NULL, suspect_since = NULL, refusals = 0, lease_holder = NULL,
        lease_until = NULL, last_exchanged_at = ${at}, idle_deadline = ${idleDeadline}, max_deadline = ${maxDeadline},
        idle_seconds = ${idleSeconds}, next_exchange_at = ${nextExchangeAt}, generation = coalesce(${number}::int, generation)
      WHERE id = ${grant.id}::uuid AND generation = ${token.number} AND fence = ${fence} AND state <> 'withdrawn'
      RETURNING id, issuer, client_id
    ), ended AS (
      UPDATE exchanges SET answered_at = ${at}, verdict = 'ok', status = ${status}, received = ${number}::int
      FROM moved WHERE exchanges.id = ${exchangeId}::uuid AND answered_at IS NULL
    ), superseded AS (
      UPDATE token_generations SET state = 'superseded' FROM moved
      WHERE ${number}::int IS NOT NULL AND grant_id = moved.id AND number = ${token.number}
    ), gone AS (
      DELETE FROM token_generations g USING moved
      WHERE ${number}::int IS NOT NULL AND g.grant_id = moved.id AND g.number < ${lease.nextNumber - generationsKept}
        AND g.state IN ('superseded', 'dead')
    ), inserted AS (
      INSERT INTO token_generations (grant_id, number, state, sealed, key_id, fingerprint, parent, fence, issued_at, ends_at, sid, received_at)
      SELECT id, ${number}::int, 'current', ${sealed}::bytea, ${keyId}, ${received?.fingerprint ?? null}::bytea, ${token.number},
        ${fence}, ${received?.issuedAt ?? null}::timestamptz, ${received?.endsAt ?? null}::timestamptz, ${received?.sid ?? null}, ${at}
      FROM moved WHERE ${number}::int IS NOT NULL
    ), told AS (
      INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
      SELECT 'grant', id, ${grant.state}, 'active', 'exchanged', ${at}, 'provider' FROM moved WHERE ${grant.state} <> 'active'
    ), closed AS (
      UPDATE circuits c SET open = false, closed_at = ${at} FROM moved
      WHERE c.issuer = moved.issuer AND c.client_id = moved.client_id AND c.open
      RETURNING c.issuer, c.client_id, c.reason
    ), closing AS (
      INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
      SELECT 'circuit', issuer || ' ' || client_id, 'open', 'closed', reason, ${at}, 'provider' FROM closed
    )
    SELECT (SELECT count(*)::int FROM token_generations g WHERE g.grant_id = moved.id AND g.state = 'replaced') AS replaced
    FROM moved`;
}

/** The careful way, where generation or fence were not those any more, or a save is made again whose answer was lost. */
async function saveLate(database: Database, { lease, at, status, received, deadlines }: Exchanged): Promise<Saved> {
  return database.$transaction(async (transaction) => {
    const grant = await lockGrant(transaction, lease.grant.id);
    if (grant.state === 'withdrawn') return { outcome: 'withdrawn' };
    const origin = { grantId: grant.id, sent: lease.token.number, fence: lease.fence };
    const number = received && (await insertPending(transaction, origin, received, at));
    await endExchange(transaction, { exchangeId: lease.exchangeId, at, verdict: 'ok', status, received: number });
    if (number !== undefined && number === grant.generation) return { outcome: 'saved', replaced: 0 };
    if (grant.generation !== lease.token.number || grant.fence !== lease.fence) return { outcome: 'fenced' };
    if (number !== undefined) await moveTo(transaction, grant.id, grant.generation, number);
    const data = { state: 'active' as const, reason: null, suspectSince: null, refusals: 0, lastExchangedAt: at };
    const free = { leaseHolder: null, leaseUntil: null };
    await transaction.grant.update({
      where: { id: grant.id },
      data: { ...data, ...deadlines, ...free, ...(number !== undefined && { generation: number }) },
    });
    if (grant.state !== 'active') await tellGrant(transaction, grant, 'active', 'exchanged', at, 'provider');
    return { outcome: 'saved', replaced: 0 };
  });
}

/**
 * Keeps a token that came with an answer that could not be accepted, or out of a spool, which also ends the exchange
 * on record; it is current at the next claim.
 */
export async function keepPending(
  database: Database,
  { received, at, exchangeId, ...origin }: Origin & { received: ReceivedToken; at: Date; exchangeId?: string },
): Promise<'kept' | 'withdrawn'> {
  return database.$transaction(async (transaction) => {
    const grant = await findGrant(transaction, origin.grantId);
    if (grant === null) return 'withdrawn';
    const { state } = await lockGrant(transaction, grant.id);
    if (state === 'withdrawn') return 'withdrawn';
    const number = await insertPending(transaction, origin, received, at);
    if (exchangeId !== undefined) await endExchange(transaction, { exchangeId, at, verdict: 'ok', received: number });
    return 'kept';
  });
}

async function insertPending(
  transaction: Transaction,
  { grantId, sent, fence }: Origin,
  { sealFor, fingerprint, ...about }: ReceivedToken,
  at: Date,
): Promise<number> {
  // A save whose answer was lost is made again: the same token is the same generation.
  const known = await transaction.tokenGeneration.findFirst({ where: { grantId, fingerprint } });
  if (known) return known.number;
  const number = await nextNumber(transaction, grantId);
  const origin = { parent: sent, fence, ...about, receivedAt: at };
  await transaction.tokenGeneration.create({
    data: { grantId, number, state: 'pending', ...sealFor(number), fingerprint, ...origin },
  });
  return number;
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && /23505|unique constraint/i.test(error.message);
}

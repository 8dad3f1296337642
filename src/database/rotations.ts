import { closeCircuit } from './circuits.ts';
import type { Database, Transaction } from './client.ts';
import { endExchange } from './exchanges.ts';
import { findGrant, lockGrant, nextNumber, tellGrant } from './grants.ts';
import { grouped } from './grouped.ts';
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
  const row = await save(database, exchanged).catch((error: unknown) => {
    // The number was taken meanwhile, by a token that a spool gave back.
    if (isUniqueViolation(error)) return undefined;
    throw error;
  });
  return row === undefined ? saveLate(database, exchanged) : { outcome: 'saved', replaced: row.replaced };
}

/** Planned once, as the claim is. A grant that somebody else is at is left to `saveLate`, which waits for it alone. */
const save = grouped(
  ({ lease }: Exchanged) => lease.grant.id,
  async (database, exchanges) => {
    const rows = await database.$queryRaw<{ grantId: string; replaced: number }[]>`
    WITH made AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(exchanges.map(toMade))}::jsonb) AS made (
        grant_id uuid, exchange_id uuid, sent int, fence int, state text, at timestamptz, status int,
        idle_deadline timestamptz, max_deadline timestamptz, idle_seconds int, next_exchange_at timestamptz,
        number int, sealed text, key_id text, fingerprint text, issued_at timestamptz, ends_at timestamptz, sid text)
      LIMIT (SELECT ${exchanges.length}::int)
    ), locked AS (
      SELECT g.id FROM made JOIN grants g ON g.id = made.grant_id FOR NO KEY UPDATE OF g SKIP LOCKED
    ), moved AS (
      UPDATE grants g SET state = 'active', reason = NULL, suspect_since = NULL, refusals = 0, lease_holder = NULL,
        lease_until = NULL, last_exchanged_at = made.at, idle_deadline = made.idle_deadline,
        max_deadline = made.max_deadline, idle_seconds = made.idle_seconds, next_exchange_at = made.next_exchange_at,
        generation = coalesce(made.number, g.generation)
      FROM made JOIN locked ON locked.id = made.grant_id
      WHERE g.id = locked.id AND g.generation = made.sent AND g.fence = made.fence AND g.state <> 'withdrawn'
      RETURNING made.*, g.issuer, g.client_id
    ), ended AS (
      UPDATE exchanges e SET answered_at = moved.at, verdict = 'ok', status = moved.status, received = moved.number
      FROM moved WHERE e.id = moved.exchange_id AND e.answered_at IS NULL
    ), superseded AS (
      UPDATE token_generations t SET state = 'superseded' FROM moved
      WHERE moved.number IS NOT NULL AND t.grant_id = moved.grant_id AND t.number = moved.sent
    ), gone AS (
      DELETE FROM token_generations t USING moved
      WHERE t.grant_id = moved.grant_id AND t.number < moved.number - ${generationsKept}
        AND t.state IN ('superseded', 'dead')
    ), inserted AS (
      INSERT INTO token_generations (grant_id, number, state, sealed, key_id, fingerprint, parent, fence, issued_at, ends_at, sid, received_at)
      SELECT grant_id, number, 'current', decode(sealed, 'base64'), key_id, decode(fingerprint, 'base64'), sent, fence,
        issued_at, ends_at, sid, at
      FROM moved WHERE number IS NOT NULL
    ), told AS (
      INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
      SELECT 'grant', grant_id, state, 'active', 'exchanged', at, 'provider' FROM moved WHERE state <> 'active'
    ), closed AS (
      UPDATE circuits c SET open = false, closed_at = moved.at FROM moved
      WHERE c.issuer = moved.issuer AND c.client_id = moved.client_id AND c.open
      RETURNING c.issuer, c.client_id, c.reason, moved.at
    ), closing AS (
      INSERT INTO events (subject_kind, subject_id, "from", "to", reason, at, by)
      SELECT 'circuit', issuer || ' ' || client_id, 'open', 'closed', reason, at, 'provider' FROM closed
    )
    SELECT grant_id AS "grantId", (SELECT count(*)::int FROM token_generations t
      WHERE t.grant_id = moved.grant_id AND t.state = 'replaced') AS replaced
    FROM moved`;
    return exchanges.map(({ lease }) => rows.find(({ grantId }) => grantId === lease.grant.id));
  },
);

function toMade({ lease, at, status, received, deadlines }: Exchanged) {
  const { exchangeId, fence, grant, token, nextNumber } = lease;
  const { idleDeadline, maxDeadline, idleSeconds, nextExchangeAt } = deadlines;
  const { sealed, keyId } = received?.sealFor(nextNumber) ?? {};
  return {
    grant_id: grant.id,
    exchange_id: exchangeId,
    sent: token.number,
    fence,
    state: grant.state,
    at,
    status,
    idle_deadline: idleDeadline,
    max_deadline: maxDeadline,
    idle_seconds: idleSeconds,
    next_exchange_at: nextExchangeAt,
    number: received && nextNumber,
    sealed: base64(sealed),
    key_id: keyId,
    fingerprint: base64(received?.fingerprint),
    sid: received?.sid,
    issued_at: received?.issuedAt,
    ends_at: received?.endsAt,
  };
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('base64');
}

/**
 * The careful way, where somebody else was at the grant, generation or fence were not those any more, or a save is made
 * again whose answer was lost.
 */
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
    await closeCircuit(transaction, grant, { at, by: 'provider' });
    const replaced = { grantId: grant.id, state: 'replaced' as const };
    return { outcome: 'saved', replaced: await transaction.tokenGeneration.count({ where: replaced }) };
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

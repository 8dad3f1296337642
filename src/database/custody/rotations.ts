import type { Deadlines } from '../../domain/deadlines.ts';
import { type Database, inTransaction, type Transaction } from '../client.ts';
import type { SealedToken } from '../consent/generations.ts';
import { lockGrant } from '../consent/grants.ts';

/** How an exchange ended that the provider answered with tokens. */
export interface Exchanged {
  exchangeId: string;
  grantId: string;
  /** The generation that was sent, and the fence under which it was. */
  sent: number;
  fence: number;
  at: Date;
  verdict: string;
  status?: number | undefined;
  errorCode?: string | undefined;
  /** Absent where the provider did not rotate. */
  token?: SealedToken | undefined;
  /** Only of an answer that was accepted: the token of another one is kept as pending. */
  deadlines?: Deadlines | undefined;
}

/**
 * saved: the token is the current one, of the number `received` (null: none came); `replaced` counts generations of an earlier consent to be revoked now.
 * pending: it was not accepted, or came under a lease that others hold by now, and is looked at by the next claim.
 * withdrawn: the consent has ended, nothing is kept, and the caller must revoke the token.
 * taken: another token has its number, nothing is done; it must be sealed for `nextNumber`.
 */
export type Saved =
  | { outcome: 'saved'; replaced: number; received: number | null }
  | { outcome: 'pending' }
  | { outcome: 'withdrawn' }
  | { outcome: 'taken'; nextNumber: number };

/** Older ones can be of no use any more, not even to tell what happened. */
const generationsKept = 30;

/**
 * Saves how exchanges ended, all in one statement: the answer to each, in its place; none for a grant whose row another
 * transaction holds, which `saveOnceFree` waits for. A token is made the current one where generation and fence are still those that
 * were sent, which also closes the circuit of the provider. A save whose answer was lost may be made again: the same token is
 * the same generation. The last thirty generations of a chain are kept. The statement is planned once, as the claim is.
 */
export async function saveExchanged(
  database: Transaction,
  exchanges: readonly Exchanged[],
): Promise<(Saved | undefined)[]> {
  const rows = await database.$queryRaw<Row[]>`
    WITH made AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(exchanges.map(toMade))}::jsonb) AS made (
        exchange_id uuid, grant_id uuid, sent int, fence int, at timestamptz, verdict text, status int, error_code text,
        accepted boolean, idle_deadline timestamptz, max_deadline timestamptz, idle_seconds int, next_exchange_at timestamptz,
        number int, sealed text, key_id text, fingerprint text, issued_at timestamptz, ends_at timestamptz, sid text)
      LIMIT (SELECT ${exchanges.length}::int)
    ), held AS (
      SELECT made.*, g.state, g.generation, g.issuer, g.client_id,
        made.accepted AND g.generation = made.sent AND g.fence = made.fence AS in_order,
        EXISTS (SELECT 1 FROM token_generations t WHERE t.grant_id = made.grant_id AND t.number = made.number) AS taken
      FROM made JOIN grants g ON g.id = made.grant_id FOR NO KEY UPDATE OF g SKIP LOCKED
    ), known AS (
      SELECT held.exchange_id, t.number FROM held CROSS JOIN LATERAL (
        SELECT number FROM token_generations t
        WHERE t.grant_id = held.grant_id AND t.fingerprint = decode(held.fingerprint, 'base64') LIMIT 1
      ) t WHERE held.taken OR NOT held.in_order
    ), judged AS (
      SELECT held.*, known.number AS known, coalesce(known.number, held.number) AS received,
        CASE WHEN held.state = 'withdrawn' THEN 'withdrawn'
          WHEN known.number = held.generation THEN 'saved before'
          WHEN held.taken AND known.number IS NULL THEN 'taken'
          WHEN held.in_order THEN 'saved'
          ELSE 'pending' END AS outcome
      FROM held LEFT JOIN known USING (exchange_id)
    ), ended AS (
      UPDATE exchanges e SET answered_at = judged.at, verdict = judged.verdict, status = judged.status,
        error_code = judged.error_code, received = CASE WHEN judged.outcome <> 'withdrawn' THEN judged.received END
      FROM judged WHERE e.id = judged.exchange_id AND e.answered_at IS NULL AND judged.outcome <> 'taken'
    ), moved AS (
      UPDATE grants g SET state = 'active', reason = NULL, suspect_since = NULL, refusals = 0, lease_holder = NULL,
        lease_until = NULL, last_exchanged_at = judged.at, idle_deadline = judged.idle_deadline,
        max_deadline = judged.max_deadline, idle_seconds = judged.idle_seconds,
        next_exchange_at = judged.next_exchange_at, generation = coalesce(judged.received, g.generation)
      FROM judged WHERE g.id = judged.grant_id AND judged.outcome = 'saved'
      RETURNING judged.*
    ), superseded AS (
      UPDATE token_generations t SET state = 'superseded' FROM moved
      WHERE moved.received IS NOT NULL AND t.grant_id = moved.grant_id AND t.number = moved.sent
    ), promoted AS (
      UPDATE token_generations t SET state = 'current' FROM moved
      WHERE t.grant_id = moved.grant_id AND t.number = moved.known
    ), gone AS (
      DELETE FROM token_generations t USING moved
      WHERE t.grant_id = moved.grant_id AND t.number < moved.received - ${generationsKept}
        AND t.state IN ('superseded', 'dead')
    ), inserted AS (
      INSERT INTO token_generations (grant_id, number, state, sealed, key_id, fingerprint, parent, fence, issued_at, ends_at, sid, received_at)
      SELECT grant_id, number, (CASE outcome WHEN 'saved' THEN 'current' ELSE 'pending' END)::generation_state,
        decode(sealed, 'base64'), key_id, decode(fingerprint, 'base64'), sent, fence, issued_at, ends_at, sid, at
      FROM judged WHERE number IS NOT NULL AND known IS NULL AND outcome IN ('saved', 'pending')
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
    SELECT exchange_id AS "exchangeId", outcome, received,
      CASE WHEN outcome = 'taken' THEN
        (SELECT max(number) + 1 FROM token_generations t WHERE t.grant_id = judged.grant_id) END AS "nextNumber",
      (SELECT count(*)::int FROM token_generations t
        WHERE t.grant_id = judged.grant_id AND t.state = 'replaced') AS replaced
    FROM judged`;
  return exchanges.map((one) => {
    const row = rows.find(({ exchangeId }) => exchangeId === one.exchangeId);
    return row && savedOf(row);
  });
}

/** Saves how one exchange ended, after waiting for its grant where another transaction holds it. */
export async function saveOnceFree(database: Database, exchanged: Exchanged): Promise<Saved> {
  return inTransaction(database, async (transaction) => {
    const grant = await lockGrant(transaction, exchanged.grantId);
    const [saved] = grant === null ? [] : await saveExchanged(transaction, [exchanged]);
    return saved ?? { outcome: 'withdrawn' };
  });
}

/** Whether a save met a generation that was inserted after its statement began; `saveOnceFree` sees it. */
export function isNumberTaken(error: unknown): boolean {
  return error instanceof Error && /23505|unique constraint/i.test(error.message);
}

type Row = { exchangeId: string; replaced: number; received: number | null } & (
  | { outcome: 'saved' | 'saved before' | 'pending' | 'withdrawn' }
  | { outcome: 'taken'; nextNumber: number }
);

function savedOf(row: Row): Saved {
  switch (row.outcome) {
    case 'saved':
    case 'saved before':
      return { outcome: 'saved', replaced: row.replaced, received: row.received };
    case 'taken':
      return { outcome: 'taken', nextNumber: row.nextNumber };
    default:
      return { outcome: row.outcome };
  }
}

function toMade({ exchangeId, grantId, sent, fence, at, verdict, status, errorCode, token, deadlines }: Exchanged) {
  return {
    exchange_id: exchangeId,
    grant_id: grantId,
    sent,
    fence,
    at,
    verdict,
    status,
    error_code: errorCode,
    accepted: deadlines !== undefined,
    idle_deadline: deadlines?.idleDeadline,
    max_deadline: deadlines?.maxDeadline,
    idle_seconds: deadlines?.idleSeconds,
    next_exchange_at: deadlines?.nextExchangeAt,
    number: token?.number,
    sealed: base64(token?.sealed),
    key_id: token?.keyId,
    fingerprint: base64(token?.fingerprint),
    issued_at: token?.issuedAt,
    ends_at: token?.endsAt,
    sid: token?.sid,
  };
}

function base64(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('base64');
}

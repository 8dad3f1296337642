import { probeEveryMs } from '../../domain/circuit.ts';
import type { Refusable } from '../../domain/refusal.ts';
import { minuteMs } from '../../durations.ts';
import { newUuidAt } from '../../uuid.ts';
import type { Transaction } from '../client.ts';

/** The grant as its lease found it; nothing of this changes while the lease is held. */
export interface LeasedGrant extends Refusable {
  id: string;
  userId: string;
  issuer: string;
  clientId: string;
  subject: string;
  idleSeconds: number | null;
  consentedAt: Date;
  sealedDpopKey: Uint8Array | null;
}

/** The generation to send. */
export interface LeasedToken {
  number: number;
  sealed: Uint8Array | null;
  issuedAt: Date | null;
  endsAt: Date | null;
  receivedAt: Date;
}

/** A claimed lease: the sole right to exchange the grant's token until `leaseUntil`. */
export interface Lease {
  exchangeId: string;
  grant: LeasedGrant;
  token: LeasedToken;
  /** Tokens were received that an earlier holder could not save as it should: `promotePending` comes first. */
  pending: boolean;
  /** The number that a token gets that comes back. */
  nextNumber: number;
  fence: number;
  leaseUntil: Date;
  /** The circuit of the provider is open, and this exchange probes it. */
  probes: boolean;
}

export interface LeaseRequest {
  grantId: string;
  holder: string;
  purpose: string;
  runId?: string | undefined;
  at: Date;
  leaseMs: number;
}

/**
 * How long an exchange without an answer is left alone: the process that made it may still save what came back, from
 * memory or from its spool, and sending the same token meanwhile would end the chain. Longer than from one healing to
 * the next, which is when a spool is given to the database.
 */
export const silenceMs = 15 * minuteMs;

interface Row extends Omit<LeasedGrant, 'id'>, LeasedToken {
  exchangeId: string;
  grantId: string;
  fence: number;
  leaseUntil: Date;
  nextNumber: number;
  pending: boolean;
  probes: boolean;
}

/**
 * Claims leases, all in one statement: the answer to each request, in its place. There is one where the lease is free, the
 * grant may be asked and no answer is outstanding: fence + 1, and the exchange is on record before anything is sent. While the
 * circuit of the provider is open, only one claim a minute goes through: keep-alive chooses whose, and a run has a turn where
 * its grant had none since the circuit opened, or no other is left to be asked.
 *
 * Skips grants whose row another transaction holds, so that claims of many grants never wait for each other. A
 * generation is claimed only where the same statement sees its token. That the rows are limited by a SELECT tells
 * PostgreSQL that they are few but not how many, so that it plans once, and by the indexes.
 */
export async function claimLeases(
  database: Transaction,
  requests: readonly LeaseRequest[],
): Promise<(Lease | undefined)[]> {
  const asked = requests.map(toAsked);
  const rows = await database.$queryRaw<Row[]>`
    WITH asked AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) AS asked (
        grant_id uuid, exchange_id uuid, holder text, purpose text, run_id uuid, at timestamptz, lease_until timestamptz,
        silent_since timestamptz, next_probe_at timestamptz)
      LIMIT (SELECT ${requests.length}::int)
    ), free AS (
      SELECT g.id, g.issuer, g.client_id, g.fence, g.next_exchange_at, asked.* FROM asked JOIN grants g ON g.id = asked.grant_id
      WHERE g.state <> 'withdrawn'
        AND (g.lease_until IS NULL OR g.lease_until <= asked.at)
        AND ((g.state = 'active' AND g.reason IS NULL) OR g.next_exchange_at <= asked.at)
        AND EXISTS (SELECT 1 FROM token_generations t WHERE t.grant_id = g.id AND t.number = g.generation)
        AND NOT EXISTS (SELECT 1 FROM exchanges e WHERE e.grant_id = g.id AND e.fence = g.fence
          AND e.answered_at IS NULL AND e.started_at > asked.silent_since)
      FOR NO KEY UPDATE OF g SKIP LOCKED
    ), open AS (
      SELECT issuer, client_id FROM circuits WHERE open
    ), probe AS (
      UPDATE circuits c SET next_probe_at = first.next_probe_at
      FROM (SELECT DISTINCT ON (issuer, client_id) * FROM free ORDER BY issuer, client_id, next_exchange_at) first
      WHERE c.issuer = first.issuer AND c.client_id = first.client_id AND c.open AND c.next_probe_at <= first.at
        AND (first.purpose <> 'run' OR NOT EXISTS (SELECT 1 FROM exchanges e
          WHERE e.grant_id = first.id AND e.fence = first.fence AND e.answered_at >= c.opened_at)
          OR NOT EXISTS (SELECT 1 FROM grants o WHERE o.issuer = c.issuer AND o.client_id = c.client_id AND o.id <> first.id
            AND o.state = 'active' AND o.reason IS NULL AND (SELECT min(e.fence) FROM exchanges e
              WHERE e.grant_id = o.id AND e.fence = o.fence AND e.answered_at >= c.opened_at) IS NULL))
      RETURNING first.id
    ), claimed AS (
      UPDATE grants g SET fence = g.fence + 1, lease_holder = free.holder, lease_until = free.lease_until
      FROM free
      WHERE g.id = free.id AND (g.id IN (SELECT id FROM probe)
        OR NOT EXISTS (SELECT 1 FROM open WHERE open.issuer = free.issuer AND open.client_id = free.client_id))
      RETURNING g.*, free.exchange_id, free.purpose, free.run_id, free.at
    ), told AS (
      INSERT INTO exchanges (id, grant_id, generation, fence, holder, purpose, run_id, started_at)
      SELECT exchange_id, id, generation, fence, lease_holder, purpose, run_id, at FROM claimed
    )
    SELECT g.exchange_id AS "exchangeId", g.id AS "grantId", g.fence, g.lease_until AS "leaseUntil", g.user_id AS "userId",
      g.issuer, g.client_id AS "clientId", g.subject, g.state, g.reason, g.refusals, g.suspect_since AS "suspectSince",
      g.idle_deadline AS "idleDeadline", g.max_deadline AS "maxDeadline", g.next_exchange_at AS "nextExchangeAt",
      g.idle_seconds AS "idleSeconds", g.sealed_dpop_key AS "sealedDpopKey",
      coalesce((SELECT max(agreed_at) FROM consents WHERE grant_id = g.id), g.created_at) AS "consentedAt",
      t.number, t.sealed, t.issued_at AS "issuedAt", t.ends_at AS "endsAt", t.received_at AS "receivedAt",
      (SELECT max(number) + 1 FROM token_generations WHERE grant_id = g.id) AS "nextNumber",
      EXISTS (SELECT 1 FROM token_generations WHERE grant_id = g.id AND state = 'pending') AS pending,
      EXISTS (SELECT 1 FROM open WHERE open.issuer = g.issuer AND open.client_id = g.client_id) AS probes
    FROM claimed g JOIN token_generations t ON t.grant_id = g.id AND t.number = g.generation`;
  return asked.map((one) => leaseFrom(rows.find(({ exchangeId }) => exchangeId === one.exchange_id)));
}

function toAsked({ grantId, holder, purpose, runId, at, leaseMs }: LeaseRequest) {
  const after = (ms: number) => new Date(at.getTime() + ms);
  return {
    grant_id: grantId,
    exchange_id: newUuidAt(at),
    holder,
    purpose,
    run_id: runId,
    at,
    lease_until: after(leaseMs),
    silent_since: after(-silenceMs),
    next_probe_at: after(probeEveryMs),
  };
}

function leaseFrom(row: Row | undefined): Lease | undefined {
  if (row === undefined) return undefined;
  const { exchangeId, fence, leaseUntil, pending, nextNumber, probes, ...rest } = row;
  const { number, sealed, issuedAt, endsAt, receivedAt, grantId, ...grant } = rest;
  const token = { number, sealed, issuedAt, endsAt, receivedAt };
  return {
    exchangeId,
    grant: { id: grantId, ...grant },
    token,
    pending,
    nextNumber,
    fence,
    leaseUntil,
    probes,
  };
}

import type { Database } from '../client.ts';
import { type GrantState, Prisma } from '../generated/client.ts';
import { isUnrenewed } from './deadlines.ts';

export interface GrantCount {
  state: GrantState;
  reason: string | null;
  count: number;
}

/** How many grants there are of each state and reason. */
export async function countGrants(database: Database): Promise<GrantCount[]> {
  return database.$queryRaw<GrantCount[]>`
    SELECT state::text, reason, sum(n)::int AS count FROM grant_tallies GROUP BY grant_tallies.state, reason
    HAVING sum(n) <> 0 ORDER BY grant_tallies.state, reason`;
}

export interface DeadlineFacts {
  /** Grants that may be used. */
  living: number;
  /** Keep-alive should have exchanged them before `overdueBefore`. */
  overdue: number;
  /** Less than a quarter of their idle window is left, which keep-alive never lets happen. */
  nearIdle: number;
  /** They reach their maximum before `maxBefore`. */
  nearMax: number;
  /** When the first of them ends if it is not used. */
  nextIdle: Date | null;
}

/** How grants stand with their deadlines. `idleMs` is the longest time that a token lives unused: a grant may know of a shorter one. */
export async function inspectDeadlines(
  database: Database,
  { at, idleMs, overdueBefore, maxBefore }: { at: Date; idleMs: number; overdueBefore: Date; maxBefore: Date },
): Promise<DeadlineFacts> {
  const [facts] = await database.$queryRaw<[DeadlineFacts]>`
    SELECT (SELECT coalesce(sum(n), 0)::int FROM grant_tallies WHERE state IN ('active', 'suspect')) AS living,
      (SELECT count(*)::int FROM grants WHERE state = 'active' AND next_exchange_at < ${overdueBefore}) AS overdue,
      (SELECT count(*)::int FROM grants WHERE ${isUnrenewed({ at, idleMs })}) AS "nearIdle",
      (SELECT count(*)::int FROM grants WHERE state IN ('active', 'suspect') AND max_deadline < ${maxBefore}) AS "nearMax",
      (SELECT min(idle_deadline) FROM grants WHERE state IN ('active', 'suspect')) AS "nextIdle"`;
  return facts;
}

export interface EndingFacts {
  /** Tokens of grants that were withdrawn before then and are not revoked. */
  tokens: number;
  /** Repositories that should have been erased by then. */
  repositories: number;
}

/** What should have ended before then and has not. Once the erasing of a repository has begun, its row no longer says when it was due. */
export async function inspectEndings(database: Database, { before }: { before: Date }): Promise<EndingFacts> {
  const [facts] = await database.$queryRaw<[EndingFacts]>`
    SELECT (SELECT count(*)::int FROM grants g JOIN token_generations t ON t.grant_id = g.id
        WHERE g.state = 'withdrawn' AND g.ended_at < ${before} AND t.sealed IS NOT NULL) AS tokens,
      (SELECT count(*)::int FROM repositories r WHERE r.erase_at < ${before} AND NOT (r.erase_at = to_timestamp(0) AND EXISTS (
        SELECT FROM events e WHERE e.subject_kind = 'user' AND e.subject_id = r.user_id::text
          AND e."to" = 'snapshots being erased' AND e.at >= ${before}))) AS repositories`;
  return facts;
}

/** How many of the latest exchanges, and tokens, are looked at to tell what is usual. */
const latestAsked = 100_000;

/** Exchanges that went another way than most, which have an index of their own. */
const isOdd = Prisma.sql`(verdict = 'ambiguous' OR hint IN ('token_reused', 'withdrawn_at_provider'))`;

export interface RotationFacts {
  /** Exchanges that succeeded, of the latest 100,000. */
  exchanges: number;
  /** How many of those brought a new token. */
  renewed: number;
  /** Tokens whose answer was lost and that were accepted when they were sent again. */
  takenAgain: number;
  /** Exchanges whose answer was lost. */
  lost: number;
  /** Refusals of a token as used before. */
  refusedAsUsed: number;
}

/** What exchanges since then show about rotation: whether tokens are replaced, and whether one may be sent again after its answer was lost. */
export async function inspectRotation(database: Database, { since }: { since: Date }): Promise<RotationFacts> {
  const [facts] = await database.$queryRaw<[RotationFacts]>`
    WITH latest AS (
      SELECT verdict, received FROM exchanges WHERE started_at > ${since} AND purpose <> 'consent'
      ORDER BY started_at DESC LIMIT ${latestAsked}
    ), odd AS (
      SELECT grant_id, generation, verdict, hint, fence FROM exchanges
      WHERE started_at > ${since} AND purpose <> 'consent' AND ${isOdd}
    ), again AS (
      SELECT DISTINCT odd.grant_id, odd.generation FROM odd
      WHERE verdict = 'ambiguous' AND EXISTS (SELECT FROM exchanges second WHERE second.grant_id = odd.grant_id
        AND second.fence > odd.fence AND second.generation = odd.generation AND second.verdict = 'ok' AND second.purpose <> 'consent')
    )
    SELECT count(*) FILTER (WHERE verdict = 'ok')::int AS exchanges,
      count(*) FILTER (WHERE verdict = 'ok' AND received IS NOT NULL)::int AS renewed,
      (SELECT count(*)::int FROM again) AS "takenAgain",
      (SELECT count(*)::int FROM odd WHERE verdict = 'ambiguous') AS lost,
      (SELECT count(*)::int FROM odd WHERE hint = 'token_reused') AS "refusedAsUsed"
    FROM latest`;
  return facts;
}

export interface WindowFacts {
  /** The shortest idle window that the latest 100,000 tokens have shown. */
  idleSeconds: number | null;
  /** The shortest life from consent to maximum that they have shown. */
  maxSeconds: number | null;
  /** How many they are, and how many of them say when they expire. */
  tokens: number;
  withEnd: number;
  /** The longest pause after which a token was still accepted, of the latest 100,000 exchanges. */
  takenAfterSeconds: number | null;
  /** Tokens whose session was gone when they were next sent, and the shortest pause before that. */
  gone: number;
  goneAfterSeconds: number | null;
}

/** What tokens say of the provider's offline windows, and how long they were unused when they were accepted or refused. */
export async function inspectWindows(database: Database, { since }: { since: Date }): Promise<WindowFacts> {
  const [facts] = await database.$queryRaw<[WindowFacts]>`
    WITH asked AS (
      (SELECT grant_id, fence, started_at, verdict, hint FROM exchanges WHERE started_at > ${since} AND verdict = 'ok'
        ORDER BY started_at DESC LIMIT ${latestAsked})
      UNION ALL
      SELECT grant_id, fence, started_at, verdict, hint FROM exchanges
      WHERE started_at > ${since} AND verdict = 'person' AND hint = 'withdrawn_at_provider' AND ${isOdd}
    ), paused AS (
      SELECT asked.*, extract(epoch FROM asked.started_at - before.started_at) AS pause FROM asked CROSS JOIN LATERAL (
        SELECT verdict, started_at FROM exchanges e
        WHERE e.grant_id = asked.grant_id AND e.fence < asked.fence AND e.verdict IN ('ok', 'person')
        ORDER BY e.fence DESC LIMIT 1) before
      WHERE before.verdict = 'ok' AND before.started_at > ${since}
    ), pauses AS (
      SELECT max(pause) FILTER (WHERE verdict = 'ok') AS taken, count(*) FILTER (WHERE hint = 'withdrawn_at_provider') AS gone,
        min(pause) FILTER (WHERE hint = 'withdrawn_at_provider') AS gone_after
      FROM paused
    ), living AS (
      SELECT g.idle_seconds, t.ends_at, extract(epoch FROM g.max_deadline - coalesce(
        (SELECT max(agreed_at) FROM consents c WHERE c.grant_id = g.id), g.created_at)) AS max_seconds
      FROM token_generations t JOIN grants g ON g.id = t.grant_id AND g.generation = t.number
      WHERE g.state IN ('active', 'suspect') ORDER BY t.received_at DESC LIMIT ${latestAsked}
    )
    SELECT min(idle_seconds) AS "idleSeconds", min(max_seconds) FILTER (WHERE ends_at IS NOT NULL)::float8 AS "maxSeconds",
      count(*)::int AS tokens, count(ends_at)::int AS "withEnd", (SELECT taken::float8 FROM pauses) AS "takenAfterSeconds",
      (SELECT gone::int FROM pauses) AS gone, (SELECT gone_after::float8 FROM pauses) AS "goneAfterSeconds"
    FROM living`;
  return facts;
}

/** How many of the latest tokens are looked at for when they were issued: either all tokens of a provider say it, or none do. */
const issuedAsked = 1_000;

/** By how many seconds tokens seem to be issued before they are received: the median of the latest; null without any. */
export async function inspectIssuing(
  database: Database,
  { since, latest }: { since: Date; latest: number },
): Promise<{ tokens: number; lagSeconds: number | null }> {
  const [facts] = await database.$queryRaw<[{ tokens: number; lagSeconds: number | null }]>`
    SELECT count(*)::int AS tokens,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM received_at - issued_at)::float8) AS "lagSeconds"
    FROM (SELECT received_at, issued_at FROM (
      SELECT received_at, issued_at FROM token_generations WHERE received_at > ${since} ORDER BY received_at DESC LIMIT ${issuedAsked}) AS received
      WHERE issued_at IS NOT NULL ORDER BY received_at DESC LIMIT ${latest}) AS issued`;
  return facts;
}

export interface SealedToken {
  userId: string;
  grantId: string;
  number: number;
  sealed: Uint8Array | null;
}

/** The current tokens that were received last, sealed. */
export async function listLatestTokens(database: Database, limit: number): Promise<SealedToken[]> {
  return database.$queryRaw<SealedToken[]>`
    SELECT g.user_id AS "userId", t.grant_id AS "grantId", t.number, t.sealed
    FROM token_generations t JOIN grants g ON g.id = t.grant_id AND g.generation = t.number
    WHERE g.state <> 'withdrawn' AND t.sealed IS NOT NULL ORDER BY t.received_at DESC LIMIT ${limit}`;
}

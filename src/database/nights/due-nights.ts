import { type NightWindow, turnOver } from '../../domain/nights.ts';
import { triedUntil } from '../../domain/run-tries.ts';
import { farMore, turnOfNight } from '../../domain/turns.ts';
import { newUuidAt } from '../../uuid.ts';
import { type Database, inTransaction } from '../client.ts';
import { findLengthOfTurn, hostOfPlan, isHeavyOfPlan } from './turns.ts';

interface DuePlan {
  id: string;
  zone: string;
  windowStart: string;
  windowEnd: string;
  nextNight: string;
  nextDueAt: Date;
  host: string;
  heavy: boolean;
  /** The longest that one of the last nights had a worker, or twice as long where it came to no backup: it would have taken longer. */
  lately: number | null;
}

/** How many of the last nights are looked at to tell how long one takes. */
const nightsAsked = 3;

/**
 * Opens the nights that are due, in one transaction: one run for each plan, unique on plan and night, and the plan's next night.
 * A plan that missed nights gets one run, for the latest. A run is tried until its window is over, and for `graceMs` more.
 * Skips plans that another planner holds. Answers the runs, and how many plans were looked at.
 */
export async function openDueNights(
  database: Database,
  { at, by, limit, graceMs, turnMs }: { at: Date; by: string; limit: number; graceMs: number; turnMs: number },
): Promise<{ runIds: string[]; plans: number }> {
  return inTransaction(database, async (transaction) => {
    const plans = await transaction.$queryRaw<DuePlan[]>`
      SELECT plans.id, zone, window_start AS "windowStart", window_end AS "windowEnd", next_night AS "nextNight",
        greatest(next_due_at, '1970-01-01') AS "nextDueAt", ${hostOfPlan} AS host, ${isHeavyOfPlan} AS heavy,
        (SELECT max(CASE WHEN snapshot_id IS NULL THEN worked_ms::float * ${farMore} ELSE worked_ms END) FROM (
          SELECT worked_ms, snapshot_id FROM runs WHERE plan_id = plans.id AND slot = 'night' ORDER BY queued_at DESC LIMIT ${nightsAsked}) nights) AS lately
      FROM plans JOIN grants ON grants.id = plans.grant_id
      WHERE NOT paused AND next_due_at <= ${at} AND grants.state IN ('active', 'suspect')
      ORDER BY next_due_at LIMIT ${limit} FOR UPDATE OF plans SKIP LOCKED`;
    if (plans.length === 0) return { runIds: [], plans: 0 };
    const lengthMs = await findLengthOfTurn(transaction, turnMs);
    const opened = plans.map((plan) => {
      const { window, next } = turnOver(plan, at);
      return { next, ...newRun(plan, window, { at, graceMs, lengthMs }) };
    });
    const column = <T>(value: (run: (typeof opened)[number]) => T) => opened.map(value);
    const made = await transaction.$queryRaw<{ id: string }[]>`
      WITH due AS (
        SELECT * FROM unnest(${column(({ id }) => id)}::uuid[], ${column(({ planId }) => planId)}::uuid[],
          ${column(({ host }) => host)}::text[], ${column(({ heavy }) => heavy)}::boolean[], ${column(({ night }) => night)}::text[], ${column(({ dueAt }) => dueAt)}::timestamptz[],
          ${column(({ turnAt }) => turnAt)}::timestamptz[], ${column(({ until }) => until)}::timestamptz[],
          ${column(({ next }) => next.night)}::text[], ${column(({ next }) => next.dueAt)}::timestamptz[])
          AS due (id, plan_id, host, heavy, night, due_at, turn_at, tried_until, next_night, next_due_at)
      ), made AS (
        INSERT INTO runs (id, plan_id, host, heavy, night, slot, trigger, due_at, turn_at, tried_until, queued_at)
        SELECT id, plan_id, host, heavy, night, 'night', 'schedule', due_at, turn_at, tried_until, ${at} FROM due
        ON CONFLICT DO NOTHING RETURNING id
      ), told AS (
        INSERT INTO events (subject_kind, subject_id, "to", reason, at, by)
        SELECT 'run', id::text, 'queued', 'night', ${at}, ${by} FROM made
      ), turned AS (
        UPDATE plans SET next_night = due.next_night, next_due_at = due.next_due_at FROM due WHERE plans.id = due.plan_id
      )
      SELECT id FROM made`;
    return { runIds: made.map(({ id }) => id), plans: plans.length };
  });
}

function newRun(
  { id: planId, nextDueAt: dueAt, host, heavy, lately }: DuePlan,
  { night, end: windowEnd }: NightWindow,
  { at, graceMs, lengthMs }: { at: Date; graceMs: number; lengthMs: number },
) {
  const turnAt = turnOfNight({ dueAt, lengthMs, latelyMs: lately ?? 0 });
  return {
    id: newUuidAt(at),
    planId,
    host,
    heavy,
    night,
    dueAt,
    turnAt,
    until: triedUntil({ windowEnd, graceMs, at }),
  };
}

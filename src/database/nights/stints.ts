import { farMore } from '../../domain/turns.ts';
import type { Database } from '../client.ts';
import { Prisma } from '../generated/client.ts';

/** How long a worker has worked on a run since it claimed it, and what there is besides to decide whose turn is next. */
export interface Stint {
  trigger: string;
  /** In milliseconds, without those for which the worker's machine had no processor for it. */
  stintMs: number;
  /** The latter. */
  heldUpMs: number;
  /** How many others have had a worker without having ended. */
  others: number;
  /**
   * A moment after the last turn of the waiting nights that have had far less, except those whose turn is still to come because of earlier
   * nights; null where there are none.
   */
  turnOfLess: Date | null;
}

/** Measures the stint of a run; its worker says for how long of it the machine had no processor. */
export async function measureStint(
  database: Database,
  { id, heldUpMs, at }: { id: string; heldUpMs: number; at: Date },
): Promise<Stint> {
  const [found] = await database.$queryRaw<Stint[]>`
    SELECT trigger, stint_ms AS "stintMs", held_up_ms AS "heldUpMs",
      (SELECT count(*) FROM runs other WHERE other.state IN ('queued', 'running') AND other.worked_ms > 0 AND other.id <> own.id)::int AS others,
      (SELECT max(other.turn_at) + interval '1 ms' FROM runs other WHERE other.state = 'queued' AND other.due_at <= ${at} AND other.trigger = 'schedule'
        AND (other.worked_ms > 0 OR other.turn_at <= ${at}) AND other.worked_ms * ${farMore} < own.worked_ms + own.stint_ms) AS "turnOfLess"
    FROM (SELECT id, trigger, worked_ms, ${stintMs(at, heldUpMs)} AS stint_ms, ${heldUp(at, heldUpMs)} AS held_up_ms FROM runs WHERE id = ${id}::uuid) own`;
  return found ?? { trigger: '', stintMs: 0, heldUpMs: 0, others: 0, turnOfLess: null };
}

/** For a row of `runs`: the milliseconds since it was claimed, without those in which the machine had no processor. */
export function stintMs(at: Date, heldUpMs: number): Prisma.Sql {
  return Prisma.sql`greatest(0, least(2147483647 - worked_ms, ${sinceClaimed(at)} - ${heldUpMs}::float))::int`;
}

/** For a row of `runs`: those in which it had none, never more than have passed since it was claimed. */
export function heldUp(at: Date, heldUpMs: number): Prisma.Sql {
  return Prisma.sql`least(2147483647 - held_up_ms, ${heldUpMs}::float, ${sinceClaimed(at)})::int`;
}

function sinceClaimed(at: Date): Prisma.Sql {
  return Prisma.sql`greatest(0, extract(epoch FROM ${at}::timestamptz - claimed_at) * 1000)`;
}

import { latestToUse, type Rate, stepOf, waitOf } from '../../domain/rate.ts';
import type { Database } from '../client.ts';

/** How many expired rows are deleted with each row that is written, so that the table holds only those in use. */
const goneAtOnce = 3;

/**
 * Uses the rate of that key once, for all processes of this database: 0, or how many milliseconds to wait until it may be used, where it
 * may not be now. Waiting is not made longer by asking, nor by a clock that was ahead.
 */
export async function useRate(
  database: Database,
  { key, rate, at }: { key: string; rate: Rate; at: Date },
): Promise<number> {
  const step = stepOf(rate);
  const used = await database.$executeRaw`
    WITH gone AS (
      DELETE FROM rate_limits WHERE key IN (
        SELECT key FROM rate_limits WHERE full_at < ${at} AND key <> ${key} ORDER BY full_at LIMIT ${goneAtOnce} FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO rate_limits AS held (key, full_at) VALUES (${key}, ${at}::timestamptz + ${step} * interval '1 ms')
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(held.full_at, ${at}::timestamptz) + ${step} * interval '1 ms'
    WHERE held.full_at <= ${latestToUse(rate, at)}`;
  if (used > 0) return 0;
  const held = await database.rateLimit.findUnique({ where: { key }, select: { fullAt: true } });
  const usedUp = new Date(at.getTime() + rate.spanMs);
  if (held === null || held.fullAt <= usedUp) return Math.max(1, waitOf(rate, { fullAt: held?.fullAt ?? null, at }));
  // Only a clock that was ahead can have put it there: nobody waits for that one.
  await database.rateLimit.updateMany({ where: { key, fullAt: held.fullAt }, data: { fullAt: usedUp } });
  return waitOf(rate, { fullAt: usedUp, at });
}

import { type Rate, stepOf } from '../../domain/rate.ts';
import type { Database } from '../client.ts';

/**
 * Takes the next turn at a provider, one after the other for all processes of this database: how many milliseconds to wait for it. By the
 * clock of the database, since processes whose clocks differ would wait for each other.
 */
export async function takeProviderTurn(
  database: Database,
  { issuer, rate }: { issuer: string; rate: Rate },
): Promise<number> {
  const step = stepOf(rate);
  const [turn] = await database.$queryRaw<[{ waitMs: number }]>`
    INSERT INTO rate_limits AS held (key, full_at) VALUES (${`provider ${issuer}`}, clock_timestamp() + ${step}::float8 * interval '1 ms')
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(held.full_at, clock_timestamp()) + ${step}::float8 * interval '1 ms'
    RETURNING greatest(0, floor(extract(epoch FROM full_at - clock_timestamp()) * 1000 - ${step}::float8))::int AS "waitMs"`;
  return turn.waitMs;
}

import type { Config } from '../../config/config.ts';
import type { NightPlan } from '../../domain/nights.ts';

/** The window of the settings, which plans get that know of no zone of their own. */
export function windowOf({ window: { zone, start, end } }: Pick<Config, 'window'>): Omit<NightPlan, 'id'> {
  return { zone, windowStart: start, windowEnd: end };
}

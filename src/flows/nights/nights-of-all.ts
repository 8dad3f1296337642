import { listHoursInUse } from '../../database/notices/changed-people.ts';
import { latestNightOfAll, type NightWindow } from '../../domain/nights.ts';
import type { Resources } from '../../resources.ts';

/** The latest night that has begun, or is over, at a moment. */
export type NightsOfAll = (at: Date, bound: 'start' | 'end') => NightWindow;

/**
 * The nights of all plans that go on, by the hours and zones that these have, from noon to noon in the zone of the settings. Where there are none,
 * they are those of the settings: what waits for a sign of life each night gets one.
 */
export async function nightsOfAll({ config, database }: Pick<Resources, 'config' | 'database'>): Promise<NightsOfAll> {
  const { zone, start: windowStart, end: windowEnd } = config.window;
  const inUse = await listHoursInUse(database);
  const hours = inUse.length === 0 ? [{ zone, windowStart, windowEnd }] : inUse;
  return (at, bound) => latestNightOfAll(hours, zone, at, bound);
}

import type { Config } from '../../config/config.ts';
import { countPlansAlike, measureNightAhead } from '../../database/nights/night-ahead.ts';
import { type BusyHours, busiestHours, forecastNight, type NightForecast } from '../../domain/night-forecast.ts';
import type { Rate } from '../../domain/rate.ts';
import { dayMs } from '../../durations.ts';
import type { Resources } from '../../resources.ts';
import { keepFigure } from './keep-figure.ts';

/** Nights before these say nothing of the next one. */
const lastNightsMs = 3 * dayMs;

/**
 * Whether the windows that open next will be long enough for the backups that become due in them, by the busiest hours of them all: whatever hours and zones
 * plans have, and while other windows are open too. Null where nobody is to be backed up, or nothing is known. The workers are those that were running in the
 * middle of the last night, each with `concurrency` backups at a time as in this process.
 */
export async function foreseeNight({
  clock,
  config,
  database,
}: Pick<Resources, 'clock' | 'database'> & {
  config: Pick<Config, 'concurrency' | 'heavyRuns'> & { provider: { rate?: Rate | undefined } };
}): Promise<NightForecast | null> {
  const at = clock.now();
  const [hours, { refreshesEach, typicalMs, workers }] = await Promise.all([
    findBusiestHours({ clock, database }),
    measureNightAhead(database, {
      since: new Date(at.getTime() - lastNightsMs),
      concurrency: config.concurrency,
      heavyRuns: config.heavyRuns,
    }),
  ]);
  return forecastNight({
    hours,
    rate: config.provider.rate,
    refreshesEach: refreshesEach ?? 1,
    typicalMs,
    places: workers * config.concurrency,
  });
}

async function findBusiestHours(needs: Pick<Resources, 'clock' | 'database'>): Promise<BusyHours | null> {
  const { value } = await keepFigure(needs, { name: 'busiest hours', of: 'everybody' }, async () => {
    const hours = busiestHours(await countPlansAlike(needs.database), needs.clock.now());
    return hours && { ...hours, from: hours.from.getTime(), to: hours.to.getTime() };
  });
  return value && { ...value, from: new Date(value.from), to: new Date(value.to) };
}

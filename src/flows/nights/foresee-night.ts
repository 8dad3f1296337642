import type { Config } from '../../config/config.ts';
import { countPlansDue, measureNightAhead } from '../../database/nights/night-ahead.ts';
import { forecastNight, type NightForecast } from '../../domain/night-forecast.ts';
import { latestBegun, nextWindow, nightAround } from '../../domain/nights.ts';
import type { Rate } from '../../domain/rate.ts';
import type { Resources } from '../../resources.ts';
import { windowOf } from './configured-window.ts';
import { keepFigure } from './keep-figure.ts';

/** Nights before these say nothing of the next one. */
const lastNightsMs = 3 * 86_400_000;

/**
 * Whether the window of the settings will be long enough for the backups that are due in it, from noon until it opens; null at any other time, while
 * the one before it is open, and if nothing is known. The workers are those that were running in the middle of the last night, each with `concurrency` backups at a time as in
 * this process.
 */
export async function foreseeNight({
  clock,
  config,
  database,
}: Pick<Resources, 'clock' | 'database'> & {
  config: Pick<Config, 'concurrency' | 'heavyRuns' | 'window'> & { provider: { rate?: Rate | undefined } };
}): Promise<NightForecast | null> {
  const at = clock.now();
  const { to } = nightAround(config.window.zone, at);
  const { start, end } = nextWindow(windowOf(config), at);
  if (start >= to || latestBegun(windowOf(config), at).end > at) return null;
  const [{ value: plans }, { refreshesEach, typicalMs, workers }] = await Promise.all([
    keepFigure({ clock, database }, { name: 'plans ahead', of: start.toISOString() }, () =>
      countPlansDue(database, { at, from: start, to: end }),
    ),
    measureNightAhead(database, {
      since: new Date(at.getTime() - lastNightsMs),
      concurrency: config.concurrency,
      heavyRuns: config.heavyRuns,
    }),
  ]);
  return forecastNight({
    plans,
    windowMs: end.getTime() - start.getTime(),
    rate: config.provider.rate,
    refreshesEach: refreshesEach ?? 1,
    typicalMs,
    places: workers * config.concurrency,
  });
}

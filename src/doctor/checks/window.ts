import { countWords } from '../../count-words.ts';
import type { NightForecast } from '../../domain/night-forecast.ts';
import { foreseeNight } from '../../flows/nights/foresee-night.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';

const name = 'window';

export const window: Check = {
  name,
  run: async ({ clock, option, records, setting }) => {
    const config = {
      window: setting('window'),
      concurrency: setting('concurrency'),
      heavyRuns: setting('heavyRuns'),
      provider: { rate: option('rate') },
    };
    return checkWindow(await foreseeNight({ clock, config, database: await records() }));
  },
};

/** Whether the window will hold the night that comes, by how long the last ones took and what the provider may be asked. */
export function checkWindow(forecast: NightForecast | null): Finding {
  if (forecast === null)
    return ok(
      name,
      'From noon until the window opens it is foreseen whether it holds the night, once there were nights.',
    );
  const { plans, neededMs, windowMs, by, holds } = forecast;
  const figures = `The night has ${countWords(plans, 'backup', 'backups')} to make: ${hours(neededMs)} needed, ${hours(windowMs)} there.`;
  if (holds) return ok(name, figures);
  return warn(
    name,
    figures,
    by === 'provider'
      ? 'The provider may not be asked oftener (OIDC_RATE): widen WINDOW, or give the provider more processors and raise OIDC_RATE.'
      : 'The workers cannot do more: widen WINDOW, start another worker, or raise CONCURRENCY.',
  );
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

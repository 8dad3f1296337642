import { countWords, minuteWords } from '../../count-words.ts';
import type { NightForecast } from '../../domain/night-forecast.ts';
import { hourMs } from '../../durations.ts';
import { foreseeNight } from '../../flows/nights/foresee-night.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, warn } from '../finding.ts';

const name = 'window';

export const window: Check = {
  name,
  run: async ({ clock, option, records, setting }) => {
    const config = {
      concurrency: setting('concurrency'),
      heavyRuns: setting('heavyRuns'),
      provider: { rate: option('rate') },
    };
    return checkWindow(await foreseeNight({ clock, config, database: await records() }));
  },
};

/** Whether the windows to come will hold their backups, by how long the last ones took and what the provider may be asked. */
export function checkWindow(forecast: NightForecast | null): Finding {
  if (forecast === null)
    return ok(name, 'Once there were nights, it is foreseen whether the windows to come hold their backups.');
  const { from, to, plans, neededMs, windowMs, by, holds } = forecast;
  const figures = `In the busiest hours to come, ${minuteWords(from)} to ${minuteWords(to)}, ${countWords(plans, 'backup', 'backups')} become due (nights that are still paused then not counted): ${hours(neededMs)} needed, ${hours(windowMs)} there.`;
  if (holds) return ok(name, figures);
  return warn(
    name,
    figures,
    by === 'provider'
      ? `The provider may not be asked oftener: give it more processors and raise OIDC_RATE, or ${elsewhen}`
      : `The workers cannot do more: start another one, raise CONCURRENCY, or ${elsewhen}`,
  );
}

/** Plans keep the hours that their people agreed to. */
const elsewhen =
  'let backups become due at other hours: people choose those of their own, and a wider WINDOW is for those who agree from then on.';

function hours(ms: number): string {
  return `${(ms / hourMs).toFixed(1)} h`;
}

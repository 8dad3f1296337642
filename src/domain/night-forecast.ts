import { type Rate, stepOf } from './rate.ts';

/** What the coming night has to do, and with what. */
export interface NightAhead {
  /** Backups to come. */
  readonly plans: number;
  /** How long their window is. */
  readonly windowMs: number;
  /** How often tokens may be refreshed at the provider; undefined: as often as needed. */
  readonly rate: Rate | undefined;
  /** Refreshes for each backup, as of late. */
  readonly refreshesEach: number;
  /** How long a worker had one of the last backups, on average; null where nothing is known. */
  readonly typicalMs: number | null;
  /** Backups that all workers have in hand at once; 0 where nothing is known. */
  readonly places: number;
}

/** Whether its window will hold all of it. */
export interface NightForecast {
  readonly plans: number;
  readonly windowMs: number;
  /** How long the provider needs at the rate that it may be asked at; null where there is none. */
  readonly providerMs: number | null;
  /** How long the workers need; null where nothing is known of them. */
  readonly workersMs: number | null;
  /** The longer of the two, and whose it is. */
  readonly neededMs: number;
  readonly by: 'provider' | 'workers';
  readonly holds: boolean;
}

/** Foresees how long the night needs; null where nothing is to come, or nothing is known that it could be foreseen by. */
export function forecastNight(ahead: NightAhead): NightForecast | null {
  const { plans, windowMs, rate, refreshesEach, typicalMs, places } = ahead;
  const providerMs = rate === undefined ? null : plans * refreshesEach * stepOf(rate);
  const workersMs = typicalMs === null || places === 0 ? null : (plans * typicalMs) / places;
  if (plans === 0 || (providerMs === null && workersMs === null)) return null;
  const neededMs = Math.max(providerMs ?? 0, workersMs ?? 0);
  const by = neededMs === providerMs ? 'provider' : 'workers';
  return { plans, windowMs, providerMs, workersMs, neededMs, by, holds: neededMs <= windowMs };
}

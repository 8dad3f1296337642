import { describe, expect, test } from 'vitest';
import { forecastNight } from '../../../src/domain/night-forecast.ts';

const hour = 3_600_000;
const ahead = {
  plans: 720_000,
  windowMs: 4 * hour,
  rate: { count: 50, spanMs: 1_000 },
  refreshesEach: 1,
  typicalMs: 1_000,
  places: 64,
};

describe('whether the window holds the night that comes', () => {
  test('is up to the provider where it may be asked less often than workers could', () => {
    const forecast = forecastNight(ahead);
    expect(forecast).toMatchObject({
      neededMs: 4 * hour,
      by: 'provider',
      holds: true,
      windowMs: 4 * hour,
      plans: 720_000,
    });
    expect(forecast?.workersMs).toBe((720_000 * 1_000) / 64);
    expect(forecastNight({ ...ahead, plans: 720_001 })).toMatchObject({ by: 'provider', holds: false });
    expect(forecastNight({ ...ahead, refreshesEach: 1.25 })).toMatchObject({ neededMs: 5 * hour, holds: false });
  });

  test('is up to the workers where backups take long, or the provider may be asked as often as needed', () => {
    const slow = forecastNight({ ...ahead, typicalMs: 2_000 });
    expect(slow).toMatchObject({ neededMs: 6.25 * hour, by: 'workers', holds: false });
    expect(forecastNight({ ...ahead, rate: undefined })).toMatchObject({
      by: 'workers',
      providerMs: null,
      holds: true,
    });
  });

  test('is not said where nobody is to be backed up, or nothing is known', () => {
    expect(forecastNight({ ...ahead, plans: 0 })).toBeNull();
    expect(forecastNight({ ...ahead, rate: undefined, places: 0 })).toBeNull();
    expect(forecastNight({ ...ahead, rate: undefined, typicalMs: null })).toBeNull();
    expect(forecastNight({ ...ahead, typicalMs: null })).toMatchObject({ by: 'provider', workersMs: null });
  });
});

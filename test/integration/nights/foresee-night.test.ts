import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkWindow } from '../../../src/doctor/checks/window.ts';
import { foreseeNight } from '../../../src/flows/nights/foresee-night.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

const hour = 3_600_000;
const metricsToken = 'a-token-of-more-than-32-characters~+/=';

let pages: Pages;
let operator: SignedIn;
/** At noon after a night with 480 people, each of whose backups had the one worker for three seconds. */
beforeAll(async () => {
  pages = await openPages();
  operator = await pages.newPerson({ roles: ['operator'] });
  const at = new Date('2026-05-04T03:00:00Z');
  for (const statement of fillWithPlans({ plans: 480, nights: 1, at }))
    await pages.resources.database.$executeRawUnsafe(statement);
});
afterAll(() => pages[Symbol.asyncDispose]());

/** The same with a provider that may be asked once in so many seconds; 0: as often as needed. */
const pacedBy = (seconds: number) => {
  const { config, ...rest } = pages.resources;
  const rate = { count: 1, spanMs: seconds * 1_000 };
  const provider = seconds === 0 ? config.provider : { ...config.provider, rate };
  return { ...rest, config: { ...config, metricsToken, concurrency: 2, heavyRuns: 2, provider } };
};

test('in the evening it is said whether the window holds the night, by the last ones and by what the provider may be asked', async () => {
  const free = await foreseeNight(pacedBy(0));
  expect(free).toMatchObject({
    plans: 480,
    windowMs: 4 * hour,
    neededMs: (480 * 3_000) / 2,
    by: 'workers',
    holds: true,
  });
  expect(checkWindow(free)).toMatchObject({ state: 'ok' });
  const slow = await foreseeNight(pacedBy(40));
  expect(slow).toMatchObject({ by: 'provider', workersMs: 720_000, holds: false });
  // One refresh each, but for those of the minute before the first backup that counts.
  expect(slow?.neededMs).toBeGreaterThan(5 * hour);
  expect(slow?.neededMs).toBeLessThanOrEqual((480 / 360) * 4 * hour);
  expect(checkWindow(slow)).toMatchObject({ state: 'warn', cure: expect.stringContaining('OIDC_RATE') });
});

test('operators read it on the page of the night, in metrics and in the status', async () => {
  Object.assign(pages.resources.config.provider, { rate: { count: 1, spanMs: 40_000 } });
  const page = await operator.text('/operator');
  expect(page).toMatch(/5\.\d h needed, 4\.0 h there/);
  expect(page).toContain('let it be asked oftener (OIDC_RATE)');
  const { send } = openVisitor(pacedBy(40));
  const headers = { authorization: `Bearer ${metricsToken}` };
  const metrics = await (await send('/metrics', { headers })).text();
  expect(metrics).toContain('nightkeep_night_window_seconds 14400');
  expect(metrics).toMatch(/nightkeep_night_needed_seconds\{by="provider"\} 1[89]\d{3}/);
  expect(metrics).toContain('nightkeep_night_needed_seconds{by="workers"} 720');
  const status = JSON.parse(await (await send('/status.json', { headers })).text());
  expect(status.forecast).toMatchObject({ plans: 480, by: 'provider', holds: false });
});

test('once the window is open nothing is foreseen any more', async () => {
  await pages.clock.advance(13 * hour);
  expect(await foreseeNight(pacedBy(40))).toBeNull();
  expect(await operator.text('/operator')).not.toContain('h needed');
});

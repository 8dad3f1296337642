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
/** At noon after a night with 480 people, each of whose backups had the one worker for three seconds; of five the consent has ended. */
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
    plans: 475,
    windowMs: 4 * hour,
    neededMs: (475 * 3_000) / 2,
    by: 'workers',
    holds: true,
  });
  expect(checkWindow(free)).toMatchObject({ state: 'ok' });
  const slow = await foreseeNight(pacedBy(40));
  expect(slow).toMatchObject({ by: 'provider', workersMs: 712_500, holds: false });
  // One refresh each, but for those of the minute before the first backup that counts.
  expect(slow?.neededMs).toBeGreaterThan(5 * hour);
  expect(slow?.neededMs).toBeLessThanOrEqual((480 / 360) * 4 * hour);
  expect(checkWindow(slow)).toMatchObject({ state: 'warn', cure: expect.stringContaining('OIDC_RATE') });
});

test('workers count by who was at work in the middle of the night: neither by a backup that was tried long after it, nor twice where they were started anew', async () => {
  const { database } = pages.resources;
  const ofFour = `holder = 'worker/' || get_byte(uuid_send(id), 15) % 4`;
  await database.$executeRawUnsafe(`UPDATE exchanges SET ${ofFour}`);
  const byFour = (475 * 3_000) / 8;
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ workersMs: byFour });
  await database.$executeRaw`UPDATE exchanges SET holder = holder || '/anew' WHERE started_at > '2026-05-04T02:40:00Z'`;
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ workersMs: byFour });
  await database.$executeRaw`
    WITH late AS (
      UPDATE runs SET finished_at = '2026-05-04T06:20:00Z' WHERE id = (SELECT id FROM runs WHERE state = 'failed' ORDER BY finished_at DESC LIMIT 1) RETURNING id
    )
    UPDATE exchanges SET started_at = '2026-05-04T06:19:00Z' FROM late WHERE run_id = late.id`;
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ workersMs: byFour });
  await database.$executeRaw`UPDATE exchanges SET holder = 'worker/1'`;
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
  expect(metrics).toContain('nightkeep_night_needed_seconds{by="workers"} 712.5');
  const status = JSON.parse(await (await send('/status.json', { headers })).text());
  expect(status.forecast).toMatchObject({ plans: 475, by: 'provider', holds: false });
});

test('the backups count that are due in that window: not those of people who chose other hours, whom it need not hold', async () => {
  const { database } = pages.resources;
  await database.$executeRaw`
    UPDATE plans SET next_due_at = '2026-05-05T06:00:00Z' WHERE sources::text ~ 'cloud(0|4|8|12)[.]'`;
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ plans: 355 });
});

test('while a window over noon is open, nothing is foreseen of the next one: plans that are still due in it have no place there yet', async () => {
  const { config, ...rest } = pacedBy(40);
  const window = { ...config.window, start: '10:00', end: '14:00' };
  expect(await foreseeNight({ ...rest, config: { ...config, window } })).toBeNull();
});

test('once the window is open nothing is foreseen any more', async () => {
  await pages.clock.advance(13 * hour);
  expect(await foreseeNight(pacedBy(40))).toBeNull();
  expect(await operator.text('/operator')).not.toContain('h needed');
});

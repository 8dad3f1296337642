import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkWindow } from '../../../src/doctor/checks/window.ts';
import { hourMs } from '../../../src/durations.ts';
import { foreseeNight } from '../../../src/flows/nights/foresee-night.ts';
import { fillWithPlans } from '../../support/fixtures/many-plans.ts';
import { openPages, type Pages, type SignedIn } from '../../support/harness/pages.ts';
import { openVisitor } from '../../support/harness/visitor.ts';

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

test('beforehand it is said whether the window holds the night, by the last ones and by what the provider may be asked', async () => {
  const free = await foreseeNight(pacedBy(0));
  expect(free).toMatchObject({
    plans: 475,
    from: new Date('2026-05-05T01:00:00Z'),
    to: new Date('2026-05-05T05:00:00Z'),
    windowMs: 4 * hourMs,
    neededMs: (475 * 3_000) / 2,
    by: 'workers',
    holds: true,
  });
  expect(checkWindow(free)).toMatchObject({ state: 'ok' });
  const slow = await foreseeNight(pacedBy(40));
  expect(slow).toMatchObject({ by: 'provider', workersMs: 712_500, holds: false });
  // One refresh each, but for those of the minute before the first backup that counts.
  expect(slow?.neededMs).toBeGreaterThan(5 * hourMs);
  expect(slow?.neededMs).toBeLessThanOrEqual((480 / 360) * 4 * hourMs);
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
  expect(page).toMatch(/5\.\d h needed, 4\.0 h available/);
  expect(page).toContain('allow more requests to it (OIDC_RATE)');
  expect(page).toContain('from 5 May, 01:00 to 5 May, 05:00, 475 backups become due.');
  const { send } = openVisitor(pacedBy(40));
  const headers = { authorization: `Bearer ${metricsToken}` };
  const metrics = await (await send('/metrics', { headers })).text();
  expect(metrics).toContain('nightkeep_night_window_seconds 14400');
  expect(metrics).toMatch(/nightkeep_night_needed_seconds\{by="provider"\} 1[89]\d{3}/);
  expect(metrics).toContain('nightkeep_night_needed_seconds{by="workers"} 712.5');
  const status = JSON.parse(await (await send('/status.json', { headers })).text());
  expect(status.forecast).toMatchObject({ plans: 475, by: 'provider', holds: false });
});

test('each plan counts in its own hours: not those of people who chose others, nor who are paused beyond them, and the busiest hours are told', async () => {
  const { database } = pages.resources;
  await database.$executeRaw`
    UPDATE plans SET window_start = '06:00', window_end = '10:00' WHERE sources::text ~ 'cloud(0|4|8|12)[.]'`;
  await database.$executeRaw`UPDATE plans SET paused = true WHERE sources::text ~ 'cloud1[.]'`;
  await database.$executeRaw`
    UPDATE plans SET paused = true, paused_until = '2026-05-06T01:00:00Z' WHERE sources::text ~ 'cloud2[.]'`;
  const from = new Date('2026-05-05T01:00:00Z');
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ from, plans: 295, windowMs: 4 * hourMs });
  await database.$executeRaw`
    UPDATE plans SET paused_until = '2026-05-05T01:00:00Z' WHERE paused_until IS NOT NULL`;
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ from, plans: 325 });
  await database.$executeRaw`UPDATE plans SET paused = false, paused_until = NULL WHERE paused_until IS NOT NULL`;
  await database.$executeRaw`UPDATE plans SET zone = 'Asia/Tokyo' WHERE window_start = '01:00'`;
  expect(await foreseeNight(pacedBy(0))).toMatchObject({ from: new Date('2026-05-04T16:00:00Z'), plans: 325 });
  await database.$executeRaw`UPDATE plans SET zone = 'UTC', window_start = '01:00', window_end = '05:00', paused = false`;
});

test('of windows that open at noon, or are open all day, all backups are foreseen, also while the one before is open', async () => {
  const { database } = pages.resources;
  for (const [start, end] of [
    ['12:00', '16:00'],
    ['11:59', '12:01'],
    ['10:00', '14:00'],
    ['12:01', '12:00'],
    ['00:00', '00:00'],
  ]) {
    await database.$executeRaw`UPDATE plans SET window_start = ${start}, window_end = ${end}`;
    const found = await foreseeNight(pacedBy(0));
    expect([start, found?.plans, found?.from.toISOString().slice(11, 16)]).toEqual([start, 475, start]);
  }
  await database.$executeRaw`UPDATE plans SET window_start = '01:00', window_end = '05:00'`;
});

test('while the window is open, that of the next night is foreseen', async () => {
  await pages.clock.advance(13 * hourMs + 60_000);
  expect(await foreseeNight(pacedBy(40))).toMatchObject({ from: new Date('2026-05-06T01:00:00Z'), plans: 475 });
  const later = await pages.newPerson({ roles: ['operator'] });
  expect(await later.text('/operator')).toContain('from 6 May, 01:00 to 6 May, 05:00, 475 backups become due.');
});

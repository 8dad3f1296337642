import { expect, test } from 'vitest';
import { dayMs } from '../../../src/durations.ts';
import { warnOfEnds } from '../../../src/flows/consent/warn-of-ends.ts';
import { silentLog } from '../../../src/log.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';
import { openDatabaseFixture } from '../../support/harness/database.ts';
import { savePlans } from '../../support/harness/nights.ts';

test('everybody is warned 14, 7 and 2 days before an end, once each, however many others end sooner and were warned', async () => {
  await using fixture = await openDatabaseFixture();
  const { database } = fixture;
  const clock = manualClock('2026-05-01T00:00:00Z');
  const people = 1_100;
  const planIds = await savePlans(database, people + 3);
  const endsIn = (days: number) => new Date(clock.now().getTime() + days * dayMs);
  await database.grant.updateMany({ data: { maxDeadline: endsIn(13) } });
  const [unlimited, later, ended] = planIds.slice(people);
  for (const [planId, change] of [
    [unlimited, { maxDeadline: null }],
    [later, { maxDeadline: endsIn(15) }],
    [ended, { maxDeadline: endsIn(13), state: 'needs_consent' as const }],
  ] as const)
    await database.grant.updateMany({ where: { plans: { some: { id: planId ?? '' } } }, data: change });
  const warn = () => warnOfEnds({ clock, database, log: silentLog });
  expect([await warn(), await warn()]).toEqual([people, 0]);
  await clock.advance(dayMs);
  expect([await warn(), await warn()]).toEqual([1, 0]);
  await clock.advance(5 * dayMs);
  expect(await warn()).toBe(people);
  await clock.advance(5 * dayMs);
  const both = await Promise.all([warn(), warn()]);
  expect(both[0] + both[1]).toBe(people + 1);
  const days = await database.grant.groupBy({ by: ['warnedDays'], _count: true, orderBy: { warnedDays: 'asc' } });
  expect(days.map(({ warnedDays, _count }) => [warnedDays, _count])).toEqual([
    [2, people],
    [7, 1],
    [null, 2],
  ]);
  await clock.advance(3 * dayMs);
  expect(await warn()).toBe(1);
});

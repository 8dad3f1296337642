import { expect, test } from 'vitest';
import { hourMs } from '../../src/durations.ts';
import { randomNumbers } from '../support/fixtures/random-numbers.ts';
import { openNights } from './nights.ts';

/** How many nights pass: a few, and with `npm run test:faults -- --nights N nights` as many as wanted; 90 take some minutes. */
const nights = Number(process.env.FAULT_NIGHTS ?? 4);
const seed = Number(process.env.FAULT_SEED ?? 11);
const people = 8;
/** A night of eight people takes some seconds on a quiet machine. */
const timeout = 300_000 + nights * 60_000;

test('with a quarter of the exchanges faulty and two workers killed a night, nobody loses a night in which an hour went without faults, nothing overlaps, and nobody is condemned', {
  timeout,
}, async () => {
  await using months = await openNights({ people, reuse: 1_000, seed });
  const { provider, fixture } = months.world;
  const { database } = fixture.resources;
  const random = randomNumbers(seed);
  await months.begin();
  months.harm(0.25);
  for (let night = 1; night <= nights; night++) {
    await months.pass({ kills: 2, random });
    if (night % 10 === 0) console.log(`${night} of ${nights} nights: ${JSON.stringify(await months.nights())}`);
  }
  const { count, retried, lost } = await months.nights();
  const exchanges = await database.exchange.groupBy({ by: ['verdict'], _count: true });
  const verdicts = Object.fromEntries(exchanges.map(({ verdict, _count }) => [verdict ?? 'unanswered', _count]));
  console.log(JSON.stringify({ seed, nights: count, retried, lost: lost.length, kills: months.kills, verdicts }));
  expect.soft(lost.filter(({ quietMs }) => quietMs >= hourMs)).toEqual([]);
  expect.soft(count).toBeGreaterThanOrEqual(people * nights);
  expect.soft(retried).toBeGreaterThan(0);
  // The last of them may be waiting for work.
  expect.soft(months.kills).toBeGreaterThanOrEqual(2 * nights - 2);
  expect.soft(provider.log.overlaps()).toEqual([]);
  expect.soft(await database.event.findMany({ where: { subjectKind: 'grant', to: 'needs_consent' } })).toEqual([]);
  expect.soft(provider.log.alive()).toHaveLength(people);
});

import { expect, test } from 'vitest';
import { openNights } from './nights.ts';

/** How many nights pass: `npm run test:faults -- --nights N nights`. Not part of a run that does not ask for it: 90 take 20 minutes. */
const nights = Number(process.env.FAULT_NIGHTS ?? 0);
const seed = process.env.FAULT_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.FAULT_SEED);
const people = 8;
/** A night of eight people takes some seconds on a quiet machine. */
const timeout = 300_000 + nights * 60_000;

/** The same numbers for the same seed (a linear congruential generator). */
function randomNumbers(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test.runIf(nights > 0)(
  'with a quarter of the exchanges faulty and workers killed in every night no night is lost, nothing overlaps, and nobody is condemned',
  {
    timeout,
  },
  async () => {
    await using months = await openNights({ people, reuse: 1_000 });
    const { provider, fixture } = months.world;
    const random = randomNumbers(seed);
    await months.begin();
    months.harm({ seed, share: 0.25 });
    for (let night = 1; night <= nights; night++) {
      await months.pass({ kills: 2, random });
      if (night % 10 === 0) console.log(`${night} of ${nights} nights: ${JSON.stringify(await months.nights())}`);
    }
    const { count, retried, lost } = await months.nights();
    const exchanges = await fixture.resources.database.exchange.groupBy({ by: ['verdict'], _count: true });
    const verdicts = Object.fromEntries(exchanges.map(({ verdict, _count }) => [verdict ?? 'unanswered', _count]));
    console.log(JSON.stringify({ seed, nights: count, retried, lost: lost.length, kills: months.kills, verdicts }));
    expect(lost).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(people * nights);
    expect(months.kills).toBeGreaterThanOrEqual(nights);
    expect(provider.log.overlaps()).toEqual([]);
    const condemned = await fixture.resources.database.grant.findMany({ where: { state: 'needs_consent' } });
    expect(condemned.map(({ subject, reason }) => [subject, reason])).toEqual([]);
  },
);

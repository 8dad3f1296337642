import { expect, test } from 'vitest';
import { randomNumbers } from '../support/fixtures/random-numbers.ts';
import { redisServer } from '../support/servers/redis.ts';
import { resticProgram } from '../support/servers/restic.ts';
import { s3ProxyJars } from '../support/servers/s3proxy.ts';
import { openFaults } from './faults.ts';
import { whyNoNetwork } from './network.ts';
import { judge } from './verdict.ts';
import { openWorld } from './world.ts';

/** For how long nights begin: `npm run test:chaos -- --minutes N`; the start before and the verdict afterwards come on top. */
const minutes = Number(process.env.CHAOS_MINUTES ?? 3);
const seed = Number(process.env.CHAOS_SEED ?? 11);
const people = 6;

const jars = await s3ProxyJars();
const lack = await whyNoNetwork();

test.skipIf(lack !== undefined || jars === undefined || redisServer === undefined || resticProgram === undefined)(
  'whatever happens to machines and networks, every night comes to an end that is explained, none runs twice, no token is lost, and no repository is damaged',
  { timeout: (2 * minutes + 20) * 60_000 },
  async () => {
    const began = performance.now();
    const tell = (line: string) =>
      console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
    tell(`seed ${seed}, ${minutes} minutes`);
    await using world = await openWorld({ jars: jars ?? '', redis: redisServer ?? '' }, people);
    tell(`${people} people have consented and have their first backup`);
    const faults = openFaults(randomNumbers(seed), tell);
    const from = performance.now();
    let nights = 0;
    while (performance.now() - from < minutes * 60_000) {
      nights += 1;
      tell(`night ${nights}`);
      await world.night(() => faults.play(world));
    }
    tell('verdict');
    const { counts, ...found } = await judge(world, nights);
    tell(JSON.stringify({ seed, ...counts, faults: Object.fromEntries(faults.counts) }, undefined, 2));
    expect(found).toEqual({ unexplained: [], twice: [], overlapping: [], tokens: [], damaged: [], deaths: [] });
    expect(counts.succeeded).toBeGreaterThan(0);
  },
);

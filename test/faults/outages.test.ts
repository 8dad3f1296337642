import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hourMs } from '../../src/durations.ts';
import { exchangeNow } from '../../src/flows/custody/obtain-access.ts';
import { replaySpool } from '../../src/flows/custody/spool-answer.ts';
import { type FaultFixture, openFaultFixture } from '../support/harness/faults.ts';
import { type Around, intercept, type Step } from './intercept.ts';
import { expectNoSecret } from './secrets.ts';

/** What breaks: from which step on, for how many of them, and whether it had its effect before it broke. */
interface Outage {
  at: Step['at'];
  from: number;
  times: number;
  effect: 'none' | 'done';
}

/** Breaks the steps that the outage names; the others go well. */
function broken({ at, from, times, effect }: Outage): Around {
  let count = -1;
  return async (step, call) => {
    if (step.at !== at) return call();
    count += 1;
    if (count < from || count >= from + times) return call();
    if (effect === 'done') await call();
    throw new Error(at === 'disk' ? 'ENOSPC: no space left on device' : 'Connection terminated unexpectedly');
  };
}

let world: FaultFixture;
let grantId: string;
const errors: unknown[] = [];
beforeAll(async () => {
  world = await openFaultFixture({ reuse: 0, count: 1 });
  const [person] = world.people;
  if (!person) throw new Error('Nobody is there.');
  grantId = await world.consent(person);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Exchanges while things break, heals, and exchanges once more with everything in order. */
async function live(...outages: [Outage, ...Outage[]]): Promise<void> {
  const all = outages.map(broken).reduce(
    (outer, inner): Around =>
      (step, call) =>
        outer(step, () => inner(step, call)),
  );
  const custody = intercept(world.enter('unlucky'), all);
  await exchangeNow(custody, grantId).catch((error: unknown) => errors.push(error));
  await replaySpool(world.fixture.resources);
  world.pass(hourMs);
  await exchangeNow(world.enter('healthy'), grantId);
}

describe('with strict rotation, the grant lives on whatever breaks during an exchange:', () => {
  const effects = ['none', 'done'] as const;
  const lengths = [1, 2, 5, 200];
  const database = [0, 1, 2].flatMap((from) =>
    lengths.flatMap((times) => effects.map((effect): Outage => ({ at: 'database', from, times, effect }))),
  );
  const disk = [0, 1, 2].flatMap((from) => effects.map((effect): Outage => ({ at: 'disk', from, times: 200, effect })));

  test.each(database)('the database, $times times from statement $from on, effect $effect', async (outage) => {
    await live(outage);
  });

  test.each(disk)('the disk, from write $from on, effect $effect', async (outage) => {
    await live(outage);
  });

  test.each(database.filter(({ times }) => times < 200))(
    'both: the disk takes nothing, and the database fails $times times from statement $from on, effect $effect',
    async (outage) => {
      await live(outage, { at: 'disk', from: 0, times: 200, effect: 'none' });
    },
  );

  test('and nothing of it was wrong, or told a secret', async () => {
    const grant = await world.fixture.resources.database.grant.findUniqueOrThrow({ where: { id: grantId } });
    expect(grant).toMatchObject({ state: 'active', reason: null });
    expect(world.provider.log.overlaps()).toEqual([]);
    expect(world.provider.log.repeats()).toEqual([]);
    expect(errors.length).toBeGreaterThan(10);
    await expectNoSecret(world, errors);
  });
});

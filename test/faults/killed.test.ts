import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endSilentExchanges } from '../../src/database/custody/exchanges.ts';
import { silenceMs } from '../../src/database/custody/leases.ts';
import { hourMs } from '../../src/durations.ts';
import { keepAlive } from '../../src/flows/custody/keep-alive.ts';
import { replaySpool } from '../../src/flows/custody/spool-answer.ts';
import { type FaultFixture, openFaultFixture } from '../support/harness/faults.ts';
import { expectNoSecret } from './secrets.ts';

describe.each([
  ['strict rotation', 0],
  ['a token may be used once more', 1],
])('SIGKILL at every moment of an exchange, %s', (_, reuse) => {
  let world: FaultFixture;
  beforeAll(async () => {
    world = await openFaultFixture({ reuse, count: 1 });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** What the child said it did last, and whether it was killed there. */
  async function exchangeInChild(grantId: string, killAt: number): Promise<{ moment: string; killed: boolean }> {
    const { fixture } = world;
    const { config, spool, clock } = fixture.resources;
    const child = fork(join(import.meta.dirname, 'exchanging-child.ts'), { serialization: 'json', silent: true });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (said) => world.lines.push(String(said)));
    const moments: string[] = [];
    child.on('message', (said: { name: string }) => moments.push(said.name));
    child.send({
      grantId,
      databaseUrl: fixture.databaseUrl,
      spool: spool.folder,
      config,
      killAt,
      issuer: fixture.provider.issuer,
      publicUrl: config.publicUrl.href,
      shiftMs: clock.now().getTime() - Date.now(),
    });
    const [code, signal] = await once(child, 'close');
    if (signal === null && code !== 0) throw new Error(world.lines.slice(-5).join('\n'));
    return { moment: moments.at(-1) ?? '', killed: signal === 'SIGKILL' };
  }

  /** The machine comes back: what is on its disk is given to the database, and the sweeps of some hours follow. */
  async function recover(): Promise<void> {
    await replaySpool(world.fixture.resources);
    for (let swept = 0; swept < 8; swept += 1) {
      world.pass(hourMs);
      const at = world.fixture.resources.clock.now();
      const before = new Date(at.getTime() - silenceMs);
      await endSilentExchanges(world.fixture.resources.database, { before, at });
      await world.fixture.resources.database.grant.updateMany({
        where: { state: 'active', reason: null },
        data: { nextExchangeAt: at },
      });
      await keepAlive(world.fixture.resources);
    }
  }

  test('loses no token that had reached the disk or the database, and condemns nobody that lives', async () => {
    const [person] = world.people;
    if (!person) throw new Error('Nobody is there.');
    const { database } = world.fixture.resources;
    const story: [string, string, string | null][] = [];
    for (let killAt = 0; ; killAt += 1) {
      const grantId = await world.consent(person);
      const { moment, killed } = await exchangeInChild(grantId, killAt);
      if (!killed) break;
      await recover();
      const { state, reason } = await database.grant.findUniqueOrThrow({ where: { id: grantId } });
      story.push([moment, state, reason]);
    }
    expect(story.length).toBeGreaterThanOrEqual(8);
    const lost = story.filter(([, state]) => state !== 'active');
    // Two names of one moment: between the answer's arrival and its write there is nothing that could know of it.
    const between = ['after provider exchange', 'before disk keep'].map((moment) => [
      moment,
      'needs_consent',
      'lost_rotation',
    ]);
    expect(lost).toEqual(reuse === 0 ? between : []);
    expect(story.map(([moment]) => moment)).toEqual(
      expect.arrayContaining([
        'after provider exchange',
        'before disk keep',
        'after disk keep',
        'before provider validate',
        'after database $queryRaw',
      ]),
    );
    expect(world.provider.log.overlaps()).toEqual([]);
    expect(world.provider.log.replays()).toEqual([]);
    await expectNoSecret(world, []);
  });
});

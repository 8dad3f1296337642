import { describe, expect, test } from 'vitest';
import { openLevel } from '../../../src/sources/http/level.ts';
import { defaultTransferLimits, openServers } from '../../../src/sources/http/server.ts';
import { type ManualClock, manualClock } from '../../support/fixtures/manual-clock.ts';
import { never } from '../../support/fixtures/open-source.ts';

const timeouts = { connectTimeoutMs: 1000, headersTimeoutMs: 1000, bodyTimeoutMs: 1000 };
const bounds = { least: 16, most: 128 };

/** A server at the end of a network: answers come a round trip later, and it begins so many of them a second. */
interface Simulated {
  roundTripMs: number;
  perSecond: number;
  /** Beyond so many at once it refuses. */
  mostAtOnce?: number;
}

function simulate(server: Simulated) {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const servers = openServers(clock, { ...defaultTransferLimits, requests: bounds });
  let nextAt = 0;
  let underWay = 0;
  const seen = { most: 0 };

  async function answer(): Promise<number> {
    underWay++;
    seen.most = Math.max(seen.most, underWay);
    const status = underWay > (server.mostAtOnce ?? Number.POSITIVE_INFINITY) ? 429 : 200;
    nextAt = Math.max(nextAt, clock.elapsed()) + 1000 / server.perSecond;
    await clock.sleep(nextAt - clock.elapsed() + server.roundTripMs);
    underWay--;
    return status;
  }

  /** A run that always has something to ask, until it is stopped. */
  function begin() {
    const { server: asked, close } = servers.open('http://simulated.example', timeouts);
    const run = { server: asked, answered: 0, refused: 0, isOver: false, close };
    const workers = new Set<Promise<void>>();
    const one = async () => {
      await asked.acquireSlot(never);
      const watch = asked.watch('GET');
      watch.sent();
      const status = await answer();
      watch.answered({ status, headers: {} });
      if (status === 200) run.answered++;
      else run.refused++;
      asked.releaseSlot();
      fill();
    };
    const fill = () => {
      while (!run.isOver && workers.size < asked.atOnce + 8) {
        const worker = one().finally(() => {
          workers.delete(worker);
          fill();
        });
        workers.add(worker);
      }
    };
    fill();
    return run;
  }
  return { begin, pass: (ms: number) => pass(clock, ms), seen, clock };
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed++) {
    await clock.advance(1);
    await new Promise(setImmediate);
  }
}

async function levelAfter(ms: number, server: Simulated): Promise<number> {
  const { begin, pass } = simulate(server);
  const run = begin();
  await pass(ms);
  run.isOver = true;
  return run.server.atOnce;
}

describe('how many requests a server is sent at once', () => {
  test('begins with the least, and fills a slow network within few round trips', async () => {
    expect(await levelAfter(0, { roundTripMs: 80, perSecond: 10_000 })).toBe(16);
    expect(await levelAfter(500, { roundTripMs: 80, perSecond: 10_000 })).toBe(128);
  });

  test('is never beyond the most', async () => {
    const { begin, pass, seen } = simulate({ roundTripMs: 200, perSecond: 100_000 });
    const runs = [begin(), begin()];
    await pass(3_000);
    for (const run of runs) run.isOver = true;
    expect(seen.most).toBe(128);
  });

  test('is what a server can do in the time that answers may take, and no more', async () => {
    const level = await levelAfter(3_000, { roundTripMs: 40, perSecond: 1_000 });
    expect(level).toBeGreaterThanOrEqual(40);
    expect(level).toBeLessThanOrEqual(90);
  });

  test('stays the least where more would only wait', async () => {
    expect(await levelAfter(2_000, { roundTripMs: 5, perSecond: 300 })).toBe(16);
  });

  test('falls when answers come later, and rises again when they do not any more', async () => {
    const server = { roundTripMs: 40, perSecond: 10_000 };
    const { begin, pass } = simulate(server);
    const run = begin();
    await pass(1_000);
    expect(run.server.atOnce).toBe(128);
    server.perSecond = 500;
    await pass(3_000);
    expect(run.server.atOnce).toBeLessThan(50);
    server.perSecond = 10_000;
    await pass(3_000);
    expect(run.server.atOnce).toBe(128);
    run.isOver = true;
  });

  test('does not fall for one late answer among others, nor rise where what there may be is not used', () => {
    const level = openLevel(bounds);
    for (let n = 0; n < 50; n++) level.answered('GET', 20, level.limit);
    const risen = level.limit;
    expect(risen).toBe(66);
    for (let n = 0; n < 50; n++) level.answered('GET', 20, level.limit / 2);
    expect(level.limit).toBe(risen);
    for (let n = 0; n < 50; n++) level.answered('GET', n % 7 === 0 ? 5_000 : 20, level.limit / 2);
    expect(level.limit).toBe(risen);
  });

  test('is told by each kind of request apart', () => {
    const level = openLevel(bounds);
    for (let n = 0; n < 100; n++) {
      level.answered('PROPFIND', 300, level.limit);
      level.answered('GET', 20, level.limit);
    }
    expect(level.limit).toBe(128);
  });
});

describe('a run that is refused', () => {
  test.each([429, 503])(
    'with %i gets half, once for all that were under way, and more again with each answer',
    async (status) => {
      const { server, other, clock } = pair();
      const watches = Array.from({ length: 10 }, () => server.watch('GET'));
      await clock.advance(1);
      for (const watch of watches) watch.answered({ status, headers: {} });
      expect(server.atOnce).toBe(8);
      expect(other.atOnce).toBe(16);
      server.watch('GET').answered({ status, headers: {} });
      expect(server.atOnce).toBe(4);
      for (let n = 0; n < 5; n++) server.watch('GET').answered({ status: 200, headers: {} });
      expect(server.atOnce).toBe(5);
      for (let n = 0; n < 200; n++) server.watch('GET').answered({ status: 200, headers: {} });
      expect(server.atOnce).toBe(16);
    },
  );

  test('or finds no connection gets half as well, and one in any case', async () => {
    const { server, clock } = pair();
    for (let n = 0; n < 10; n++) {
      const watch = server.watch('PROPFIND');
      await clock.advance(1);
      watch.failed();
    }
    expect(server.atOnce).toBe(1);
    await server.acquireSlot(never);
  });

  test('finds out what the server takes', async () => {
    const { begin, pass } = simulate({ roundTripMs: 20, perSecond: 10_000, mostAtOnce: 30 });
    const run = begin();
    await pass(1_000);
    const [answered, refused] = [run.answered, run.refused];
    await pass(4_000);
    run.isOver = true;
    const share = (run.refused - refused) / (run.refused - refused + run.answered - answered);
    expect(share).toBeLessThan(0.02);
    expect(run.answered - answered).toBeGreaterThan((4_000 / 20) * 15);
  });
});

describe('runs that share a server', () => {
  test('have equal parts soon, also where one had everything before', async () => {
    const { begin, pass } = simulate({ roundTripMs: 80, perSecond: 10_000 });
    const first = begin();
    await pass(1_000);
    const second = begin();
    await pass(500);
    const before = [first.answered, second.answered] as const;
    await pass(2_000);
    const [one, other] = [first.answered - before[0], second.answered - before[1]];
    for (const run of [first, second]) run.isOver = true;
    expect(other / one).toBeGreaterThan(0.9);
    expect(other / one).toBeLessThan(1.1);
  });

  test('leave what one does not need to the other', async () => {
    const { begin, pass } = simulate({ roundTripMs: 80, perSecond: 10_000 });
    const [first, second] = [begin(), begin()];
    await pass(1_000);
    second.isOver = true;
    await pass(500);
    const before = first.answered;
    await pass(800);
    first.isOver = true;
    expect(first.answered - before).toBeGreaterThan(9 * 128);
  });

  test('have the slot of one that rests', async () => {
    const { server, other, clock } = pair(1);
    await server.acquireSlot(never);
    const rested = server.rest(500, never);
    await other.acquireSlot(never);
    expect(server.atOnce).toBe(2);
    let isRested = false;
    const ended = rested.then(() => {
      isRested = true;
    });
    await pass(clock, 600);
    expect(isRested).toBe(false);
    other.releaseSlot();
    await ended;
  });
});

/** Two runs at one server. */
function pair(most = 16) {
  const clock = manualClock('2026-11-23T01:00:00Z');
  const servers = openServers(clock, { ...defaultTransferLimits, requests: { least: most, most } });
  const open = () => servers.open('http://shared.example', timeouts).server;
  return { server: open(), other: open(), clock };
}

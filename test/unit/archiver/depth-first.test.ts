import { describe, expect, test } from 'vitest';
import { openDepthFirst, type Task } from '../../../src/store/archiver/depth-first.ts';

const tick = () => new Promise(setImmediate);
const task = (run: () => Promise<void>, bytes = 0): Task => ({ bytes, run });
const MiB = 1024 * 1024;

describe('a walk depth first', () => {
  test('finishes what is below before it begins what is beside', async () => {
    const order: string[] = [];
    const walk = openDepthFirst(
      () => 1,
      () => undefined,
    );
    const visit = (path: string): Task =>
      task(async () => {
        await tick();
        order.push(path);
        if (path.length < 3) walk.push([visit(`${path}a`), visit(`${path}b`)].values());
      });
    walk.push([visit('x')].values());
    await walk.ended;
    expect(order).toEqual(['x', 'xa', 'xaa', 'xab', 'xb', 'xba', 'xbb']);
  });

  test('runs as many as it may at that moment, and no more', async () => {
    let most = 5;
    let running = 0;
    const seen: number[] = [];
    const walk = openDepthFirst(
      () => most,
      () => undefined,
    );
    const work = task(async () => {
      running++;
      await tick();
      seen.push(running--);
    });
    walk.push(Array.from({ length: 50 }, () => work).values());
    expect(running).toBe(5);
    most = 2;
    for (let turn = 0; turn < 3; turn++) await tick();
    expect(running).toBe(2);
    most = 9;
    await tick();
    expect(running).toBe(9);
    await walk.ended;
    expect(Math.max(...seen)).toBe(9);
    expect(seen).toHaveLength(50);
  });

  test('holds few long bodies at once and goes on with short ones beside them, of which it holds so many bytes', async () => {
    const held = { long: 0, short: 0 };
    const mostHeld = { long: 0, short: 0 };
    const walk = openDepthFirst(
      () => 100,
      () => undefined,
    );
    const hold = (kind: keyof typeof held, bytes: number) =>
      task(async () => {
        held[kind] += bytes;
        mostHeld[kind] = Math.max(mostHeld[kind], held[kind]);
        await tick();
        held[kind] -= bytes;
      }, bytes);
    walk.push(Array.from({ length: 60 }, () => hold('short', MiB)).values());
    walk.push(Array.from({ length: 20 }, () => hold('long', 10 * MiB)).values());
    await walk.ended;
    expect(mostHeld).toEqual({ long: 40 * MiB, short: 16 * MiB });
  });

  test.each([
    [8, ['short']],
    [9, []],
  ])(
    'passes by only so many folders whose long bodies wait: with %i of them it begins %j',
    async (folders, expected) => {
      const begun: string[] = [];
      let most = 4;
      const walk = openDepthFirst(
        () => most,
        () => undefined,
      );
      const { promise, resolve } = Promise.withResolvers<void>();
      const long = task(() => promise, 2 * MiB);
      walk.push([long, long, long, long, task(async () => void begun.push('short'))].values());
      for (let folder = 0; folder < folders; folder++) walk.push([long].values());
      most = 100;
      walk.push([].values());
      expect(begun).toEqual(expected);
      resolve();
      await walk.ended;
      expect(begun).toEqual(['short']);
    },
  );

  test('runs what was postponed when nothing else is left, and nothing beside it', async () => {
    const order: string[] = [];
    const walk = openDepthFirst(
      () => 3,
      () => undefined,
    );
    const alone = async () => {
      order.push('alone');
      walk.push([task(async () => void order.push('pushed by it'))].values());
      await tick();
      order.push('its end');
    };
    const others = ['one', 'other', 'third', 'fourth'].map((name) =>
      task(async () => {
        await tick();
        order.push(name);
      }),
    );
    walk.push([task(async () => walk.postpone({ bytes: 0, alone: true, run: alone })), ...others].values());
    await walk.ended;
    expect(order).toEqual(['one', 'other', 'third', 'fourth', 'alone', 'its end', 'pushed by it']);
  });

  test('begins nothing after a failure, waits for what runs, and tells the first', async () => {
    const heard: unknown[] = [];
    const ran: number[] = [];
    const walk = openDepthFirst(
      () => 2,
      (error) => heard.push(error),
    );
    const slow = task(async () => {
      for (let n = 0; n < 5; n++) await tick();
      ran.push(1);
      throw new Error('later');
    });
    const failing = task(async () => {
      throw new Error('first');
    });
    walk.push([slow, failing, task(async () => void ran.push(2))].values());
    await expect(walk.ended).rejects.toThrow('first');
    expect(ran).toEqual([1]);
    expect(heard).toHaveLength(1);
  });

  test('makes tasks only as their turn comes', async () => {
    let made = 0;
    function* tasks(): Generator<Task, undefined> {
      for (; made < 100; made++) yield task(tick);
      return undefined;
    }
    const walk = openDepthFirst(
      () => 3,
      () => undefined,
    );
    walk.push(tasks());
    expect(made).toBeLessThanOrEqual(4);
    await walk.ended;
    expect(made).toBe(100);
  });
});

import { describe, expect, test } from 'vitest';
import { openDepthFirst, type Task } from '../../../src/store/archiver/depth-first.ts';

const tick = () => new Promise(setImmediate);
const task = (run: () => Promise<void>, slots = 1): Task => ({ slots, run });

describe('a walk depth first', () => {
  test('finishes what is below before it begins what is beside', async () => {
    const order: string[] = [];
    const walk = openDepthFirst(1, () => undefined);
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

  test('fills its slots and takes no more, whatever a task needs of them', async () => {
    let taken = 0;
    let most = 0;
    const walk = openDepthFirst(8, () => undefined);
    const hold = (slots: number) =>
      task(async () => {
        taken += slots;
        most = Math.max(most, taken);
        await tick();
        taken -= slots;
      }, slots);
    walk.push(Array.from({ length: 50 }, (_, n) => hold(n % 3 === 0 ? 4 : 1)).values());
    await walk.ended;
    expect(most).toBeLessThanOrEqual(8);
    expect(most).toBeGreaterThan(5);
  });

  test('lets a task run that needs more slots than there are', async () => {
    const ran: string[] = [];
    const walk = openDepthFirst(2, () => undefined);
    walk.push([task(async () => void ran.push('large'), 5)].values());
    await walk.ended;
    expect(ran).toEqual(['large']);
  });

  test('begins nothing after a failure, waits for what runs, and tells the first', async () => {
    const heard: unknown[] = [];
    const ran: number[] = [];
    const walk = openDepthFirst(2, (error) => heard.push(error));
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
    const walk = openDepthFirst(3, () => undefined);
    walk.push(tasks());
    expect(made).toBeLessThanOrEqual(4);
    await walk.ended;
    expect(made).toBe(100);
  });
});

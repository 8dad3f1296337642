import { describe, expect, it } from 'vitest';
import { type Holdable, openHolder } from '../../../src/domain/holder.ts';
import { manualClock } from '../../support/fixtures/manual-clock.ts';

const limits = { mostBytes: 100, renewMs: 10, idleMs: 1000, longestMs: 5000 };

function opened(options: { bytes?: number; renew?: () => Promise<boolean> } = {}) {
  const clock = manualClock('2026-03-01T00:00:00Z');
  const holder = openHolder<Holdable & { number: number }>(clock, limits);
  let count = 0;
  const open = async () => {
    count += 1;
    return { number: count, renew: options.renew ?? (async () => true), weight: () => options.bytes ?? 10 };
  };
  return { clock, holder, open, count: () => count };
}

describe('a holder', () => {
  it('shares one opening among all who ask at once, and holds it for those who come later', async () => {
    const { holder, open, count } = opened();
    const all = await Promise.all(Array.from({ length: 20 }, () => holder.hold('alice', '1', open)));
    await holder.hold('alice', '1', open);
    expect([new Set(all).size, count()]).toEqual([1, 1]);
  });

  it('gives nobody what is held for another owner', async () => {
    const { holder, open } = opened();
    const [alice, bob] = [await holder.hold('alice', '1', open), await holder.hold('bob', '1', open)];
    expect(alice).not.toBe(bob);
  });

  it('opens again for another generation, and after it was dropped', async () => {
    const { holder, open, count } = opened();
    await holder.hold('alice', '1', open);
    await holder.hold('alice', '2', open);
    holder.drop('alice');
    await holder.hold('alice', '2', open);
    expect([count(), holder.size]).toEqual([3, 1]);
  });

  it('renews now and then, not each time', async () => {
    let renewed = 0;
    const renew = async () => {
      renewed += 1;
      return true;
    };
    const { clock, holder, open } = opened({ renew });
    for (let times = 0; times < 10; times++) {
      await holder.hold('alice', '1', open);
      await clock.advance(3);
    }
    expect(renewed).toBe(3);
  });

  it('drops by itself what nobody uses', async () => {
    const { clock, holder, open } = opened();
    await holder.hold('alice', '1', open);
    await clock.advance(999);
    expect(holder.size).toBe(1);
    await clock.advance(300);
    expect(holder.size).toBe(0);
  });

  it('drops after the longest time what is used all the time', async () => {
    const { clock, holder, open, count } = opened();
    for (let times = 0; times < 12; times++) {
      await holder.hold('alice', '1', open);
      await clock.advance(500);
    }
    expect(count()).toBe(2);
  });

  it('drops what was used least recently when all weighs too much, be it the only one', async () => {
    const { holder, open } = opened({ bytes: 40 });
    for (const owner of ['alice', 'bob', 'alice', 'carol']) await holder.hold(owner, '1', open);
    expect(holder.size).toBe(2);
    expect((await holder.hold('alice', '1', open)).number).toBe(1);
    const heavy = opened({ bytes: 101 });
    expect((await heavy.holder.hold('alice', '1', heavy.open)).number).toBe(1);
    expect(heavy.holder.size).toBe(0);
  });

  it('opens again what cannot be renewed, and gives up where that does not help', async () => {
    const answers = [false, true];
    const { clock, holder, open, count } = opened({ renew: async () => answers.shift() ?? false });
    expect((await holder.hold('alice', '1', open)).number).toBe(2);
    await clock.advance(limits.renewMs);
    await expect(holder.hold('alice', '1', open)).rejects.toMatchObject({ code: 'store/unavailable' });
    expect([count(), holder.size]).toEqual([4, 0]);
  });

  it('holds nothing that failed to open, or to be renewed', async () => {
    const { holder, open } = opened();
    await expect(holder.hold('alice', '1', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(holder.size).toBe(0);
    expect((await holder.hold('alice', '1', open)).number).toBe(1);
  });

  it('lets go of everything when it is closed', async () => {
    const { clock, holder, open } = opened();
    await holder.hold('alice', '1', open);
    holder[Symbol.dispose]();
    expect(holder.size).toBe(0);
    await clock.advance(limits.idleMs);
  });
});

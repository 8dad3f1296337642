import type { Clock } from '../../src/clock.ts';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves on by `ms`: sleepers wake and ticks are run, in order, each awaited. */
  advance(ms: number): Promise<void>;
}

interface Timer {
  due: number;
  readonly every?: number;
  readonly run: () => unknown;
}

/** A clock for tests. With `sleepAtOnce`, sleeping moves the clock by itself. */
export function manualClock(start: string, options: { sleepAtOnce?: boolean } = {}): ManualClock {
  let now = Date.parse(start);
  const timers = new Set<Timer>();
  const nextUntil = (end: number) => [...timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];

  async function advance(ms: number): Promise<void> {
    const end = now + ms;
    for (let timer = nextUntil(end); timer !== undefined; timer = nextUntil(end)) {
      now = Math.max(now, timer.due);
      if (timer.every === undefined) timers.delete(timer);
      else timer.due += timer.every;
      await timer.run();
    }
    now = end;
  }

  return {
    advance,
    now: () => new Date(now),
    elapsed: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      if (options.sleepAtOnce) return advance(ms);
      await new Promise<void>((resolve, reject) => {
        const timer = { due: now + ms, run: resolve };
        timers.add(timer);
        signal?.addEventListener('abort', () => {
          timers.delete(timer);
          reject(signal.reason);
        });
      });
    },
    every: (ms, run) => {
      const timer = { due: now + ms, every: ms, run };
      timers.add(timer);
      return { [Symbol.dispose]: () => timers.delete(timer) };
    },
  };
}

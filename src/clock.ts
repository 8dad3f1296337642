import { setTimeout as sleepFor } from 'node:timers/promises';
import { untilAborted } from './abort.ts';

/** The only door to time. Everything that asks for the time or waits takes one of these. */
export interface Clock {
  now(): Date;
  /** Milliseconds that only ever go up; for durations. */
  elapsed(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `task` every `ms` until disposed; a call that is still running is not overtaken. */
  every(ms: number, task: () => void | Promise<void>): Disposable;
}

/** The machine's clock, moved by `shiftMs` (read at each call) where somebody steers it. */
export function systemClock(shiftMs: () => number = () => 0): Clock {
  return {
    now: () => new Date(Date.now() + shiftMs()),
    elapsed: () => performance.now(),
    sleep: async (ms, signal) => {
      try {
        await sleepFor(ms, undefined, signal === undefined ? undefined : { signal });
      } catch (error) {
        throw signal?.aborted ? signal.reason : error;
      }
    },
    every: (ms, task) => {
      let running = false;
      const timer = setInterval(async () => {
        if (running) return;
        running = true;
        try {
          await task();
        } finally {
          running = false;
        }
      }, ms);
      timer.unref();
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
  };
}

/**
 * What the work comes to, or a TimeoutError after `ms`: it is not waited for any longer, and its signal is aborted.
 */
export async function within<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = new AbortController();
  const timeIsUp = () => late.abort(new DOMException(`No answer within ${ms} ms.`, 'TimeoutError'));
  clock.sleep(ms, done.signal).then(timeIsUp, () => undefined);
  try {
    return await untilAborted(work(late.signal), late.signal);
  } finally {
    done.abort();
  }
}

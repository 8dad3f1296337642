import { hourMs } from '../durations.ts';

/** A server that asks for a longer pause is asked again after an hour all the same: what it says may be a mistake. */
const longestMs = hourMs;

/** The pause that is made for a Retry-After, both in milliseconds; never below 0. */
export function pauseForRetryAfter(retryAfterMs: number): number {
  return Math.min(Math.max(0, retryAfterMs), longestMs);
}

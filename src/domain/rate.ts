/**
 * How often something may be done: `count` times at once, and again as time passes, `count` times within `spanMs`. All that has to be
 * remembered of it is when all of it may be used again (the generic cell rate algorithm).
 */
export interface Rate {
  readonly count: number;
  readonly spanMs: number;
}

/** How much later all of it may be used again with each use, in milliseconds. */
export function stepOf({ count, spanMs }: Rate): number {
  return spanMs / count;
}

/** How long to wait until it may be used once more, in milliseconds; 0: it may be used now. `fullAt`: when all of it may be; null where it was not used. */
export function waitOf(rate: Rate, { fullAt, at }: { fullAt: Date | null; at: Date }): number {
  if (fullAt === null) return 0;
  return Math.max(0, fullAt.getTime() - latestToUse(rate, at).getTime());
}

/** Whoever may use all of it by then may use it now. */
export function latestToUse(rate: Rate, at: Date): Date {
  return new Date(Math.floor(at.getTime() + rate.spanMs - stepOf(rate)));
}

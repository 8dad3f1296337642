/** Work that outlives the request which began it. */
export interface Background extends AsyncDisposable {
  /** Begins it. Its signal is aborted when the process ends, which then waits for it. It must not throw. */
  begin(work: (signal: AbortSignal) => Promise<void>): void;
}

/** Starts without any work. */
export function openBackground(): Background {
  const closing = new AbortController();
  const underWay = new Set<Promise<void>>();
  return {
    begin: (work) => {
      const done = work(closing.signal).finally(() => underWay.delete(done));
      underWay.add(done);
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.allSettled(underWay);
    },
  };
}

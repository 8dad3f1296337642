/** Calls `task` with the reason once the signal is aborted, at once where it is already; the function returned takes that back. */
export function whenAborted(signal: AbortSignal, task: (reason: unknown) => void): () => void {
  const listener = () => task(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/**
 * Aborts the controller as well, with the same reason, until disposed of. A signal that is looked at many times a second is better made
 * so than by `AbortSignal.any`, which looks at its weakly held sources each time.
 */
export function abortToo(controller: AbortController, signal: AbortSignal): Disposable {
  const ignoreAbort = whenAborted(signal, (reason) => controller.abort(reason));
  return { [Symbol.dispose]: ignoreAbort };
}

/**
 * What the work comes to, or the signal's reason as soon as it is aborted. Aborting stops the wait, not the work: its
 * result is then dropped, and so is its failure.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const ignoreAbort = whenAborted(signal, reject);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    ignoreAbort();
  }
}

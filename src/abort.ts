/** What waits for each signal. One listener serves all of it: a signal looks through its listeners whenever one is added or removed. */
const waitingFor = new WeakMap<AbortSignal, Waiting>();

interface Waiting {
  /** Each is an object of its own, since the same function may wait several times. */
  readonly tasks: Set<{ readonly run: (reason: unknown) => void }>;
  readonly listener: () => void;
}

/** Calls `task` with the reason once the signal is aborted, at once where it is already; the function returned takes that back. */
export function whenAborted(signal: AbortSignal, task: (reason: unknown) => void): () => void {
  if (signal.aborted) {
    task(signal.reason);
    return () => {};
  }
  const { tasks, listener } = waitingFor.get(signal) ?? listenTo(signal);
  const one = { run: task };
  tasks.add(one);
  return () => {
    if (!tasks.delete(one) || tasks.size > 0) return;
    waitingFor.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const tasks: Waiting['tasks'] = new Set();
  const listener = () => {
    for (const { run } of tasks) run(signal.reason);
  };
  signal.addEventListener('abort', listener, { once: true });
  const waiting = { tasks, listener };
  waitingFor.set(signal, waiting);
  return waiting;
}

/**
 * Aborts the controller as well, with the same reason, until disposed of. A signal that is looked at many times a second is better made
 * so than by `AbortSignal.any`, which looks at its weakly held sources each time.
 */
export function abortToo(controller: AbortController, signal: AbortSignal): Disposable {
  const ignoreAbort = whenAborted(signal, (reason) => controller.abort(reason));
  return { [Symbol.dispose]: ignoreAbort };
}

/** Waits until the function that it adds to the line is called; it leaves the line then, or when it is aborted. */
export function waitInLine(line: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const called = () => {
      line.delete(called);
      ignoreAbort();
      resolve();
    };
    line.add(called);
    const ignoreAbort = whenAborted(signal, (reason) => {
      line.delete(called);
      reject(reason);
    });
  });
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

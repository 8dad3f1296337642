export type Task = () => Promise<void>;

/** A bounded number of tasks at a time, newest first. */
export interface DepthFirst {
  /** Tasks are made as their turn comes, so that what waits takes no memory. */
  push(tasks: Iterator<Task>): void;
  /** Ends everything: tasks that run are waited for, the rest is not begun. */
  fail(error: unknown): void;
  /** Resolves when no task is left; rejects with the first failure. */
  readonly ended: Promise<void>;
}

/**
 * Walks a tree without holding its breadth: what a task pushes comes before what was pushed earlier, so that a folder is
 * finished before the next one is begun, while `limit` tasks run side by side.
 */
export function openDepthFirst(limit: number, onFailure: (error: unknown) => void): DepthFirst {
  const stack: Iterator<Task>[] = [];
  const ended = Promise.withResolvers<void>();
  let failure: { error: unknown } | undefined;
  let running = 0;

  function next(): Task | undefined {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { value, done } = top.next();
      if (!done) return value;
      stack.pop();
    }
    return undefined;
  }

  function pump(): void {
    while (failure === undefined && running < limit) {
      const task = next();
      if (task === undefined) break;
      void run(task);
    }
    if (running > 0) return;
    if (failure === undefined) ended.resolve();
    else ended.reject(failure.error);
  }

  async function run(task: Task): Promise<void> {
    running++;
    try {
      await task();
    } catch (error) {
      fail(error);
    }
    running--;
    pump();
  }

  function fail(error: unknown): void {
    if (failure !== undefined) return;
    failure = { error };
    onFailure(error);
    pump();
  }

  return {
    push(tasks) {
      stack.push(tasks);
      pump();
    },
    fail,
    ended: ended.promise,
  };
}

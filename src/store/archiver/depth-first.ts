export interface Task {
  /** How many slots it takes while it runs. */
  readonly slots: number;
  run(): Promise<void>;
}

/** As many tasks at a time as there are slots for, newest first. */
export interface DepthFirst {
  /** Tasks are made as their turn comes, so that what waits takes no memory. */
  push(tasks: Iterator<Task>): void;
  /** Does the task when nothing else is left to do. */
  postpone(task: Task): void;
  /** Ends everything: tasks that run are waited for, the rest is not begun. */
  fail(error: unknown): void;
  /** Resolves when no task is left; rejects with the first failure. */
  readonly ended: Promise<void>;
}

/**
 * Walks a tree without holding its breadth: what a task pushes comes before what was pushed earlier, so that a folder is
 * finished before the next one is begun, while as many run side by side as there are slots.
 */
export function openDepthFirst(slots: number, onFailure: (error: unknown) => void): DepthFirst {
  const stack: Iterator<Task>[] = [];
  const ended = Promise.withResolvers<void>();
  let failure: { error: unknown } | undefined;
  let taken = 0;

  function next(): Task | undefined {
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { value, done } = top.next();
      if (!done) return value;
      stack.pop();
    }
    return undefined;
  }

  /** A task that finds too few free slots waits for them, and so does everything behind it. */
  function pump(): void {
    while (failure === undefined) {
      const task = next();
      if (task === undefined) break;
      if (taken > 0 && taken + task.slots > slots) {
        stack.push([task].values());
        break;
      }
      void run(task);
    }
    if (taken > 0) return;
    if (failure === undefined) ended.resolve();
    else ended.reject(failure.error);
  }

  async function run(task: Task): Promise<void> {
    taken += task.slots;
    try {
      await task.run();
    } catch (error) {
      fail(error);
    }
    taken -= task.slots;
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
    postpone(task) {
      stack.unshift([task].values());
      pump();
    },
    fail,
    ended: ended.promise,
  };
}

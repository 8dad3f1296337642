export interface Task {
  /** The content that it may hold at once while it runs, in bytes. */
  readonly bytes: number;
  /** Nothing else runs beside it. */
  readonly alone?: boolean;
  run(): Promise<void>;
}

/** As many tasks at a time as there may be, newest first. */
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

/** Four long bodies use the whole bandwidth; more would only hold more chunks in memory. */
const mostLong = 4;
/** A body with more bytes is long. */
export const longBytes = 1024 * 1024;
/** Of all bodies together that are not long. */
const mostBytes = 16 * 1024 * 1024;
/** Where long bodies wait for each other, what was pushed earlier gets its turn; but only so much, since that holds the breadth of the tree. */
const mostPassed = 8;

/** Tasks of one folder, with the next one where it was made and waits. */
interface Waiting {
  readonly tasks: Iterator<Task>;
  next?: Task | undefined;
}

/**
 * Walks a tree without holding its breadth: what a task pushes comes before what was pushed earlier, so that a folder is
 * finished before the next one is begun, while as many run side by side as `most` says at that moment.
 */
export function openDepthFirst(most: () => number, onFailure: (error: unknown) => void): DepthFirst {
  const stack: Waiting[] = [];
  const ended = Promise.withResolvers<void>();
  let failure: { error: unknown } | undefined;
  let running = 0;
  let long = 0;
  let bytes = 0;
  let isAlone = false;

  const isLong = (task: Task) => task.bytes > longBytes;

  function mayRun(task: Task): boolean {
    if (task.alone) return running === 0;
    return isLong(task) ? long < mostLong : bytes === 0 || bytes + task.bytes <= mostBytes;
  }

  /** The newest that may run. */
  function next(): Task | undefined {
    let passed = 0;
    for (let at = stack.length - 1; at >= 0 && passed <= mostPassed; at--) {
      const waiting = stack[at] as Waiting;
      waiting.next ??= made(waiting.tasks);
      const task = waiting.next;
      if (task === undefined) stack.splice(at, 1);
      else if (mayRun(task)) {
        waiting.next = undefined;
        return task;
      } else passed++;
    }
    return undefined;
  }

  function pump(): void {
    while (failure === undefined && !isAlone && (running === 0 || running < most())) {
      const task = next();
      if (task === undefined) break;
      void run(task);
    }
    if (running > 0) return;
    if (failure === undefined) ended.resolve();
    else ended.reject(failure.error);
  }

  function count(task: Task, by: 1 | -1): void {
    running += by;
    if (task.alone) isAlone = by === 1;
    if (isLong(task)) long += by;
    else bytes += by * task.bytes;
  }

  async function run(task: Task): Promise<void> {
    count(task, 1);
    try {
      await task.run();
    } catch (error) {
      fail(error);
    }
    count(task, -1);
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
      stack.push({ tasks });
      pump();
    },
    postpone(task) {
      stack.unshift({ tasks: [task].values() });
      pump();
    },
    fail,
    ended: ended.promise,
  };
}

function made(tasks: Iterator<Task>): Task | undefined {
  const { value, done } = tasks.next();
  return done ? undefined : value;
}

const tasksOf = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>();

/**
 * Calls `task` when the signal is aborted; the answer takes it back. One listener a signal serves all its tasks: a run has
 * one signal and many thousand requests.
 */
export function whenAborted(signal: AbortSignal, task: (reason: unknown) => void): () => void {
  const tasks = tasksOf.get(signal) ?? listenOnce(signal);
  tasks.add(task);
  return () => tasks.delete(task);
}

function listenOnce(signal: AbortSignal): Set<(reason: unknown) => void> {
  const tasks = new Set<(reason: unknown) => void>();
  tasksOf.set(signal, tasks);
  signal.addEventListener('abort', () => {
    for (const task of [...tasks]) task(signal.reason);
  });
  return tasks;
}

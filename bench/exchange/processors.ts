import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Half of the processors for the provider, and half for Nightkeep and its database, which in production are different
 * machines. Undefined where this system has no taskset, or one processor only.
 */
export function halves(): { provider: string; ours: string } | undefined {
  const count = availableParallelism();
  const half = Math.floor(count / 2);
  if (half === 0 || !runOn(`0-${count - 1}`)) return undefined;
  return { provider: `0-${half - 1}`, ours: `${half}-${count - 1}` };
}

/** Moves this process, and every child it starts from now on, to these processors. False where that fails. */
export function runOn(processors: string): boolean {
  return spawnSync('taskset', ['-a', '-p', '-c', processors, String(process.pid)]).status === 0;
}

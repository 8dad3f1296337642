import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
import { openSealer } from './sealer.ts';
import type { FromSealer, SealingTask, ToSealer } from './sealing-messages.ts';

/** Starts a sealer somewhere. `hear` gets its messages, later and in order; `fail` what it dies of. */
export type SealingPlace = (
  task: SealingTask,
  hear: (message: FromSealer) => void,
  fail: (error: unknown) => void,
) => StartedSealer;

export interface StartedSealer {
  post(message: ToSealer, ...transfer: ArrayBuffer[]): void;
  stop(): Promise<unknown>;
}

/**
 * Sealing leaves short-lived buffers behind, whose memory comes free only when the small objects that own them are collected.
 * A small young generation is collected often, and costs less time than the large collections that the buffers would cause.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** A thread of its own, for as much as there is. */
export const inThread: SealingPlace = (task, hear, fail) => {
  const env = compileCache();
  const thread = new Worker(new URL('./sealing-thread.ts', import.meta.url), { workerData: task, resourceLimits, env });
  thread.on('message', hear);
  thread.on('error', fail);
  return { post: (message, ...transfer) => thread.postMessage(message, transfer), stop: () => thread.terminate() };
};

/** This very thread, for little: it has nothing to start, but nothing else goes on meanwhile. */
export const here: SealingPlace = (task, hear, fail) => {
  let stopped = false;
  const sealer = openSealer(task, (message) => stopped || hear(message));
  sealer.catch(fail);
  return {
    post: (message) => void sealer.then((take) => stopped || take(message)).catch(fail),
    stop: async () => {
      stopped = true;
    },
  };
};

/** What this process has compiled is not compiled again: that takes 30 MiB and half a second. Settings are not a thread's concern. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

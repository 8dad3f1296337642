import { getCompileCacheDir } from 'node:module';
import { Worker } from 'node:worker_threads';
import { openSealer } from './sealer.ts';
import type { FromSealer, SealingTask, ToSealer } from './sealing-messages.ts';

/** Starts a sealer. `receive` gets its messages, later and in order; `fail` the error that ends it. */
export type StartSealer = (
  task: SealingTask,
  receive: (message: FromSealer) => void,
  fail: (error: unknown) => void,
) => StartedSealer;

export interface StartedSealer {
  post(message: ToSealer, ...transfer: ArrayBuffer[]): void;
  stop(): Promise<unknown>;
}

/**
 * Sealing leaves short-lived buffers behind, whose memory is freed only when the small objects that own them are collected.
 * A small young generation is collected often, which costs less time than the large collections that the buffers would cause.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** In a thread of its own, for any amount of content. */
export const startInThread: StartSealer = (task, receive, fail) => {
  const env = compileCache();
  const thread = new Worker(new URL('./sealing-thread.ts', import.meta.url), { workerData: task, resourceLimits, env });
  thread.on('message', receive);
  thread.on('error', fail);
  return { post: (message, ...transfer) => thread.postMessage(message, transfer), stop: () => thread.terminate() };
};

/** In the calling thread, for little content: there is nothing to start, but the thread does nothing else meanwhile. */
export const startInline: StartSealer = (task, receive, fail) => {
  let stopped = false;
  const sealer = openSealer(task, (message) => stopped || receive(message));
  sealer.catch(fail);
  return {
    post: (message) => void sealer.then((take) => stopped || take(message)).catch(fail),
    stop: async () => {
      stopped = true;
    },
  };
};

/** What this process has compiled is not compiled again, which would take 30 MiB and half a second. The thread gets no settings. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

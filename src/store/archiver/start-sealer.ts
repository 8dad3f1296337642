import { startThread } from '../../thread.ts';
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

/** In a thread of its own, for any amount of content. */
export const startInThread: StartSealer = (task, receive, fail) => {
  const thread = startThread(new URL('./sealing-thread.ts', import.meta.url), task);
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

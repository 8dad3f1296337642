/** The thread in which sealed blobs become files. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Answer, doTask, type Task } from './write-batch.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
port.on('message', (task: Task) => {
  const outcomes = doTask(workerData, task);
  const memory = task.kind === 'write' ? task.bytes?.buffer : undefined;
  port.postMessage({ outcomes, memory } satisfies Answer, memory === undefined ? [] : [memory]);
  // Freed now, what the work left behind, and not when much of it has gathered.
  globalThis.gc?.({ type: 'minor' });
});

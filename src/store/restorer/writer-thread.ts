/** The thread in which sealed blobs become files. */
import { parentPort, workerData } from 'node:worker_threads';
import { doTask, type Task } from './write-batch.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
port.on('message', (task: Task) => {
  port.postMessage(doTask(workerData, task));
  // Freed now, with what the work left behind, and not when much of it has gathered.
  if (task.kind === 'write') task.bytes?.buffer.transfer(0);
  globalThis.gc?.({ type: 'minor' });
});

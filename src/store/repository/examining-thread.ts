/** The thread in which packs are examined. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ExaminingTask, examinePack } from './check-pack.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
port.on('message', ({ pack, bytes }: ExaminingTask) => {
  port.postMessage(examinePack(workerData, pack, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  // Freed now, with what the work left behind, and not when much of it has gathered.
  bytes.buffer.transfer(0);
  globalThis.gc?.({ type: 'minor' });
});

/** The thread in which packs are examined. */
import { parentPort, workerData } from 'node:worker_threads';
import { openingBuffers } from '../format/blob.ts';
import { type ExaminingAnswer, type ExaminingTask, examinePack } from './check-pack.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
const buffers = openingBuffers();
port.on('message', ({ pack, bytes }: ExaminingTask) => {
  const findings = examinePack(workerData, pack, bytes, buffers);
  port.postMessage({ findings, memory: bytes.buffer } satisfies ExaminingAnswer, [bytes.buffer]);
  // Freed now, what the work left behind, and not when much of it has gathered.
  globalThis.gc?.({ type: 'minor' });
});

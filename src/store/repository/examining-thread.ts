/** The thread in which packs are examined. */
import { parentPort, workerData } from 'node:worker_threads';
import { openingBuffers } from '../format/blob.ts';
import { type ExaminingAnswer, type ExaminingTask, examineHere } from './check-pack.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
const buffers = openingBuffers();
const underWay = new Map<number, ReturnType<typeof examineHere>>();
port.on('message', ({ number, begin, bytes }: ExaminingTask) => {
  if (begin !== undefined) underWay.set(number, examineHere(workerData, begin.pack, { ...begin, buffers }));
  const examination = underWay.get(number);
  if (bytes === undefined) {
    underWay.delete(number);
    port.postMessage({ findings: examination?.end() ?? [] } satisfies ExaminingAnswer);
    return;
  }
  examination?.add(bytes);
  port.postMessage({ memory: bytes.buffer } satisfies ExaminingAnswer, [bytes.buffer]);
});

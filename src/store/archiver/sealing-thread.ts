/** The thread in which content becomes sealed packs. */
import { parentPort, workerData } from 'node:worker_threads';
import { processorMsOfThread } from '../../thread-time.ts';
import { openSealer } from './sealer.ts';
import type { FromSealer } from './sealing-messages.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
let told = processorMsOfThread();

/** With what it took. */
function priced(message: FromSealer): FromSealer {
  if (message.kind !== 'sealed') return message;
  const before = told;
  told = processorMsOfThread();
  return { ...message, processorMs: told - before };
}

port.on('message', await openSealer(workerData, (message, ...transfer) => port.postMessage(priced(message), transfer)));

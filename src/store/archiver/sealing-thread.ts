/** The thread in which content becomes sealed packs. */
import { parentPort, workerData } from 'node:worker_threads';
import { openSealer } from './sealer.ts';

const port = parentPort;
if (port === null) throw new Error('This is the body of a thread.');
port.on('message', await openSealer(workerData, (message, ...transfer) => port.postMessage(message, transfer)));

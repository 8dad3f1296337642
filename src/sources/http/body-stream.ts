import { openGatheredBytes } from '../../gathered-bytes.ts';
import type { Flow, Receiver } from './request.ts';

/** A body on its way. */
export interface BodyStream {
  /** The chunks, once, in order; leaving the loop early ends the request. */
  read(): AsyncGenerator<Uint8Array, void, undefined>;
  stop(): void;
}

/** Bytes that may wait for the reader before the flow is paused. */
const highWater = 512 * 1024;

/** Receives a body at the pace of its reader, who gets the error that ended it after what had arrived. */
export function bodyStream(flow: Flow, onBytes: (count: number) => void): Receiver<BodyStream> {
  const waiting = openGatheredBytes();
  let queued = 0;
  let ended = false;
  let failure: Error | undefined;
  let wake = () => {};

  const stop = () => {
    waiting.take();
    if (!ended && !failure) flow.stop(new Error('The reader stopped.'));
  };
  const more = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
      flow.resume();
    });
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunks = waiting.take();
        for (const chunk of chunks) {
          queued -= chunk.length;
          yield chunk;
        }
        if (chunks.length > 0) continue;
        if (failure) throw failure;
        else if (ended) return;
        else await more();
      }
    } finally {
      stop();
    }
  }

  const stream = { read, stop };
  const data = (chunk: Buffer) => {
    onBytes(chunk.length);
    waiting.add(chunk);
    queued += chunk.length;
    if (queued >= highWater) flow.pause();
    wake();
  };
  const end = () => {
    ended = true;
    wake();
    return stream;
  };
  const fail = (error: Error) => {
    failure = error;
    wake();
  };
  return { early: stream, data, end, fail };
}

import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { isAppError } from '../errors.ts';
import type { Log } from '../log.ts';

/**
 * The body of an answer that is read while it is sent. Where it cannot be read on, the connection is broken off, so that nobody takes a
 * part for the whole, and the log says why.
 */
export function breakingOff(c: Context, log: Log, bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const { outgoing }: Partial<HttpBindings> = c.env ?? {};
  async function* guarded(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of bytes) yield* inPieces(chunk);
    } catch (error) {
      if (outgoing === undefined || c.req.raw.signal.aborted) throw error;
      (isAppError(error) ? log.warn : log.error)('download.broken-off', { error });
      // To HTTP/1.0, as proxies often speak it, a connection that ends is a body that is whole.
      outgoing.socket?.resetAndDestroy();
      outgoing.destroy();
    }
  }
  return ReadableStream.from(guarded());
}

const pieceBytes = 64 * 1024;

/** Small enough that progress can be seen on the connection however slow its client is. */
function* inPieces(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.length; at += pieceBytes) yield chunk.subarray(at, at + pieceBytes);
}

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
      yield* bytes;
    } catch (error) {
      if (!isAppError(error) || outgoing === undefined) throw error;
      log.warn('download.broken-off', { error });
      outgoing.destroy();
    }
  }
  return ReadableStream.from(guarded());
}

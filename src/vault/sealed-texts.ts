import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '../errors.ts';
import type { Keyring } from './keyring.ts';
import { purposes } from './purposes.ts';
import { seal, unseal } from './seal.ts';

const magic = 'nightkeep state 1';
const headerBytes = magic.length + 1 + 36 + 1;
/** A part has some hundred rows; a length beyond that is no part of an export. */
const mostBytes = 256 * 1024 * 1024;

/** Takes bytes, in the order in which they are to be read again. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

export interface SealedWriter {
  write(text: string): Promise<void>;
}

/**
 * Hands texts to a sink, each sealed and bound to this export and to its number, so that none may be left out, repeated or put elsewhere.
 * Bytes of one text are handed on together.
 */
export async function sealTexts(
  keyring: Keyring,
  sink: Sink,
  work: (writer: SealedWriter) => Promise<void>,
): Promise<void> {
  const id = randomUUID();
  await sink(Buffer.from(`${magic} ${id}\n`));
  let number = 0;
  await work({
    write: async (text) => {
      const { sealed } = seal(keyring, purposes.exportedState(id, number), gzipSync(text));
      number += 1;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(sealed.length);
      await sink(Buffer.concat([length, sealed]));
    },
  });
}

/**
 * Reads these texts again, in their order. Throws `request/invalid` for what is no export, `seal/unknown-key` for another keyring, and
 * `seal/broken` where it was altered. That none is missing at the end is for the reader to see.
 */
export async function* unsealTexts(keyring: Keyring, chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    yield* unsealFrom(keyring, openReader(iterator));
  } finally {
    // What is open behind it is closed, also where it is not read to its end.
    await iterator.return?.();
  }
}

async function* unsealFrom(keyring: Keyring, read: ReturnType<typeof openReader>): AsyncGenerator<string> {
  const [, id] = /^nightkeep state 1 ([0-9a-f-]{36})\n$/.exec((await read(headerBytes))?.toString() ?? '') ?? [];
  if (id === undefined)
    throw new AppError(
      'request/invalid',
      'This is not an export of Nightkeep. Name a file that nightkeep export wrote, or one of nightkeep import --list.',
    );
  for (let number = 0; ; number += 1) {
    const length = (await read(4))?.readUInt32BE();
    if (length === undefined) return;
    const sealed = length > mostBytes ? undefined : await read(length);
    if (sealed === undefined) throw cutOff();
    yield gunzipSync(unseal(keyring, purposes.exportedState(id, number), sealed)).toString();
  }
}

/** An export that ends before its end. */
export function cutOff(): AppError {
  return new AppError('request/invalid', 'The export is cut off, so nothing was imported. Take another copy of it.');
}

/** Reads so many bytes; undefined where there are not as many left. */
function openReader(chunks: AsyncIterator<Buffer>): (length: number) => Promise<Buffer | undefined> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  return async (length) => {
    while (heldBytes < length) {
      const { value, done } = await chunks.next();
      if (done) return undefined;
      held.push(value);
      heldBytes += value.length;
    }
    const [first] = held;
    // The rest of one chunk is not copied again for each text.
    const bytes = first !== undefined && held.length === 1 ? first : Buffer.concat(held);
    held = [bytes.subarray(length)];
    heldBytes = bytes.length - length;
    return bytes.subarray(0, length);
  };
}

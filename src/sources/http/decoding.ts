import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { AppError } from '../../errors.ts';

/** Content codings (RFC 9110, section 8.4.1) that proxies apply although they were asked not to. */
const decoders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const;

export type Coding = keyof typeof decoders;

/** Whether it is a content coding (RFC 9110, section 8.4.1) that can be decoded. */
export function isCoding(name: string): name is Coding {
  return Object.hasOwn(decoders, name);
}

/** Text compresses to a twentieth, tables of zeros to a thousandth: beyond this it is taken for a bomb. */
const mostTimes = 200;
const alwaysAllowed = 16 * 1024 * 1024;

/**
 * The content that was encoded. As much as is listed is decoded however well it compresses; beyond that, or where no size is
 * listed, at most 16 MiB or 200 times of what came. Throws `source/malformed` for more, and for what does not decode to its end.
 */
export async function* decoded(
  body: AsyncIterable<Uint8Array>,
  coding: Coding,
  listedSize = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
  let encodedBytes = 0;
  let bytes = 0;
  let broken: { error: unknown } | undefined;
  async function* counted() {
    try {
      for await (const chunk of body) {
        encodedBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  const decoder = decoders[coding]();
  const feeding = pipeline(Readable.from(counted(), { objectMode: false }), decoder);
  feeding.catch(() => undefined);
  try {
    for await (const chunk of decoder) {
      bytes += chunk.length;
      if (bytes > Math.max(listedSize, alwaysAllowed, encodedBytes * mostTimes)) throw tooLarge();
      yield chunk;
    }
    await feeding;
  } catch (error) {
    if (broken !== undefined) throw broken.error;
    throw error instanceof AppError ? error : undecodable(error);
  } finally {
    decoder.destroy();
    await feeding.catch(() => undefined);
  }
}

function tooLarge(): AppError {
  return new AppError('source/malformed', 'The server sent it in a compressed form that expands without limit.');
}

function undecodable(cause: unknown): AppError {
  return new AppError('source/malformed', 'The server sent it in a compressed form that cannot be decoded.', { cause });
}

import { promisify } from 'node:util';
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib';
import { AppError } from '../../errors.ts';
import { openZstdContext } from './zstd-context.ts';

const params = { [constants.ZSTD_c_compressionLevel]: 3 };
const hello = { plain: Buffer.from('hello hello hello zstd'), frame: zstdCompressSync('hello hello hello zstd') };
const compressor = openZstdContext(() => createZstdCompress({ params }), {
  input: hello.plain,
  isRight: (frame) => zstdDecompressSync(frame).equals(hello.plain),
});
const decompressor = openZstdContext(() => createZstdDecompress(), {
  input: hello.frame,
  isRight: (plain) => hello.plain.equals(plain),
});

/** Input longer than any chunk goes through the documented API, so that contexts and buffers stay small. */
const longestKept = 8 * 1024 * 1024;
let buffer = Buffer.allocUnsafeSlow(256 * 1024);

/** One zstd frame of the bytes. The window of this level stays far below the 8 MiB that every decoder must allow. */
export function compress(bytes: Uint8Array): Buffer {
  const length = bytes.length <= longestKept ? compressor?.run(bytes, bufferOf(boundOf(bytes.length))) : undefined;
  if (length !== undefined) return Buffer.from(buffer.subarray(0, length));
  return zstdCompressSync(bytes, { params, pledgedSrcSize: bytes.length, chunkSize: chunkSizeFor(bytes.length) });
}

const sampled = 256 * 1024;
const sampleLength = 8 * 1024;
const samples = 4;

/** Whether compression is worth trying: in long input, samples show what is compressed already (pictures, films, archives). */
export function mayShrink(bytes: Uint8Array): boolean {
  if (bytes.length < sampled) return true;
  const step = Math.floor((bytes.length - sampleLength) / (samples - 1));
  const taken = Array.from({ length: samples }, (_, n) => bytes.subarray(n * step, n * step + sampleLength));
  const sample = Buffer.concat(taken);
  return compress(sample).length < sample.length;
}

/**
 * The content of zstd frames, of exactly `length` bytes. It is written into `buffer` where that has one byte more,
 * and then valid until the buffer is used again. Throws `repository/damaged`.
 */
export function decompress(frame: Uint8Array, length: number, buffer?: Buffer): Buffer {
  const content = inflate(frame, length, buffer);
  if (content.length !== length) throw damaged();
  return content;
}

/** The same where the length is not known, of `most` bytes at most: a frame of some bytes can stand for gigabytes. Throws `repository/damaged`. */
export function decompressUpTo(frame: Uint8Array, most: number): Buffer {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: most });
  } catch (cause) {
    throw damaged(cause);
  }
}

/** The same in another thread. Throws `repository/damaged`. */
export async function decompressUpToElsewhere(frame: Uint8Array, most: number): Promise<Buffer> {
  return unpack(frame, { maxOutputLength: most }).catch((cause: unknown) => {
    throw damaged(cause);
  });
}

/** The content of exactly `length` bytes, unpacked in another thread. Throws `repository/damaged`. */
export async function decompressElsewhere(frame: Uint8Array, length: number): Promise<Buffer> {
  const content = await unpack(frame, { chunkSize: chunkSizeFor(length), maxOutputLength: Math.max(length, 1) }).catch(
    (cause: unknown) => {
      throw damaged(cause);
    },
  );
  if (content.length !== length) throw damaged();
  return content;
}

const unpack = promisify(zstdDecompress) as (
  frame: Uint8Array,
  options: { chunkSize?: number; maxOutputLength: number },
) => Promise<Buffer>;

function inflate(frame: Uint8Array, length: number, buffer: Buffer | undefined): Buffer {
  try {
    const content = length <= longestKept ? inflateKept(frame, length, buffer) : undefined;
    if (content !== undefined) return content;
    return zstdDecompressSync(frame, { chunkSize: chunkSizeFor(length), maxOutputLength: Math.max(length, 1) });
  } catch (cause) {
    throw damaged(cause);
  }
}

function inflateKept(frame: Uint8Array, length: number, buffer: Buffer | undefined): Buffer | undefined {
  const content = buffer && buffer.length > length ? buffer : Buffer.allocUnsafe(length + 1);
  return decompressor?.run(frame, content, length) === undefined ? undefined : content.subarray(0, length);
}

function bufferOf(length: number): Buffer {
  if (buffer.length < length) buffer = Buffer.allocUnsafeSlow(length);
  return buffer;
}

/** An upper bound for the size of a frame that holds this many bytes. */
function boundOf(length: number): number {
  return length + (length >> 7) + 1024;
}

/** One output buffer for the whole result spares zlib a copy of many small ones; what stays unused of it takes no memory. */
function chunkSizeFor(length: number): number {
  return Math.min(boundOf(length), longestAtOnce);
}

const longestAtOnce = 128 * 1024 * 1024;

function damaged(cause?: unknown): AppError {
  return new AppError('repository/damaged', 'Compressed data in the repository cannot be decompressed.', { cause });
}

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HouseError } from '../../errors.ts';

/** One zstd frame of the bytes. The window of this level stays far below the 8 MiB that every decoder must allow. */
export function compress(bytes: Uint8Array, level = 3): Buffer {
  return zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: bytes.length,
    chunkSize: chunkSizeFor(bytes.length),
  });
}

const sampled = 256 * 1024;
const sampleLength = 8 * 1024;
const samples = 4;

/** Whether compressing is worth a try: of what is long, samples tell what is packed already (pictures, films, archives). */
export function mayShrink(bytes: Uint8Array): boolean {
  if (bytes.length < sampled) return true;
  const step = Math.floor((bytes.length - sampleLength) / (samples - 1));
  const taken = Array.from({ length: samples }, (_, n) => bytes.subarray(n * step, n * step + sampleLength));
  const sample = Buffer.concat(taken);
  return compress(sample, 1).length < sample.length;
}

/** The content of zstd frames, of exactly `length` bytes where one is given. Throws `repository/damaged`. */
export function decompress(frame: Uint8Array, length?: number): Buffer {
  const content = inflate(frame, length);
  if (length !== undefined && content.length !== length) throw damaged();
  return content;
}

function inflate(frame: Uint8Array, length: number | undefined): Buffer {
  try {
    if (length === undefined) return zstdDecompressSync(frame);
    return zstdDecompressSync(frame, { chunkSize: chunkSizeFor(length), maxOutputLength: Math.max(length, 1) });
  } catch (cause) {
    throw damaged(cause);
  }
}

/** One output buffer for the whole result spares zlib a copy of many small ones. */
function chunkSizeFor(length: number): number {
  return Math.max(1024, Math.min(length + (length >> 7) + 64, 16 * 1024 * 1024));
}

function damaged(cause?: unknown): HouseError {
  return new HouseError('repository/damaged', 'Something compressed in the repository does not unpack.', { cause });
}

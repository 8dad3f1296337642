import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { letOthers } from '../../pieces.ts';
import { decrypt, decryptSlices, encrypt, envelopeOverhead, type MasterKey } from './envelope.ts';
import { type BlobIdOf, type BlobType, idOf } from './ids.ts';
import { compress, decompress, decompressElsewhere, mayShrink } from './zstd.ts';

/** A blob as it goes into a pack. */
export interface SealedBlob<Type extends BlobType = BlobType> {
  readonly type: Type;
  readonly id: BlobIdOf<Type>;
  readonly sealed: Buffer;
  /** Bytes before compression; absent when the blob is stored as it is. */
  readonly uncompressedLength?: number;
}

/** Where the sealed bytes of a blob lie in a pack. */
export interface BlobLocation {
  readonly offset: number;
  /** Sealed bytes. */
  readonly length: number;
  readonly uncompressedLength?: number;
}

/** A blob of a known pack. */
export interface PackedBlob extends BlobLocation {
  readonly type: BlobType;
  readonly id: BlobIdOf<BlobType>;
}

const longestBlob = 2 ** 32 - 1 - 64;

/**
 * Compresses and encrypts a blob, and opens the result again before handing it out, so that a fault of the compressor or of
 * the memory is found. `id` may be given where the caller has hashed the bytes already.
 */
export function sealBlob<Type extends BlobType>(
  key: MasterKey,
  type: Type,
  plaintext: Uint8Array,
  id: BlobIdOf<Type> = idOf(plaintext),
): SealedBlob<Type> {
  const blob = sealUnproved(key, type, plaintext, id);
  proveBlob(key, blob, blob.sealed);
  return blob;
}

/**
 * The same for who proves the whole pack afterwards, see `provePack`. Data that does not shrink is stored as it is; trees are always
 * compressed, because prune repacks those that are not. The bytes are in `buffer`, if it is large enough, until the next blob.
 */
export function sealUnproved<Type extends BlobType>(
  key: MasterKey,
  type: Type,
  plaintext: Uint8Array,
  id: BlobIdOf<Type>,
  buffer?: Buffer,
): SealedBlob<Type> {
  if (plaintext.length === 0 || plaintext.length > longestBlob) throw new RangeError('A blob holds 1 byte to 4 GiB.');
  const compressed = type === 'tree' || mayShrink(plaintext) ? compress(plaintext) : plaintext;
  const worth = type === 'tree' || compressed.length < plaintext.length;
  const sealed = encrypt(key, worth ? compressed : plaintext, undefined, buffer);
  return worth ? { type, id, sealed, uncompressedLength: plaintext.length } : { type, id, sealed };
}

/** Throws `repository/damaged` unless the envelope holds the bytes that the id names. */
function proveStored(key: MasterKey, id: BlobIdOf<BlobType>, sealed: Uint8Array): void {
  const hash = createHash('sha256');
  for (const slice of decryptSlices(key, sealed)) hash.update(slice);
  if (hash.digest('hex') !== id) throw otherBytes(id);
}

/** Memory for opening one blob after the other; what was opened is valid until the next one is. */
export interface OpeningBuffers {
  sealed: Buffer;
  plain: Buffer;
}

/** Empty ones; they grow with the largest blob. */
export function openingBuffers(): OpeningBuffers {
  return { sealed: Buffer.alloc(0), plain: Buffer.alloc(0) };
}

/** The plaintext of a blob, proved to be the one that the id names. Throws `repository/damaged`. */
export function openBlob(
  key: MasterKey,
  id: BlobIdOf<BlobType>,
  sealed: Uint8Array,
  uncompressedLength?: number,
  buffers?: OpeningBuffers,
): Buffer {
  if (buffers !== undefined) grow(buffers, sealed.length, uncompressedLength ?? 0);
  const content = decrypt(key, sealed, buffers?.sealed);
  const plaintext =
    uncompressedLength === undefined ? content : decompress(content, uncompressedLength, buffers?.plain);
  if (idOf(plaintext) !== id) throw otherBytes(id);
  return plaintext;
}

/** Blobs of restic and of Nightkeep are shorter; longer ones get memory of their own. */
const longestKept = 8 * 1024 * 1024;

function grow(buffers: OpeningBuffers, sealed: number, plain: number): void {
  if (buffers.sealed.length < sealed && sealed <= longestKept) buffers.sealed = Buffer.allocUnsafeSlow(sealed);
  if (buffers.plain.length <= plain && plain <= longestKept) buffers.plain = Buffer.allocUnsafeSlow(plain + 1);
}

const pieceLength = 1024 * 1024;

/**
 * The same, but a blob that is longer than any chunk, as the tree of a huge folder is, is unpacked in another thread and looked at in pieces. Throws
 * `repository/damaged`.
 */
export async function openBlobInPieces(
  key: MasterKey,
  id: BlobIdOf<BlobType>,
  sealed: Uint8Array,
  uncompressedLength?: number,
): Promise<Buffer> {
  if (Math.max(sealed.length, uncompressedLength ?? 0) <= longestKept)
    return openBlob(key, id, sealed, uncompressedLength);
  const content = Buffer.allocUnsafe(Math.max(0, sealed.length - envelopeOverhead));
  let at = 0;
  for (const slice of decryptSlices(key, sealed)) {
    at += slice.copy(content, at);
    if (at % pieceLength === 0) await letOthers();
  }
  const plaintext = uncompressedLength === undefined ? content : await decompressElsewhere(content, uncompressedLength);
  const hash = createHash('sha256');
  for (let from = 0; from < plaintext.length; from += pieceLength) {
    hash.update(plaintext.subarray(from, from + pieceLength));
    await letOthers();
  }
  if (hash.digest('hex') !== id) throw otherBytes(id);
  return plaintext;
}

/** The same for who needs no more than the proof: what is stored as it is, is not copied. Throws `repository/damaged`. */
export function proveBlob(
  key: MasterKey,
  { id, uncompressedLength }: Pick<PackedBlob, 'id' | 'uncompressedLength'>,
  sealed: Uint8Array,
  buffers?: OpeningBuffers,
): void {
  if (uncompressedLength === undefined) proveStored(key, id, sealed);
  else openBlob(key, id, sealed, uncompressedLength, buffers);
}

function otherBytes(id: BlobIdOf<BlobType>): AppError {
  return new AppError('repository/damaged', `The blob ${id} holds other bytes than its id names.`);
}

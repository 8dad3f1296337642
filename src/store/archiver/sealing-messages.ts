import type { MasterKey } from '../format/envelope.ts';
import type { BlobType, DataId } from '../format/ids.ts';
import type { FinishedPack } from '../format/pack.ts';

/** What a sealer is started with. */
export interface SealingTask {
  readonly masterKey: MasterKey;
  readonly chunkerPolynomial: bigint;
  /** See claimed-blobs.ts; shared by all sealers of a run. */
  readonly claimedBlobs: SharedArrayBuffer;
  /** The module and the memory of `KnownBlobs`. */
  readonly index: { readonly module: string; readonly shared: unknown };
  /** The most bytes to expect, for which memory is reserved; any number if absent. */
  readonly most?: number;
}

/** The next bytes of a stream: the content of an entry, or a tree. */
export interface Piece {
  readonly stream: number;
  readonly type: BlobType;
  readonly length: number;
  /** Whether the stream ends here; abandoned: its blobs are not needed. */
  readonly end: 'open' | 'whole' | 'abandoned';
}

/** Pieces in numbers, three for each: a message copies those at once, and an object name by name. */
export type PieceNumbers = Uint32Array<ArrayBuffer>;

const types = ['data', 'tree'] as const;
const ends = ['open', 'whole', 'abandoned'] as const;

/** Stream, length, and type and end in one: streams are fewer than 2^32, as a run has fewer members. */
export function numbersOf(pieces: readonly Piece[]): PieceNumbers {
  const numbers = new Uint32Array(3 * pieces.length);
  let at = 0;
  for (const { stream, type, length, end } of pieces) {
    numbers[at++] = stream;
    numbers[at++] = length;
    numbers[at++] = types.indexOf(type) * ends.length + ends.indexOf(end);
  }
  return numbers;
}

/** The pieces again. */
export function piecesIn(numbers: PieceNumbers): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < numbers.length; at += 3) {
    const kind = numbers[at + 2] as number;
    const [type, end] = [types[Math.floor(kind / ends.length)], ends[kind % ends.length]];
    if (type === undefined || end === undefined) throw new Error('A piece is of no kind that is known.');
    pieces.push({ stream: numbers[at] as number, type, length: numbers[at + 1] as number, end });
  }
  return pieces;
}

export type ToSealer =
  /** Pieces, one after the other in the buffer; many small entries share one message. */
  | { readonly kind: 'pieces'; readonly buffer: ArrayBuffer; readonly pieces: PieceNumbers }
  /** The buffer of a pack that is on the store, to be used again. */
  | { readonly kind: 'free-pack-buffer'; readonly buffer: ArrayBuffer }
  /** Finish the open packs, so that all pieces until now are in packs that are handed over. */
  | { readonly kind: 'finish' }
  /** Say what has become of an open stream: its blobs, without the first `after`. */
  | { readonly kind: 'tell'; readonly stream: number; readonly after: number };

export type FromSealer =
  /** All pieces of a message are dealt with; its buffer comes back. */
  | {
      readonly kind: 'sealed';
      readonly buffer: ArrayBuffer;
      readonly streams: readonly SealedStream[];
      readonly added: Added;
      /** For how long its thread had a processor since the last such message; absent where it has none of its own. */
      readonly processorMs?: number;
    }
  | { readonly kind: 'pack'; readonly pack: FinishedPack }
  | { readonly kind: 'finished' }
  | { readonly kind: 'told'; readonly sofar: SoFar };

/** A stream of data that has ended, and its blobs. */
export interface SealedStream {
  readonly stream: number;
  readonly content: readonly DataId[];
}

/** What has become of the beginning of a stream. */
export interface SoFar {
  /** The blobs that were asked for. */
  readonly content: readonly DataId[];
  /** Bytes of all its blobs. */
  readonly bytes: number;
}

/** What was new: blobs, their bytes, and the bytes they take in packs. */
export interface Added {
  dataBlobs: number;
  treeBlobs: number;
  bytes: number;
  packedBytes: number;
}

/** Counts of nothing added to the repository yet. */
export function noneAdded(): Added {
  return { dataBlobs: 0, treeBlobs: 0, bytes: 0, packedBytes: 0 };
}

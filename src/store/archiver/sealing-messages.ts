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
  /** So many bytes are expected at most, and memory is taken for them; any number unless given. */
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

export type ToSealer =
  /** Pieces, one after the other in the buffer; many small entries share one message. */
  | { readonly kind: 'pieces'; readonly buffer: ArrayBuffer; readonly pieces: readonly Piece[] }
  /** The buffer of a pack that is on the store, to be used again. */
  | { readonly kind: 'free-pack-buffer'; readonly buffer: ArrayBuffer }
  /** Finish the open packs, so that all pieces until now are in packs that are handed over. */
  | { readonly kind: 'finish' }
  /** Tell what has become of a stream that is open: its blobs but for so many. */
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
  /** Its blobs but for those that were not asked for. */
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

export function noneAdded(): Added {
  return { dataBlobs: 0, treeBlobs: 0, bytes: 0, packedBytes: 0 };
}

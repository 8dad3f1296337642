import type { AppError, ErrorCode } from '../../errors.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { BlobId, BlobType, DataId, TreeId } from '../format/ids.ts';
import type { FinishedPack } from '../format/pack.ts';
import type { Tree } from '../format/tree.ts';

/** What the archiver needs of a source; src/sources/source.ts has the promises. */
export interface ArchivedSource {
  readonly name: string;
  /** What is asked for the roots, for people. */
  readonly address: string;
  readonly isOfMailboxes?: boolean;
  roots(signal: AbortSignal): Promise<readonly ArchivedRoot[]>;
  list(collection: Member, signal: AbortSignal): Promise<Listing>;
  expect?(collection: Member, entries: readonly Member[]): void;
  open(entry: Member, signal: AbortSignal): Promise<Reading>;
  openRest?(entry: Member, from: number, signal: AbortSignal): Promise<Reading | undefined>;
  readonly atOnce?: number;
}

export interface ArchivedRoot {
  readonly name: string;
  readonly address: string;
  readonly collection: Member;
}

export interface Member {
  readonly kind: 'collection' | 'entry';
  readonly name: string;
  readonly location: string;
  readonly size?: number;
  readonly modified?: Date;
  readonly validator?: string;
  readonly identity?: string;
}

export interface Listing {
  readonly members: readonly Member[];
  readonly problems: readonly ListingProblem[];
  readonly isIncomplete?: boolean;
  readonly others?: readonly string[];
  readonly validator?: string;
}

export interface ListingProblem extends Problem {
  readonly name?: string;
}

export interface Problem {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Reading {
  readonly size?: number;
  readonly modified?: Date;
  readonly validator?: string | undefined;
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** What the archiver needs of a repository. */
export interface ArchiveRepository {
  readonly masterKey: MasterKey;
  readonly chunkerPolynomial: bigint;
  readonly index: KnownBlobs;
  /** Throws `repository/damaged`. */
  loadBlob(type: 'data', id: DataId): Promise<Buffer>;
  /** The blobs in the order asked for, a damaged one as an error in its place; what lies together is read together. */
  loadBlobs(
    type: 'data',
    ids: Iterable<DataId>,
  ): AsyncIterable<
    { readonly id: BlobId; readonly bytes: Uint8Array } | { readonly id: BlobId; readonly error: AppError }
  >;
  /** Throws `repository/damaged`. */
  loadTree(id: TreeId): Promise<Tree>;
  /** Resolves when the pack is on the store; its blobs are in the index from then on. */
  savePack(pack: FinishedPack): Promise<void>;
  /** Resolves when index files name every pack that was saved. */
  flush(): Promise<void>;
}

/** The blobs that a repository holds. Functions do not travel to threads, so these open it by themselves. */
export interface KnownBlobs {
  has(type: BlobType, id: BlobId): boolean;
  /** A module that exports `openSharedIndex(shared): { has(type, id): boolean }`. */
  readonly module: string;
  /** Shared memory as it is now, for that function. */
  share(): unknown;
}

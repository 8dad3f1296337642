import type { AppError } from '../../errors.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { BlobId, DataId, TreeId } from '../format/ids.ts';
import type { Tree } from '../format/tree.ts';

/** What reading files needs of a repository. */
export interface ReadableRepository {
  /** Throws `repository/damaged`. */
  loadTree(id: TreeId): Promise<Tree>;
  /** The blobs in the order asked for, each whole or with its error. */
  loadBlobs(
    type: 'data',
    ids: Iterable<DataId>,
  ): AsyncIterable<{ readonly id: BlobId; readonly bytes: Buffer } | { readonly id: BlobId; readonly error: AppError }>;
  /** Where blobs lie; only their lengths matter here. */
  readonly index: {
    find(type: 'data', id: DataId): { readonly length: number; readonly uncompressedLength?: number } | undefined;
  };
}

/** What restoring in the order of the packs needs besides. */
export interface RestorableRepository<Read extends PackRead = PackRead> extends ReadableRepository {
  readonly masterKey: MasterKey;
  /** The reads that bring each of these blobs once; ids that no index knows are left out. */
  planReads(type: 'data', ids: Iterable<DataId>): readonly Read[];
  /** The bytes of a read, still sealed, in `memory` where that is possible; undefined where they cannot be read. */
  readSealed(read: Read, memory?: ArrayBuffer): Promise<Buffer | undefined>;
}

/** A part of a pack, and the blobs in it. */
export interface PackRead {
  readonly offset: number;
  readonly length: number;
  readonly blobs: readonly {
    readonly id: BlobId;
    readonly at: { readonly offset: number; readonly length: number; readonly uncompressedLength?: number };
  }[];
}

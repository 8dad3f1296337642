import type { AppError } from '../../errors.ts';
import type { BlobId, DataId, TreeId } from '../format/ids.ts';
import type { Tree } from '../format/tree.ts';

/** What restoring needs of a repository. */
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

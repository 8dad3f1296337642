import type { BlobId, BlobType, KeyId, PackId, SnapshotId } from '../format/ids.ts';

export type FindingKind =
  | 'file-damaged' // an index or snapshot file that does not open
  | 'pack-missing'
  | 'pack-size'
  | 'pack-damaged' // its content is not what its name or its header says
  | 'pack-mixed'
  | 'blob-missing' // a tree or a file needs a blob that no index knows
  | 'tree-damaged'
  | 'tree-not-canonical'
  | 'snapshot-missing' // of a night that is on record
  | 'key-missing'
  | 'key-damaged';

/** Something wrong with a repository. */
export interface Finding {
  readonly kind: FindingKind;
  /** A hint does not affect what can be restored. */
  readonly severity: 'error' | 'hint';
  /** For people, names the file on the store. */
  readonly message: string;
  readonly packId?: PackId;
  readonly keyId?: KeyId;
  readonly snapshotId?: SnapshotId;
  /** The blobs that cannot be read because of it. */
  readonly blobs?: readonly BlobName[];
  /** The files and folders (ending in '/') that need those blobs, in each snapshot; the first thousand names. */
  readonly files?: readonly AffectedFile[];
  /** How many more findings of this kind there are; this one stands for them all. */
  readonly more?: number;
}

export interface BlobName {
  readonly type: BlobType;
  readonly id: BlobId;
}

export interface AffectedFile {
  readonly snapshot: SnapshotId;
  readonly path: string;
}

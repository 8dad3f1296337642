import { hash } from 'node:crypto';
import { AppError } from '../../errors.ts';

declare const kind: unique symbol;
type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** Names of files and blobs: SHA-256 in lower-case hex, one type for each kind of thing. */
export type DataId = Id<'data'>;
export type TreeId = Id<'tree'>;
export type BlobId = DataId | TreeId;
export type PackId = Id<'pack'>;
export type IndexId = Id<'index'>;
export type SnapshotId = Id<'snapshot'>;
export type KeyId = Id<'key'>;
export type LockId = Id<'lock'>;
export type AnyId = BlobId | PackId | IndexId | SnapshotId | KeyId | LockId;

/** A blob is identified by its type and its id: a data and a tree blob of the same bytes are two blobs. */
export type BlobType = 'data' | 'tree';
export type BlobIdOf<Type extends BlobType> = Type extends 'data' ? DataId : TreeId;

const pattern = /^[0-9a-f]{64}$/;

/** The id that a name or a JSON field holds. Throws `repository/damaged`. */
export function parseId<Kind extends AnyId>(text: unknown): Kind {
  if (typeof text !== 'string' || !pattern.test(text))
    throw new AppError('repository/damaged', 'The repository holds an id that is not one.');
  return text as Kind;
}

/** The id of these bytes: their SHA-256. */
export function idOf<Kind extends AnyId>(bytes: Uint8Array): Kind {
  return hash('sha256', bytes, 'hex') as Kind;
}

import { AppError } from '../../errors.ts';
import { envelopeOverhead } from '../format/envelope.ts';
import type { DataId } from '../format/ids.ts';
import type { FileNode } from '../format/node.ts';
import type { ReadableRepository } from './contract.ts';

/** Bytes `start` to `end`, the end not included. They default to the file's own. */
export interface FileRange {
  readonly start?: number;
  readonly end?: number;
}

/** The content of a file, or a part of it; only the blobs that the range touches are read. Throws `repository/damaged`. */
export async function* readFile(
  repository: ReadableRepository,
  { content, size }: Pick<FileNode, 'content' | 'size'>,
  { start = 0, end = size }: FileRange = {},
): AsyncGenerator<Uint8Array> {
  const pieces = [...piecesOf(repository, content, start, Math.min(end, size))];
  let next = 0;
  for await (const blob of repository.loadBlobs(
    'data',
    pieces.map(({ id }) => id),
  )) {
    if ('error' in blob) throw blob.error;
    const piece = pieces[next++];
    yield blob.bytes.subarray(piece?.from, piece?.to);
  }
}

/** The blobs that the range touches, and which of their bytes. */
function* piecesOf(
  repository: ReadableRepository,
  content: readonly DataId[],
  start: number,
  end: number,
): Generator<{ id: DataId; from: number; to: number }> {
  let at = 0;
  for (const id of content) {
    const length = lengthOf(repository, id);
    const from = Math.max(start - at, 0);
    const to = Math.min(end - at, length);
    if (from < to) yield { id, from, to };
    at += length;
  }
}

/** How many bytes a blob brings. Throws `repository/damaged` where no index knows it. */
export function lengthOf({ index }: Pick<ReadableRepository, 'index'>, id: DataId): number {
  const found = index.find('data', id);
  if (found !== undefined) return found.uncompressedLength ?? found.length - envelopeOverhead;
  throw new AppError('repository/damaged', `The data blob ${id} is in no index of the repository.`, {
    detail: { blobId: id },
  });
}

import type { FileNode, Node } from '../format/node.ts';
import type { ReadableRepository } from '../restorer/contract.ts';

/** How much is read at once: of one file, and of all together. */
export interface SmallLimits {
  readonly bytes: number;
  readonly bytesInAll: number;
}

/** The content of the small files among these, in their order, as far as the limits reach. What is damaged is left out. */
export async function* readSmallFiles(
  repository: Pick<ReadableRepository, 'index' | 'loadBlobs'>,
  nodes: Iterable<Node>,
  { bytes, bytesInAll }: SmallLimits,
): AsyncGenerator<{ readonly node: FileNode; readonly content: Uint8Array }> {
  const wanted: FileNode[] = [];
  let left = bytesInAll;
  for (const node of nodes) {
    const [id, more] = node.type === 'file' ? node.content : [];
    if (node.type !== 'file' || id === undefined || more !== undefined) continue;
    const found = repository.index.find('data', id);
    const length = found?.uncompressedLength ?? found?.length ?? Number.POSITIVE_INFINITY;
    if (length > bytes) continue;
    if (length > left) break;
    left -= length;
    wanted.push(node);
  }
  const blobs = repository.loadBlobs(
    'data',
    wanted.flatMap(({ content }) => content),
  );
  let next = 0;
  for await (const blob of blobs) {
    const node = wanted[next++];
    if (node !== undefined && 'bytes' in blob) yield { node, content: blob.bytes };
  }
}

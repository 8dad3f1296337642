import type { BlobId } from '../format/ids.ts';
import type { FileNode } from '../format/node.ts';
import { attributesOf } from './attributes.ts';
import type { PackRead, RestorableRepository } from './contract.ts';
import { type ExactAttributes, exactAttributesOf } from './exact-attributes.ts';
import { lengthOf } from './read-file.ts';
import {
  type FileInWriting,
  type FileOfTask,
  type Outcome,
  type Place,
  temporaryName,
  type WriteTask,
} from './write-batch.ts';

/** A file of the snapshot; its path is below the target. */
export interface Entry {
  readonly path: string;
  readonly node: FileNode;
}

/** A file in writing, in how many parts it is written, and what went wrong with one. */
export interface Writing extends FileInWriting {
  readonly entry: Entry;
  readonly exact: ExactAttributes | undefined;
  parts: number;
  partsDone: number;
  trouble: Outcome | undefined;
}

/** What is to be read and written, each blob once. */
export interface WritingPlan<Read> {
  readonly parts: readonly Part<Read>[];
  /** The task of a writer for one part. The sealed bytes are given away with it; a part without a read has none. */
  taskOf(part: Part<Read>, bytes?: Uint8Array<ArrayBuffer>): WriteTask;
}

/** One read of a pack and the files that its blobs go to, or files without content. */
interface Part<Read> {
  readonly read: Read | undefined;
  readonly files: readonly Writing[];
}

/** The entry as a file in writing, in the folder of this path. */
export function inWriting(folder: string, entry: Entry): Writing {
  const { path, node } = entry;
  const temporary = besideName(`${folder}/${path}`);
  const file = { path: `${folder}/${path}`, temporary, size: node.size, attributes: attributesOf(node) };
  return { ...file, entry, exact: exactAttributesOf(node, path), parts: 0, partsDone: 0, trouble: undefined };
}

/** A new name in the same folder. */
export function besideName(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1) + temporaryName();
}

const emptyAtOnce = 500;

/** Plans how to write these files. All their blobs must be known. */
export function planWriting<Read extends PackRead>(
  repository: Pick<RestorableRepository<Read>, 'index' | 'planReads'>,
  files: readonly Writing[],
): WritingPlan<Read> {
  const places = new Map<BlobId, { readonly file: Writing; readonly at: number }[]>();
  for (const file of files) {
    const { content } = file.entry.node;
    let at = 0;
    for (const [number, id] of content.entries()) {
      const known = places.get(id);
      if (known === undefined) places.set(id, [{ file, at }]);
      else known.push({ file, at });
      if (number + 1 < content.length) at += lengthOf(repository, id);
    }
  }
  const ids = files.values().flatMap(({ entry }) => entry.node.content);
  const parts: Part<Read>[] = repository.planReads('data', ids).map((read) => {
    const ofRead = new Set<Writing>();
    for (const { id } of read.blobs) for (const { file } of places.get(id) ?? []) ofRead.add(file);
    return { read, files: [...ofRead] };
  });
  const empty = files.filter(({ entry }) => entry.node.content.length === 0);
  for (const batch of batchesOf(empty, emptyAtOnce)) parts.push({ read: undefined, files: batch });
  for (const part of parts) for (const file of part.files) file.parts++;
  return {
    parts,
    taskOf: ({ read, files: ofPart }, bytes) => {
      const numbers = new Map(ofPart.map((file, number) => [file, number]));
      const counts = ofPart.map(() => 0);
      const placeOf = ({ file, at }: { file: Writing; at: number }): Place => {
        const number = numbers.get(file) ?? 0;
        counts[number] = (counts[number] ?? 0) + 1;
        return { file: number, at };
      };
      const blobs = (read?.blobs ?? []).map(({ id, at: { offset, length, uncompressedLength } }) => ({
        id,
        offset: offset - (read?.offset ?? 0),
        length,
        ...(uncompressedLength !== undefined && { uncompressedLength }),
        places: (places.get(id) ?? []).map(placeOf),
      }));
      const toWriter = ({ path, temporary, size, attributes, parts: all }: Writing, number: number): FileOfTask => ({
        path,
        temporary,
        size,
        attributes,
        places: counts[number] ?? 0,
        isWhole: all === 1,
      });
      return { kind: 'write', ...(bytes && { bytes }), blobs, files: ofPart.map(toWriter) };
    },
  };
}

/** The items in batches of this size. */
export function batchesOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}

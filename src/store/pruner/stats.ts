import type { PackedBlob } from '../format/blob.ts';
import { envelopeOverhead } from '../format/envelope.ts';
import type { TreeId } from '../format/ids.ts';
import type { Tree } from '../format/tree.ts';
import type { Repository } from '../repository/repository.ts';
import { findUsedBlobs } from './used-blobs.ts';

/** How much a repository holds, in the terms of `restic stats`; sizes in bytes. */
export interface RepositoryStats {
  readonly snapshots: number;
  /** Files and folders of all snapshots, and how much these would be restored (`--mode restore-size`). */
  readonly files: number;
  readonly restoreSize: number;
  /** Blobs that the snapshots need, each once: before they were compressed, and as they are stored (`--mode raw-data`). */
  readonly blobs: number;
  readonly rawSize: number;
  readonly storedSize: number;
  /** Of the blobs that were compressed, how many times larger they were; 1 where none was. */
  readonly compressionRatio: number;
  /** Stored bytes that no snapshot needs: blobs, further copies, and packs that no index names. */
  readonly unusedSize: number;
  readonly packs: number;
  readonly indexFiles: number;
}

/**
 * Reads every tree once and no data. The caller has just opened the repository, and holds a lock on it. Throws
 * `repository/damaged` where anything that a snapshot needs is missing.
 */
export async function readStats(repository: Repository, signal?: AbortSignal): Promise<RepositoryStats> {
  const { backend, index } = repository;
  const snapshots = await Array.fromAsync(repository.listSnapshots(), ({ snapshot }) => snapshot.tree);
  const indexes = await Array.fromAsync(backend.list('index'));
  await repository.loadIndex();
  const folders = new Map<TreeId, Folder>();
  const noteFolder = (id: TreeId, tree: Tree) => folders.set(id, folderOf(tree));
  const used = await findUsedBlobs(repository, new Set(snapshots), { signal, visit: noteFolder });
  const weightOf = openWeighing(folders);
  const weights = snapshots.map(weightOf);
  const packs = await Array.fromAsync(backend.list('data'));
  const stored = [...index.packs()];
  const needed = new Map<number, PackedBlob>();
  for (const blob of stored.flatMap(({ blobs }) => blobs)) {
    const position = index.position(blob.type, blob.id);
    if (position !== undefined && used.has(blob.type, blob.id) && !needed.has(position)) needed.set(position, blob);
  }
  const compressed = [...needed.values()].filter(({ uncompressedLength }) => uncompressedLength !== undefined);
  const indexed = new Set<string>(stored.map(({ id }) => id));
  const unindexed = packs.filter(({ name }) => !indexed.has(name));
  const storedSize = sum(needed.values(), lengthOf);
  const all = sum(stored, ({ blobs }) => sum(blobs, lengthOf));
  return {
    snapshots: snapshots.length,
    files: sum(weights, ({ files }) => files),
    restoreSize: sum(weights, ({ bytes }) => bytes),
    blobs: used.count,
    rawSize: sum(needed.values(), rawLengthOf),
    storedSize,
    compressionRatio: compressed.length === 0 ? 1 : sum(compressed, rawLengthOf) / sum(compressed, lengthOf),
    unusedSize: all - storedSize + sum(unindexed, ({ size }) => size),
    packs: packs.length,
    indexFiles: indexes.length,
  };
}

/** What lies in a folder itself, and the folders in it. */
interface Folder {
  readonly files: number;
  readonly bytes: number;
  readonly folders: readonly TreeId[];
}

function folderOf({ nodes }: Tree): Folder {
  return {
    files: nodes.length,
    bytes: sum(nodes, (node) => (node.type === 'file' ? node.size : 0)),
    folders: nodes.flatMap((node) => (node.type === 'dir' ? [node.subtree] : [])),
  };
}

/** What a tree holds with all below it. Nights share most of their trees, so each is added up once. */
function openWeighing(folders: ReadonlyMap<TreeId, Folder>) {
  const known = new Map<TreeId, { files: number; bytes: number }>();
  return function weigh(id: TreeId): { files: number; bytes: number } {
    const found = known.get(id);
    if (found !== undefined) return found;
    const own = folders.get(id) ?? { files: 0, bytes: 0, folders: [] };
    const below = own.folders.map(weigh);
    const weight = {
      files: own.files + sum(below, ({ files }) => files),
      bytes: own.bytes + sum(below, ({ bytes }) => bytes),
    };
    known.set(id, weight);
    return weight;
  };
}

function lengthOf({ length }: PackedBlob): number {
  return length;
}

/** As stock counts: with what sealing adds to each. */
function rawLengthOf({ length, uncompressedLength }: PackedBlob): number {
  return uncompressedLength === undefined ? length : uncompressedLength + envelopeOverhead;
}

function sum<Item>(items: Iterable<Item>, of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}

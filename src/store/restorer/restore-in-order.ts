import type { TreeId } from '../format/ids.ts';
import type { DirNode, FileNode, Node } from '../format/node.ts';
import { timestampSeconds } from '../format/timestamp.ts';
import { isSafeName, twinsIn } from '../format/tree.ts';
import type { ReadableRepository } from './contract.ts';
import { type Extent, openExtent } from './extent.ts';
import { findPlace } from './find-place.ts';
import { type ReadFile, readFiles } from './read-files.ts';
import { emptyReport, note, noteTwin, noteUnreadable, noteUnsafeName, type RestoreReport } from './report.ts';

/** A new folder that takes one file after the other, each as a stream. Paths are names below it, as file-name.ts keeps them. */
export interface StreamTarget {
  /** Makes the folder. */
  makeFolder(path: Path): Promise<void>;
  /** Writes a file whole or not at all. What `content` gives is to be read before it is called again, and before the next file. */
  writeFile(path: Path, content: () => AsyncIterable<Uint8Array>, attributes: StreamAttributes): Promise<void>;
  /** Makes a link. */
  makeLink(path: Path): Promise<void>;
  /** How many files may be on their way at once, each from when its content was read; one unless given. */
  readonly atOnce?: number;
}

export type Path = readonly string[];

export interface StreamAttributes {
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

export interface InOrderOptions {
  /** A folder (its content is restored) or another entry of the snapshot. */
  readonly path: string;
  readonly signal?: AbortSignal;
  /** The most files and folders to restore; folders beyond become problems. */
  readonly mostEntries?: number;
  /** Grows while it goes on, and says how far it came where it throws. */
  readonly report?: RestoreReport;
}

/**
 * Writes a part of a snapshot to a target, in the order of the names. What cannot be read or written becomes a problem and the rest
 * goes on. Throws `repository/no-such-path`, and what the store or the target throws when it fails altogether.
 */
export async function restoreInOrder(
  repository: ReadableRepository,
  snapshot: { readonly tree: TreeId },
  target: StreamTarget,
  { path, signal, mostEntries, report = emptyReport() }: InOrderOptions,
): Promise<RestoreReport> {
  const place = await findPlace(repository, snapshot, path);
  const isFolder = place.type === 'root' || place.type === 'dir';
  const extent = openExtent(repository, mostEntries);
  const nodes = isFolder ? await extent.nodesOf(place.subtree, 0) : [place];
  await target.makeFolder([]);
  await restoreNodes({ repository, extent, target, report, signal }, [], nodes);
  return report;
}

interface Restoring {
  readonly repository: ReadableRepository;
  readonly extent: Extent;
  readonly target: StreamTarget;
  readonly report: RestoreReport;
  readonly signal: AbortSignal | undefined;
}

async function restoreNodes(restoring: Restoring, folder: Path, nodes: readonly Node[]): Promise<void> {
  const { problems, skipped } = restoring.report;
  const twins = twinsIn(nodes);
  const safe = nodes.filter((node) => isSafeName(node.name) && !twins.has(node));
  for (const { name } of nodes) if (!isSafeName(name)) noteUnsafeName(problems, [...folder, name].join('/'));
  for (const { name } of twins) if (isSafeName(name)) noteTwin(problems, [...folder, name].join('/'));
  await restoreFiles(
    restoring,
    folder,
    safe.filter((node) => node.type === 'file'),
  );
  for (const node of safe) {
    restoring.signal?.throwIfAborted();
    const path = [...folder, node.name];
    if (node.type === 'dir') await attempt(restoring, path, () => restoreFolder(restoring, path, node));
    else if (node.type === 'symlink') await attempt(restoring, path, () => restoreLink(restoring, path));
    else if (node.type === 'unreadable') noteUnreadable(problems, path.join('/'));
    else if (node.type !== 'file') skipped.push(path.join('/').toWellFormed());
  }
}

async function restoreFiles(restoring: Restoring, folder: Path, files: readonly FileNode[]): Promise<void> {
  const { atOnce = 1 } = restoring.target;
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  for await (const file of readFiles(restoring.repository, files)) {
    restoring.signal?.throwIfAborted();
    const path = [...folder, file.node.name];
    const { content, wasRead } = watched(file.content);
    const writing = attempt(restoring, path, () => restoreFile(restoring, path, { ...file, content }))
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(writing));
    underWay.add(writing);
    await (atOnce > 1 ? Promise.race([wasRead, writing]) : writing);
    if (underWay.size >= atOnce) await Promise.race(underWay);
    // The rest of a long file would be read first, only to be passed over.
    if (failure !== undefined) break;
  }
  await Promise.all(underWay);
  if (failure !== undefined) throw failure.error;
}

/** The content, and when it was read to its end. */
function watched(content: ReadFile['content']) {
  const { promise: wasRead, resolve } = Promise.withResolvers<void>();
  async function* read() {
    try {
      yield* content;
    } finally {
      resolve();
    }
  }
  return { content: read(), wasRead };
}

async function restoreFile(restoring: Restoring, path: Path, { node, content }: ReadFile): Promise<void> {
  const { repository, target, report } = restoring;
  let first: AsyncIterable<Uint8Array> | undefined = content;
  const open = () => {
    const bytes = first ?? readAgain(repository, node);
    first = undefined;
    return bytes;
  };
  await target.writeFile(path, open, { mtime: timestampSeconds(node.mtime), size: node.size });
  report.files++;
  report.bytes += node.size;
}

async function* readAgain(repository: ReadableRepository, node: FileNode): AsyncGenerator<Uint8Array> {
  for await (const { content } of readFiles(repository, [node])) yield* content;
}

async function restoreFolder(restoring: Restoring, path: Path, node: DirNode): Promise<void> {
  const { extent, target, report } = restoring;
  const nodes = await extent.nodesOf(node.subtree, path.length);
  await target.makeFolder(path);
  await restoreNodes(restoring, path, nodes);
  report.folders++;
}

async function restoreLink({ target, report }: Restoring, path: Path): Promise<void> {
  await target.makeLink(path);
  report.links++;
}

async function attempt({ report }: Restoring, path: Path, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => note(report.problems, path.join('/'), error));
}

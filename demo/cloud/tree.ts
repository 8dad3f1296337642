import { createHash } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';

export interface CloudFile {
  readonly kind: 'file';
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly modified: Date;
  /** A strong ETag, of the content alone. */
  readonly etag: string;
}

export interface CloudFolder {
  readonly kind: 'folder';
  readonly id: number;
  readonly children: Map<string, CloudNode>;
  modified: Date;
  /** Cached ETag and size of everything below; undefined after a change. */
  summary: { etag: string; size: number } | undefined;
}

export type CloudNode = CloudFile | CloudFolder;

/** The names from a person's root folder down; the root itself is the empty path. */
export type Path = readonly string[];

/** The files of one person. A folder's ETag covers everything below it, as on Nextcloud. */
export interface CloudTree {
  readonly root: CloudFolder;
  find(path: Path): CloudNode | undefined;
  /** Writes a file and the folders it needs. True where it is new. Throws where a folder of the path is a file. */
  write(path: Path, bytes: Uint8Array, modified?: Date): boolean;
  makeFolder(path: Path, modified?: Date): void;
  /** False where there was nothing. The root cannot be removed. */
  remove(path: Path): boolean;
  /** Every file and folder below the root, parents first. */
  walk(): Generator<{ path: Path; node: CloudNode }>;
}

export function openTree(clock: Clock): CloudTree {
  let lastId = 0;
  const newFolder = (modified: Date): CloudFolder => {
    lastId += 1;
    return { kind: 'folder', id: lastId, children: new Map(), modified, summary: undefined };
  };
  const root = newFolder(clock.now());

  const find = (path: Path): CloudNode | undefined => {
    let node: CloudNode | undefined = root;
    for (const name of path) node = node?.kind === 'folder' ? node.children.get(name) : undefined;
    return node;
  };
  /** The folder at the path, created where missing; drops the cached summaries of all folders on the way. */
  const open = (path: Path, modified: Date): CloudFolder => {
    let folder = root;
    root.summary = undefined;
    for (const name of path) {
      const next: CloudNode = folder.children.get(name) ?? newFolder(modified);
      if (next.kind !== 'folder') throw new Error(`${path.join('/')}: ${name} is a file.`);
      if (!folder.children.has(name)) folder.children.set(name, next);
      next.summary = undefined;
      folder = next;
    }
    return folder;
  };

  return {
    root,
    find,
    write: (path, bytes, modified = clock.now()) => {
      const folder = open(path.slice(0, -1), modified);
      const name = nameOf(path);
      const old = folder.children.get(name);
      if (old?.kind === 'folder') throw new Error(`${path.join('/')} is a folder.`);
      if (!old) lastId += 1;
      folder.children.set(name, { kind: 'file', id: old?.id ?? lastId, bytes, modified, etag: hash(bytes) });
      folder.modified = modified;
      return old === undefined;
    },
    makeFolder: (path, modified = clock.now()) => {
      open(path, modified);
    },
    remove: (path) => {
      if (path.length === 0 || !find(path)) return false;
      const folder = open(path.slice(0, -1), clock.now());
      folder.modified = clock.now();
      return folder.children.delete(nameOf(path));
    },
    walk: () => walk(root, []),
  };
}

/** The ETag of a file or folder, without quotes. */
export function etagOf(node: CloudNode): string {
  return node.kind === 'file' ? node.etag : summaryOf(node).etag;
}

/** Bytes of a file, or of all files below a folder. */
export function sizeOf(node: CloudNode): number {
  return node.kind === 'file' ? node.bytes.byteLength : summaryOf(node).size;
}

function summaryOf(folder: CloudFolder): { etag: string; size: number } {
  folder.summary ??= {
    etag: hash(JSON.stringify([folder.id, ...[...folder.children].map(([name, node]) => [name, etagOf(node)])])),
    size: [...folder.children.values()].reduce((sum, node) => sum + sizeOf(node), 0),
  };
  return folder.summary;
}

function* walk(folder: CloudFolder, above: Path): Generator<{ path: Path; node: CloudNode }> {
  for (const [name, node] of folder.children) {
    const path = [...above, name];
    yield { path, node };
    if (node.kind === 'folder') yield* walk(node, path);
  }
}

function nameOf(path: Path): string {
  const name = path.at(-1);
  if (name === undefined) throw new Error('The root folder cannot be written.');
  return name;
}

const hash = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex').slice(0, 32);

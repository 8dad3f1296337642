import { systemClock } from '../../src/clock.ts';
import type { Backend } from '../../src/store/backend/backend.ts';
import { type PackedBlob, type SealedBlob, sealBlob } from '../../src/store/format/blob.ts';
import type { DataId, SnapshotId, TreeId } from '../../src/store/format/ids.ts';
import type { IndexedPack } from '../../src/store/format/index-file.ts';
import { type FileNode, modeBits, type Node } from '../../src/store/format/node.ts';
import { encodeEntry, encodePackHeader, packIdOf } from '../../src/store/format/pack-header.ts';
import { encodeTree } from '../../src/store/format/tree.ts';
import { initRepository, type Repository } from '../../src/store/repository/repository.ts';

export const cheapScrypt = { N: 1024, r: 8, p: 1 };

/** A new repository whose password costs little to try. */
export function newRepository(backend: Backend, password = 'pw'): Promise<Repository> {
  return initRepository(backend, { password, clock: systemClock(), scrypt: cheapScrypt });
}

/** What a folder holds: bytes (in one or several blobs), folders, or a node made by the test. */
export interface Folder {
  readonly [name: string]: Buffer | readonly Buffer[] | Folder | { readonly node: Node };
}

const time = '2026-01-02T03:04:05.678Z';
const common = { mtime: time, atime: time, ctime: time, uid: 1000, gid: 1000, links: 1 };

/** Writes a snapshot of the folder, without archiver and packer: one pack of data, one of trees. */
export async function writeSnapshot(
  repository: Repository,
  folder: Folder,
): Promise<{ id: SnapshotId; tree: TreeId; packs: IndexedPack[] }> {
  const blobs = new Map<string, SealedBlob>();
  const tree = sealFolder(repository, folder, blobs);
  const packs: IndexedPack[] = [];
  for (const type of ['data', 'tree'] as const) {
    const ofType = [...blobs.values()].filter((blob) => blob.type === type);
    if (ofType.length > 0) packs.push(await writePack(repository, ofType));
  }
  await repository.saveIndex(packs);
  for (const { id, blobs } of packs) repository.index.insertPack(id, blobs);
  const id = await repository.saveSnapshot({
    time: '2026-01-02T03:04:05+01:00',
    tree,
    paths: ['/files'],
    hostname: 'alice',
  });
  return { id, tree, packs };
}

/** One pack of these blobs, saved. */
export async function writePack(repository: Repository, blobs: readonly SealedBlob[]): Promise<IndexedPack> {
  let offset = 0;
  const packed = blobs.map(({ sealed, ...blob }): PackedBlob => {
    const place = { ...blob, offset, length: sealed.length };
    offset += sealed.length;
    return place;
  });
  const bytes = Buffer.concat([
    ...blobs.map(({ sealed }) => sealed),
    encodePackHeader(repository.masterKey, Buffer.concat(packed.map(encodeEntry))),
  ]);
  const id = packIdOf(bytes);
  await repository.backend.save('data', id, bytes);
  return { id, blobs: packed };
}

function sealFolder({ masterKey }: Repository, folder: Folder, blobs: Map<string, SealedBlob>): TreeId {
  const seal = <Type extends 'data' | 'tree'>(type: Type, bytes: Buffer) => {
    const blob = sealBlob(masterKey, type, bytes);
    blobs.set(type + blob.id, blob);
    return blob.id;
  };
  const nodeOf = (name: string, item: Folder[string]): Node => {
    if (Buffer.isBuffer(item)) return nodeOf(name, item.length === 0 ? [] : [item]);
    if (Array.isArray(item))
      return fileNode(
        name,
        item,
        item.map((bytes: Buffer) => seal('data', bytes)),
      );
    if ('node' in item && !Buffer.isBuffer(item.node) && 'type' in item.node) return item.node as Node;
    return { name, type: 'dir', mode: modeBits.dir + 0o755, ...common, subtree: walk(item as Folder) };
  };
  const walk = (inner: Folder): TreeId =>
    seal('tree', encodeTree({ nodes: Object.entries(inner).map(([name, item]) => nodeOf(name, item)) }));
  return walk(folder);
}

function fileNode(name: string, parts: readonly Buffer[], content: readonly DataId[]): FileNode {
  return { name, type: 'file', mode: 0o644, ...common, size: Buffer.concat(parts).length, content };
}

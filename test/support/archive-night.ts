import { type Clock, systemClock } from '../../src/clock.ts';
import type { Source } from '../../src/sources/source.ts';
import { type Archived, archive } from '../../src/store/archiver/archiver.ts';
import type { SnapshotId } from '../../src/store/format/ids.ts';
import type { Node } from '../../src/store/format/node.ts';
import { timestamp } from '../../src/store/format/timestamp.ts';
import { openArchiveTarget } from '../../src/store/repository/archive-target.ts';
import type { Repository } from '../../src/store/repository/repository.ts';

export interface NightOptions {
  clock?: Clock;
  signal?: AbortSignal;
  threads?: number;
  requests?: number;
}

/** One night: the sources archived with the newest snapshot as parent, and the snapshot. The index must be loaded. */
export async function archiveNight(
  repository: Repository,
  sources: readonly Source[],
  { clock = systemClock(), signal = new AbortController().signal, ...options }: NightOptions = {},
): Promise<Archived & { snapshot: SnapshotId }> {
  const [last] = (await Array.fromAsync(repository.listSnapshots())).toReversed();
  const archived = await archive({
    sources,
    repository: openArchiveTarget(repository, clock),
    clock,
    signal,
    ...options,
    ...(last && { parent: last.snapshot.tree }),
  });
  const snapshot = await repository.saveSnapshot({
    time: timestamp(clock.now()),
    ...(last && { parent: last.id }),
    tree: archived.tree,
    paths: sources.map(({ name }) => `/${name}`),
    hostname: 'alice@files.example.org',
    summary: archived.summary,
  });
  return { ...archived, snapshot };
}

/** Every file below a tree with its content, by path; folders end with a slash. */
export async function contentOf(
  repository: Repository,
  tree: Archived['tree'],
  path = '',
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const node of (await repository.loadTree(tree)).nodes) {
    const place = `${path}${node.name}`;
    if (node.type === 'dir') {
      found.set(`${place}/`, Buffer.alloc(0));
      for (const [name, bytes] of await contentOf(repository, node.subtree, `${place}/`)) found.set(name, bytes);
    } else found.set(place, await bytesOf(repository, node));
  }
  return found;
}

async function bytesOf(repository: Repository, node: Node): Promise<Buffer> {
  const ids = node.type === 'file' ? node.content : [];
  return Buffer.concat(await Promise.all(ids.map((id) => repository.loadBlob('data', id))));
}

/** The node at a path. */
export async function nodeAt(repository: Repository, tree: Archived['tree'], path: string): Promise<Node> {
  const [name, ...rest] = path.split('/');
  const node = (await repository.loadTree(tree)).nodes.find((item) => item.name === name);
  if (node === undefined) throw new Error(`There is no ${path}.`);
  if (rest.length === 0) return node;
  if (node.type !== 'dir') throw new Error(`${name} is no folder.`);
  return nodeAt(repository, node.subtree, rest.join('/'));
}

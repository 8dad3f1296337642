import { isAppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { Tree } from '../format/tree.ts';
import type { AffectedFile, BlobName, Finding } from './finding.ts';
import type { Repository } from './repository.ts';
import type { SavedSnapshot } from './snapshots.ts';

/** The most names per finding, however many snapshots each is in. */
export const namesOfFinding = 1000;

/** The findings, each with the files that cannot be read because of it. */
export async function nameAffectedFiles(
  repository: Repository,
  snapshots: readonly SavedSnapshot[],
  findings: readonly Finding[],
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const lost = lostBlobs(repository, findings);
  if (lost.size === 0) return findings.map((finding) => ({ ...finding, files: [] }));
  const lists = findings.map(() => ({ names: new Set<string>(), files: [] as AffectedFile[] }));
  const affectedUnder = openAffectedSearch(repository, lost, signal);
  for (const { id, snapshot } of snapshots) {
    for (const { path, finding } of await affectedUnder(snapshot.tree)) {
      const list = lists[finding];
      if (list === undefined || (list.names.size >= namesOfFinding && !list.names.has(path))) continue;
      list.names.add(path);
      list.files.push({ snapshot: id, path: `/${path}` });
    }
  }
  return findings.map((finding, number) => ({ ...finding, files: lists[number]?.files ?? [] }));
}

/** The numbers of the findings by which a blob is lost. */
type LostBlobs = ReadonlyMap<string, readonly number[]>;

interface Affected {
  readonly path: string;
  readonly finding: number;
}

/** A blob is not lost while another pack holds an intact copy of it. */
function lostBlobs({ index }: Repository, findings: readonly Finding[]): LostBlobs {
  const broken = new Set(findings.map(({ packId }) => packId));
  const isLost = ({ type, id }: BlobName) => index.findAll(type, id).every(({ packId }) => broken.has(packId));
  const pairs = findings.flatMap(({ blobs = [] }, number) => blobs.filter(isLost).map((blob) => ({ blob, number })));
  const groups = Map.groupBy(pairs, ({ blob }) => keyOf(blob.type, blob.id));
  return new Map(Array.from(groups, ([key, group]) => [key, group.map(({ number }) => number)]));
}

function keyOf(type: BlobName['type'], id: BlobName['id']): string {
  return `${type} ${id}`;
}

/**
 * Each tree is searched once, however many snapshots and folders share it, and no more is kept of it than can be named: folders that
 * share others, level by level, hold more files than can be counted.
 */
function openAffectedSearch(repository: Repository, lost: LostBlobs, signal: AbortSignal | undefined) {
  const known = new Map<TreeId, readonly Affected[]>();
  const under = async (id: TreeId): Promise<readonly Affected[]> => {
    const found = known.get(id);
    if (found !== undefined) return found;
    signal?.throwIfAborted();
    const own = (lost.get(keyOf('tree', id)) ?? []).map((finding) => ({ path: '', finding }));
    const counts = new Map<number, number>();
    const add = (one: Affected) => {
      const count = counts.get(one.finding) ?? 0;
      if (count >= namesOfFinding) return;
      counts.set(one.finding, count + 1);
      own.push(one);
    };
    for await (const nodes of piecesOf((await loadIfIntact(repository, id)).nodes))
      for (const node of nodes) for (const one of await affectedIn(node)) add(one);
    known.set(id, own);
    return own;
  };
  const affectedIn = async (node: Node): Promise<readonly Affected[]> => {
    if (node.type === 'file') return affectedFile(node.name, node.content);
    if (node.type !== 'dir') return [];
    return (await under(node.subtree)).map(({ path, finding }) => ({ path: `${node.name}/${path}`, finding }));
  };
  const affectedFile = (path: string, content: readonly BlobName['id'][]) =>
    [...new Set(content.flatMap((id) => lost.get(keyOf('data', id)) ?? []))].map((finding) => ({ path, finding }));
  return under;
}

async function loadIfIntact(repository: Repository, id: TreeId): Promise<Tree> {
  return repository.loadTree(id).catch((error: unknown) => {
    if (isAppError(error, 'repository/damaged')) return { nodes: [] };
    throw error;
  });
}

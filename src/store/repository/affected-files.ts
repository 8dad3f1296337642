import { isAppError } from '../../errors.ts';
import type { TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { Tree } from '../format/tree.ts';
import type { BlobName, Finding, HurtFile } from './finding.ts';
import type { Repository } from './repository.ts';
import type { SavedSnapshot } from './snapshots.ts';

const filesOfFinding = 1000;

/** The findings, each with the files that cannot be read because of it. */
export async function nameHurtFiles(
  repository: Repository,
  snapshots: readonly SavedSnapshot[],
  findings: readonly Finding[],
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const hurt = hurtBlobs(repository, findings);
  if (hurt.size === 0) return findings.map((finding) => ({ ...finding, files: [] }));
  const files = findings.map((): HurtFile[] => []);
  const walk = hurtWalk(repository, hurt, signal);
  for (const { id, snapshot } of snapshots) {
    for (const { path, finding } of await walk.under(snapshot.tree)) {
      const list = files[finding];
      if (list !== undefined && list.length < filesOfFinding) list.push({ snapshot: id, path: `/${path}` });
    }
  }
  return findings.map((finding, number) => ({ ...finding, files: files[number] ?? [] }));
}

/** Numbers of the findings that a blob is hurt by. */
type HurtBlobs = ReadonlyMap<string, readonly number[]>;

interface Hurt {
  readonly path: string;
  readonly finding: number;
}

/** A blob that lies whole in another pack is not hurt. */
function hurtBlobs({ index }: Repository, findings: readonly Finding[]): HurtBlobs {
  const broken = new Set(findings.map(({ packId }) => packId));
  const lost = ({ type, id }: BlobName) => index.findAll(type, id).every(({ packId }) => broken.has(packId));
  const pairs = findings.flatMap(({ blobs = [] }, number) => blobs.filter(lost).map((blob) => ({ blob, number })));
  const groups = Map.groupBy(pairs, ({ blob }) => keyOf(blob.type, blob.id));
  return new Map(Array.from(groups, ([key, group]) => [key, group.map(({ number }) => number)]));
}

function keyOf(type: BlobName['type'], id: BlobName['id']): string {
  return `${type} ${id}`;
}

/** What is hurt below a tree is found once, however many snapshots share the tree. */
function hurtWalk(repository: Repository, hurt: HurtBlobs, signal: AbortSignal | undefined) {
  const known = new Map<TreeId, readonly Hurt[]>();
  const nothing: readonly Hurt[] = [];
  const under = async (id: TreeId): Promise<readonly Hurt[]> => {
    const found = known.get(id);
    if (found !== undefined) return found;
    signal?.throwIfAborted();
    const own = (hurt.get(keyOf('tree', id)) ?? []).map((finding) => ({ path: '', finding }));
    for (const node of (await loadIfWhole(repository, id)).nodes) own.push(...(await hurtIn(node)));
    known.set(id, own.length === 0 ? nothing : own);
    return own;
  };
  const hurtIn = async (node: Node): Promise<readonly Hurt[]> => {
    if (node.type === 'file') return hurtFile(node.name, node.content);
    if (node.type !== 'dir') return nothing;
    return (await under(node.subtree)).map(({ path, finding }) => ({ path: `${node.name}/${path}`, finding }));
  };
  const hurtFile = (path: string, content: readonly BlobName['id'][]) =>
    [...new Set(content.flatMap((id) => hurt.get(keyOf('data', id)) ?? []))].map((finding) => ({ path, finding }));
  return { under };
}

async function loadIfWhole(repository: Repository, id: TreeId): Promise<Tree> {
  return repository.loadTree(id).catch((error: unknown) => {
    if (isAppError(error, 'repository/damaged')) return { nodes: [] };
    throw error;
  });
}

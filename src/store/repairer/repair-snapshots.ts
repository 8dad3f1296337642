import type { Clock } from '../../clock.ts';
import { isAppError } from '../../errors.ts';
import { withoutValidator } from '../archiver/nodes.ts';
import { openPacks } from '../archiver/open-packs.ts';
import { sealBlob } from '../format/blob.ts';
import { idOf, type SnapshotId, type TreeId } from '../format/ids.ts';
import type { Node } from '../format/node.ts';
import type { FinishedPack } from '../format/pack.ts';
import { encodeTree, type Tree } from '../format/tree.ts';
import { openPacker } from '../repository/packer.ts';
import type { Repository } from '../repository/repository.ts';
import { listAbsent, type SavedSnapshot } from '../repository/snapshots.ts';

export interface RepairSnapshotsOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** Remove the snapshots that have a repaired one in their place, and those that have nothing left. */
  readonly forget?: boolean;
}

/** A snapshot that is not whole, or whose own file cannot be read. */
export interface RepairedSnapshot {
  readonly id: SnapshotId;
  /** The one without what is lost; null where nothing is left of it, and where nothing was done yet. */
  readonly repaired: SnapshotId | null;
  /** Whether not even its top folder is left. */
  readonly isLost: boolean;
  readonly filesLost: number;
  /** Folders that cannot be listed any more, whatever was in them. */
  readonly foldersLost: number;
}

/** The tag that repaired snapshots carry, as those of stock `restic repair snapshots` do. */
const repairedTag = 'repaired';

/**
 * For each snapshot that needs blobs which no index names any more, writes another one without them: files with lost content are left out, and
 * lost folders are empty. Every other file is as it was. A repaired snapshot names its original, and the next night takes none of the folders
 * above what is lost as unchanged. Call `repairPacks` first: while an index names a damaged pack, its blobs count as there.
 *
 * The index of the repository is loaded, and the caller holds its lock, the exclusive one where snapshots are to be forgotten. New folders are
 * durable before a snapshot names them, and the snapshot is before its original goes; each is yielded once that is done. Called again, it finds
 * the repaired snapshots whole. Of a snapshot whose file cannot be read nothing is left. Throws the signal's reason once it is aborted.
 */
export async function* repairSnapshots(
  repository: Repository,
  { clock, signal, dryRun = false, forget = false }: RepairSnapshotsOptions,
): AsyncGenerator<RepairedSnapshot> {
  const writer = openTreeWriter(repository, { clock, dryRun });
  const mendTree = openMender(repository, { save: writer.save, signal });
  const unread: SnapshotId[] = [];
  const listed = await repository.listSnapshotIds();
  const saved = await Array.fromAsync(repository.listSnapshots((_, id) => void unread.push(id)));
  unread.push(...(await listAbsent(repository, listed, [...saved.map(({ id }) => id), ...unread])));
  const broken: { one: SavedSnapshot; mended: Mended }[] = [];
  for (const one of saved) {
    const mended = await mendTree(one.snapshot.tree);
    if (mended.tree !== one.snapshot.tree) broken.push({ one, mended });
  }
  await writer.finish();
  const isBroken = new Set(broken.map(({ one }) => one.id));
  const repairedBefore = repairedByOriginal(saved.filter(({ id }) => !isBroken.has(id)));
  for (const { one, mended } of broken) {
    signal?.throwIfAborted();
    const { tree, ...lost } = mended;
    const before = repairedBefore.get(one.snapshot.original ?? one.id);
    const after = dryRun || tree === undefined ? null : (before ?? (await saveRepaired(repository, one, tree)));
    if (forget && !dryRun) await repository.forgetSnapshot(one.id);
    if (before === undefined || forget) yield { id: one.id, repaired: after, isLost: tree === undefined, ...lost };
  }
  for (const id of unread) {
    signal?.throwIfAborted();
    if (!(await isUnreadable(repository, id))) continue;
    if (forget && !dryRun) await repository.forgetSnapshot(id).catch(unlessGone);
    yield { id, repaired: null, isLost: true, filesLost: 0, foldersLost: 0 };
  }
}

/** At a second reading as well: one bad read is no damage. */
async function isUnreadable(repository: Repository, id: SnapshotId): Promise<boolean> {
  return repository.loadSnapshot(id).then(
    () => false,
    async (error: unknown) => {
      if (isAppError(error, 'repository/damaged')) return true;
      if (isAppError(error, 'repository/no-such-snapshot')) return (await repository.listSnapshotIds()).includes(id);
      throw error;
    },
  );
}

/** What the store lists and does not give goes from its listing all the same. */
function unlessGone(error: unknown): void {
  if (!isAppError(error, 'repository/no-such-snapshot')) throw error;
}

interface TreeWriter {
  /** Saves a tree, unless the repository holds it already, and answers its id. */
  save(tree: Tree): Promise<TreeId>;
  /** Resolves when all of them are on the store and in index files. */
  finish(): Promise<void>;
}

function openTreeWriter(repository: Repository, { clock, dryRun }: { clock: Clock; dryRun: boolean }): TreeWriter {
  const finished: FinishedPack[] = [];
  const packs = openPacks(repository.masterKey, (pack) => finished.push(pack));
  const packer = openPacker(repository, clock);
  const added = new Set<TreeId>();
  const saveFinished = async () => {
    for (let pack = finished.shift(); pack !== undefined; pack = finished.shift()) await packer.savePack(pack);
  };
  return {
    async save(tree) {
      const bytes = encodeTree(tree);
      const id = idOf<TreeId>(bytes);
      if (dryRun || added.has(id) || repository.index.has('tree', id)) return id;
      added.add(id);
      packs.add(sealBlob(repository.masterKey, 'tree', bytes, id));
      await saveFinished();
      return id;
    },
    async finish() {
      packs.finish();
      await saveFinished();
      await packer.flush();
    },
  };
}

/** A folder without what is lost of it. */
interface Mended {
  /** Undefined where it cannot be read at all; the same where it and all below it is whole. */
  readonly tree: TreeId | undefined;
  readonly filesLost: number;
  readonly foldersLost: number;
}

/** Mends trees from the bottom up, each once however many snapshots have it. */
function openMender(
  repository: Repository,
  { save, signal }: { save: TreeWriter['save']; signal: AbortSignal | undefined },
): (id: TreeId) => Promise<Mended> {
  const known = new Map<TreeId, Promise<Mended>>();

  function mendTree(id: TreeId): Promise<Mended> {
    const mending = known.get(id) ?? mend(id);
    known.set(id, mending);
    return mending;
  }

  async function mend(id: TreeId): Promise<Mended> {
    signal?.throwIfAborted();
    const tree = await loadUnlessLost(repository, id);
    if (tree === undefined) return { tree: undefined, filesLost: 0, foldersLost: 1 };
    let [filesLost, foldersLost, isSame] = [0, 0, true];
    const nodes: Node[] = [];
    for (const node of tree.nodes) {
      if (node.type === 'file' && !node.content.every((content) => repository.index.has('data', content))) {
        filesLost += 1;
        isSame = false;
      } else if (node.type === 'dir') {
        const below = await mendTree(node.subtree);
        filesLost += below.filesLost;
        foldersLost += below.foldersLost;
        const subtree = below.tree ?? (await save({ nodes: [] }));
        isSame &&= subtree === node.subtree;
        nodes.push(subtree === node.subtree ? node : { ...withoutValidator(node), subtree });
      } else nodes.push(node);
    }
    if (isSame) return { tree: id, filesLost, foldersLost };
    const written = nodes.filter(({ type }) => type !== 'unreadable');
    filesLost += nodes.length - written.length;
    return { tree: await save({ nodes: written }), filesLost, foldersLost };
  }

  return mendTree;
}

async function loadUnlessLost(repository: Repository, id: TreeId): Promise<Tree | undefined> {
  return repository.loadTree(id).catch((error: unknown) => {
    if (isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  });
}

/** Snapshots that are repaired ones, by the originals that they name. */
function repairedByOriginal(saved: readonly SavedSnapshot[]): ReadonlyMap<SnapshotId, SnapshotId> {
  const found = new Map<SnapshotId, SnapshotId>();
  for (const { id, snapshot } of saved)
    if (snapshot.original !== undefined && snapshot.tags?.includes(repairedTag)) found.set(snapshot.original, id);
  return found;
}

/** Without the summary, whose counts are those of the original. */
async function saveRepaired(
  repository: Repository,
  { id, snapshot }: SavedSnapshot,
  tree: TreeId,
): Promise<SnapshotId> {
  const { summary: _, tags = [], ...rest } = snapshot;
  const allTags = [...new Set([...tags, repairedTag])];
  return repository.saveSnapshot({ ...rest, tree, tags: allTags, original: snapshot.original ?? id });
}

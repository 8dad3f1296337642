import { AppError, type ErrorCode, isAppError } from '../../errors.ts';
import { nameFromBytes, shownName } from '../../file-name.ts';
import type { TreeId } from '../format/ids.ts';
import type { DirNode, FileNode, Node, SymlinkNode } from '../format/node.ts';
import { timestampSeconds } from '../format/timestamp.ts';
import { isSafeName } from '../format/tree.ts';
import type { ReadableRepository } from './contract.ts';
import { findPlace } from './find-place.ts';
import type { Path, TargetFolder } from './folder.ts';
import { type ReadFile, readFiles } from './read-files.ts';

export interface RestoreOptions {
  /** A folder (its content is restored) or another entry of the snapshot; everything by default. */
  readonly path?: string;
  /** Replace files that are there and fill folders that are there. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/** An entry that was not restored, and why. */
export interface RestoreProblem {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface RestoreReport {
  files: number;
  folders: number;
  links: number;
  bytes: number;
  /** Devices, pipes and sockets, which are not restored. */
  readonly skipped: string[];
  readonly problems: RestoreProblem[];
}

/**
 * Writes a snapshot, or a part of it, to a folder, with permissions and times. What cannot be read or written becomes a problem and the
 * rest goes on. Throws `restore/would-overwrite` before anything is written, `repository/no-such-path`, and `store/unavailable`
 * when the store or the target fails altogether.
 */
export async function restore(
  repository: ReadableRepository,
  snapshot: { readonly tree: TreeId },
  target: TargetFolder,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const place = await findPlace(repository, snapshot, options.path ?? '');
  const isFolder = place.type === 'root' || place.type === 'dir';
  const nodes = isFolder ? (await repository.loadTree(place.subtree)).nodes : [place];
  if (options.overwrite !== true) await refuseOverwriting(target, nodes);
  const report: RestoreReport = { files: 0, folders: 0, links: 0, bytes: 0, skipped: [], problems: [] };
  await target.makeFolder([]);
  await restoreNodes({ repository, target, report, signal: options.signal }, [], nodes);
  return report;
}

interface Restoring {
  readonly repository: ReadableRepository;
  readonly target: TargetFolder;
  readonly report: RestoreReport;
  readonly signal: AbortSignal | undefined;
}

/** Nothing below a name can be there when the name itself is not. */
async function refuseOverwriting(target: TargetFolder, nodes: readonly Node[]): Promise<void> {
  for (const { name } of nodes) {
    if (!isSafeName(name) || (await target.kindAt([name])) === 'nothing') continue;
    throw new AppError(
      'restore/would-overwrite',
      `The target has ${shownName(name)} already. Choose an empty folder, or say that files may be overwritten.`,
    );
  }
}

async function restoreNodes(restoring: Restoring, folder: Path, nodes: readonly Node[]): Promise<void> {
  const safe = nodes.filter((node) => isSafeName(node.name) || refuseName(restoring, folder, node));
  await restoreFiles(
    restoring,
    folder,
    safe.filter((node) => node.type === 'file'),
  );
  for (const node of safe) {
    restoring.signal?.throwIfAborted();
    const path = [...folder, node.name];
    if (node.type === 'dir') await attempt(restoring, path, () => restoreFolder(restoring, path, node));
    else if (node.type === 'symlink') await attempt(restoring, path, () => restoreLink(restoring, path, node));
    else if (node.type !== 'file') restoring.report.skipped.push(spell(path));
  }
}

async function restoreFiles(restoring: Restoring, folder: Path, files: readonly FileNode[]): Promise<void> {
  for await (const file of readFiles(restoring.repository, files)) {
    restoring.signal?.throwIfAborted();
    const path = [...folder, file.node.name];
    await attempt(restoring, path, () => restoreFile(restoring, path, file));
  }
}

async function restoreFile({ target, report }: Restoring, path: Path, { node, content }: ReadFile): Promise<void> {
  await target.writeFile(path, content, { ...attributesOf(node), size: node.size });
  report.files++;
  report.bytes += node.size;
}

/** The folder's own times come last, since every entry made in it changes them. */
async function restoreFolder(restoring: Restoring, path: Path, node: DirNode): Promise<void> {
  const { repository, target, report } = restoring;
  const { nodes } = await repository.loadTree(node.subtree);
  await target.makeFolder(path);
  await restoreNodes(restoring, path, nodes);
  await target.setAttributes(path, attributesOf(node));
  report.folders++;
}

async function restoreLink({ target, report }: Restoring, path: Path, node: SymlinkNode): Promise<void> {
  await target.makeLink(path, linkTarget(node));
  await target.setAttributes(path, { mtime: timestampSeconds(node.mtime) });
  report.links++;
}

/** What a link points to, as file-name.ts keeps names. */
function linkTarget({ linktarget, linktarget_raw: raw }: SymlinkNode): string {
  return raw === undefined ? linktarget : nameFromBytes(Buffer.from(raw, 'base64'));
}

function attributesOf({ mode, mtime }: Node) {
  return { mode: mode % 0o1000, mtime: timestampSeconds(mtime) };
}

/** A failure of one entry becomes a problem; what ends the whole restore is thrown. */
async function attempt({ report }: Restoring, path: Path, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isAppError(error, 'repository/damaged') && !isAppError(error, 'restore/not-written')) throw error;
    report.problems.push({ path: spell(path), code: error.code, message: error.message });
  }
}

function refuseName({ report }: Restoring, folder: Path, { name }: Node): false {
  const message = 'The snapshot holds a name that would leave its folder; it is not restored.';
  report.problems.push({ path: spell([...folder, name]), code: 'repository/damaged', message });
  return false;
}

function spell(path: Path): string {
  return shownName(path.join('/'));
}

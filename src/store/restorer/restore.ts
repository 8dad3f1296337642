import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { AppError } from '../../errors.ts';
import { compareNames, nameToBytes, shownName } from '../../file-name.ts';
import { makeFolders } from '../../make-folders.ts';
import type { TreeId } from '../format/ids.ts';
import type { DirNode, Node, SymlinkNode } from '../format/node.ts';
import { isSafeName, twinsIn } from '../format/tree.ts';
import { type Attributes, attributesOf, pathForSystem, setMode, setOfLink, setOwnerAndTimes } from './attributes.ts';
import type { PackRead, RestorableRepository } from './contract.ts';
import { type ExactAttributes, exactAttributesOf } from './exact-attributes.ts';
import { decide, lookAt, type Overwrite } from './existing.ts';
import { type Extent, openExtent } from './extent.ts';
import { type FileWriter, openFileWriter } from './file-writer.ts';
import { findPlace } from './find-place.ts';
import { linkTarget } from './link-target.ts';
import { emptyReport, type FolderReport, note, noteTwin, noteUnreadable, noteUnsafeName } from './report.ts';
import { openRest, type Rest } from './set-rest.ts';
import { canBeMade, makeSpecialFiles, type SpecialEntry } from './special-files.ts';
import { errnoOf, targetError } from './target-errors.ts';
import { leftoverName } from './write-batch.ts';
import { openWriters } from './writers.ts';

export interface RestoreOptions {
  /** A folder (its content is restored) or another entry of the snapshot; everything by default. */
  readonly path?: string;
  /** What happens to files that are there. Without it nothing may be there. */
  readonly overwrite?: Overwrite | undefined;
  readonly signal?: AbortSignal;
  /** The most files and folders to restore; folders beyond become problems. */
  readonly mostEntries?: number;
  /** Is told now and then how far it is: what has been restored, and what was there already. */
  readonly onProgress?: (report: FolderReport) => void;
}

/**
 * Writes a snapshot, or a part of it, to a folder of this machine, with everything that stock restic would restore. Each blob is read once,
 * pack by pack, and proved; a file gets its name when it is whole. No link is ever followed. What cannot be read or written becomes a
 * problem, and the rest continues.
 *
 * Throws `restore/would-overwrite` before anything but the folder itself is made, `repository/no-such-path`, `store/unavailable` when the
 * store or the folder fails altogether, and the signal's reason once it is aborted.
 */
export async function restore<Read extends PackRead>(
  repository: RestorableRepository<Read>,
  snapshot: { readonly tree: TreeId },
  folder: string,
  { path = '', overwrite, signal, mostEntries, onProgress = () => {} }: RestoreOptions = {},
): Promise<FolderReport> {
  const place = await findPlace(repository, snapshot, path);
  const isFolder = place.type === 'root' || place.type === 'dir';
  const extent = openExtent(repository, mostEntries);
  const nodes = isFolder ? await extent.nodesOf(place.subtree, 0) : [place];
  attemptAt(folder, '', () => makeFolders(folder));
  if (overwrite === undefined) refuseOverwriting(folder, nodes);
  const report: FolderReport = { ...emptyReport(), specials: 0, kept: 0, keptBytes: 0, inexact: 0 };
  if (overwrite !== undefined) removeLeftovers(folder);
  using writers = openWriters(repository.masterKey);
  const rest = openRest(folder, report);
  const common = { repository, extent, folder, overwrite, report, signal, onProgress, rest };
  const restoring: Restoring = {
    ...common,
    files: openFileWriter({ ...common, writers }),
    folders: [],
    specials: [],
  };
  await restoreNodes(restoring, '', nodes, 1);
  await restoring.files.finish();
  for (const exact of await makeSpecialFiles(restoring.specials, folder, report)) rest.add(exact);
  await finishFolders(restoring);
  report.problems.sort((a, b) => compareNames(a.path, b.path));
  return report;
}

interface Restoring {
  readonly extent: Extent;
  readonly folder: string;
  readonly overwrite: Overwrite | undefined;
  readonly report: FolderReport;
  readonly signal: AbortSignal | undefined;
  readonly files: FileWriter;
  /** Those above before those below. */
  readonly folders: MadeFolder[];
  /** Devices and pipes, made when the files are there. */
  readonly specials: SpecialEntry[];
  readonly rest: Rest;
}

interface MadeFolder {
  readonly path: string;
  readonly attributes: Attributes;
  readonly exact: ExactAttributes | undefined;
}

/** Nothing below a name can be there when the name itself is not. */
function refuseOverwriting(folder: string, nodes: readonly Node[]): void {
  for (const { name } of nodes) {
    if (!isSafeName(name) || attemptAt(folder, name, () => lookAt(`${folder}/${name}`)) === undefined) continue;
    throw new AppError(
      'restore/would-overwrite',
      `The target has ${shownName(name)} already. Choose an empty folder, or continue an interrupted restore with --overwrite if-changed (or always, if-newer, never).`,
    );
  }
}

/** Folders among them are so many folders down. */
async function restoreNodes(restoring: Restoring, below: string, nodes: readonly Node[], depth: number): Promise<void> {
  const { report, files, signal } = restoring;
  const twins = twinsIn(nodes);
  for (const node of nodes) {
    signal?.throwIfAborted();
    const path = below + node.name;
    if (!isSafeName(node.name)) noteUnsafeName(report.problems, path);
    else if (twins.has(node)) noteTwin(report.problems, path);
    else if (node.type === 'file') await files.add(path, node);
    else if (node.type === 'dir') await restoreFolder(restoring, path, node, depth);
    else if (node.type === 'symlink') restoreLink(restoring, path, node);
    else if (node.type === 'unreadable') noteUnreadable(report.problems, path);
    else if (canBeMade(node)) addSpecial(restoring, { path, node });
    else report.skipped.push(shownName(path));
  }
}

async function restoreFolder(restoring: Restoring, path: string, node: DirNode, depth: number): Promise<void> {
  const { extent, folder, report, folders } = restoring;
  let nodes: readonly Node[];
  try {
    nodes = await extent.nodesOf(node.subtree, depth);
    attemptAt(folder, path, () => makeFolder(`${folder}/${path}`));
  } catch (error) {
    return note(report.problems, path, error);
  }
  folders.push({ path, attributes: attributesOf(node), exact: exactAttributesOf(node, path) });
  report.folders++;
  await restoreNodes(restoring, `${path}/`, nodes, depth + 1);
}

function makeFolder(path: string): void {
  try {
    mkdirSync(pathForSystem(path), { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || lookAt(path)?.isDirectory() !== true) throw error;
    removeLeftovers(path);
  }
}

/** What a restore that was killed had in writing. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(pathForSystem(folder)))
    if (leftoverName.test(name)) rmSync(pathForSystem(`${folder}/${name}`), { force: true });
}

function addSpecial({ folder, overwrite, report, specials }: Restoring, entry: SpecialEntry): void {
  const { path, node } = entry;
  try {
    const look = () => (overwrite === undefined ? 'write' : decide(`${folder}/${path}`, node, overwrite));
    if (attemptAt(folder, path, look) !== 'keep') specials.push(entry);
  } catch (error) {
    note(report.problems, path, error);
  }
}

function restoreLink({ folder, overwrite, report, rest }: Restoring, path: string, node: SymlinkNode): void {
  const at = `${folder}/${path}`;
  try {
    const decision = overwrite === undefined ? 'write' : attemptAt(folder, path, () => decide(at, node, overwrite));
    if (decision === 'keep') return;
    attemptAt(folder, path, () => makeLink(at, node, overwrite));
  } catch (error) {
    note(report.problems, path, error);
    return;
  }
  report.links++;
  rest.add(exactAttributesOf(node, path));
}

function makeLink(at: string, node: SymlinkNode, overwrite: Overwrite | undefined): void {
  const found = overwrite === undefined ? undefined : lookAt(at);
  if (found?.isFile() === true || found?.isSymbolicLink() === true) rmSync(pathForSystem(at));
  symlinkSync(nameToBytes(linkTarget(node)), pathForSystem(at));
  setOfLink(at, attributesOf(node));
}

/** Times come last, since every entry made in a folder changes them; modes after these, since they may forbid to enter. */
async function finishFolders({ folder, folders, report, rest }: Restoring): Promise<void> {
  const upwards = folders.toReversed();
  const attempt = (path: string, work: () => void) => {
    try {
      attemptAt(folder, path, work);
    } catch (error) {
      note(report.problems, path, error);
    }
  };
  for (const { path, attributes } of upwards) attempt(path, () => setOwnerAndTimes(`${folder}/${path}`, attributes));
  for (const { exact } of upwards) rest.add(exact);
  await rest.setAll();
  for (const { path, attributes } of upwards) attempt(path, () => setMode(`${folder}/${path}`, attributes));
}

/** Does work at a path of the folder, and says what went wrong with it. */
function attemptAt<T>(folder: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw targetError(error, folder, path);
  }
}

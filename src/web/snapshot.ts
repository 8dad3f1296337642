import { AppError, isAppError } from '../errors.ts';
import { shownName } from '../file-name.ts';
import { openPersonHistory } from '../flows/snapshots/open-history.ts';
import type { TreeId } from '../store/format/ids.ts';
import type { FileNode } from '../store/format/node.ts';
import type { History } from '../store/history/history.ts';
import type { SavedSnapshot } from '../store/repository/snapshots.ts';
import { findPlace } from '../store/restorer/find-place.ts';
import { notFound, type PersonVisit } from './visit.ts';

/** The history of the person, and a snapshot of it. */
export interface OpenSnapshot {
  readonly history: History;
  readonly saved: SavedSnapshot;
}

/** Opens the snapshot that the address names. Throws `request/not-found`, `repository/not-found`. */
export async function openSnapshot({ c, resources, session: { userId } }: PersonVisit): Promise<OpenSnapshot> {
  const history = await openPersonHistory(resources, userId);
  return { history, saved: snapshotOf(history, c.req.param('id') ?? '') };
}

/** The only snapshot whose id begins so. Throws `request/not-found`. */
export function snapshotOf({ snapshots }: History, id: string): SavedSnapshot {
  const [saved, other] = /^[0-9a-f]{8,64}$/.test(id) ? snapshots.filter((one) => one.id.startsWith(id)) : [];
  if (saved === undefined || other !== undefined) throw notFound();
  return saved;
}

/** A folder of a snapshot. */
export interface OpenFolder {
  /** Its path in the snapshot. */
  readonly path: string;
  readonly tree: TreeId;
}

/** Opens a folder; where all of a snapshot lies in one folder, that one stands for all. Throws `request/not-found`. */
export async function openFolder({ history, saved }: OpenSnapshot, path: string): Promise<OpenFolder> {
  const place = await placeIn({ history, saved }, path);
  if (place.type !== 'root' && place.type !== 'dir') throw notThere();
  if (place.type === 'dir') return { path, tree: place.subtree };
  const top = await topOf({ history, saved });
  return top ?? { path: '', tree: place.subtree };
}

/** The folder that all of a snapshot lies in, where there is one. */
export async function topOf({ history, saved }: OpenSnapshot): Promise<OpenFolder | undefined> {
  const [only, other] = (await history.repository.loadTree(saved.snapshot.tree)).nodes;
  return only?.type === 'dir' && other === undefined ? { path: shownName(only.name), tree: only.subtree } : undefined;
}

/** The file at this path. Throws `request/not-found`. */
export async function fileIn(opened: OpenSnapshot, path: string): Promise<FileNode> {
  const place = await placeIn(opened, path);
  if (place.type !== 'file') throw notThere();
  return place;
}

/** What is at the path; throws `request/not-found`. The error of `findPlace` would bring the path, and with it names of files, into the log. */
export async function placeIn({ history, saved }: OpenSnapshot, path: string) {
  try {
    return await findPlace(history.repository, saved.snapshot, path);
  } catch (error) {
    throw isAppError(error, 'repository/no-such-path') ? notThere() : error;
  }
}

function notThere(): AppError {
  return new AppError('request/not-found', 'That is not in this snapshot.');
}

/** What follows `/snapshots/:id/<kind>` in the address, decoded name by name. Throws `request/invalid`. */
export function restOfPath(url: URL, kind: string): string {
  const [, rest = ''] = url.pathname.split(new RegExp(`^/snapshots/[^/]+/${kind}`));
  return decodePath(rest);
}

/** A path of a snapshot as part of an address, name by name. */
export function encodePath(path: string): string {
  return shownName(path).split('/').map(encodeURIComponent).join('/');
}

/** Deeper than anything that systems restore: pages show each folder on the way, with the path to it. */
const mostNames = 1_000;

/** What `encodePath` wrote. Throws `request/invalid`. */
export function decodePath(rest: string): string {
  const names = rest.split('/').filter(Boolean);
  if (names.length > mostNames)
    throw new AppError('request/invalid', `The address names more than ${mostNames} folders inside each other.`);
  try {
    return names.map(decodeURIComponent).join('/');
  } catch (cause) {
    throw new AppError('request/invalid', 'The address is malformed.', { cause });
  }
}

/** What is done with a path of a snapshot: each a route. */
export type Kind = 'browse' | 'view' | 'preview' | 'changes' | 'file' | 'zip' | 'restore';

/** The address of the folder that a path of a snapshot lies in. */
export function folderAddress(saved: { readonly id: string }, path: string): string {
  return addressOf(saved, 'browse', path.split('/').slice(0, -1).join('/'));
}

/** The address of a path in a snapshot. */
export function addressOf({ id }: { readonly id: string }, kind: Kind, path: string): string {
  return `/snapshots/${id.slice(0, 16)}/${kind}/${encodePath(path)}`;
}

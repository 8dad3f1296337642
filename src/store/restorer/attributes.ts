import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  utimesSync,
} from 'node:fs';
import { nameToBytes } from '../../file-name.ts';
import { modeBits, type Node } from '../format/node.ts';
import { errnoOf } from './target-errors.ts';
import { asNodeTakesIt, settableTime } from './times.ts';

/** What a restored entry gets besides its content. Plain values, may be sent to a thread. */
export interface Attributes {
  /** As chmod takes it. */
  readonly mode: number;
  /** Absent where a new entry has this owner anyway. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Seconds since 1970, as exact as a number is. */
  readonly atime: number;
  readonly mtime: number;
}

/** The attributes of a node, for a process of this user. */
export function attributesOf(node: Node): Attributes {
  const { uid, gid } = node;
  const isOurs = user === undefined || (uid === user && gid === group);
  return {
    mode: permissions(node.mode),
    ...(!isOurs && { owner: { uid, gid } }),
    atime: settableTime(node.atime).seconds,
    mtime: settableTime(node.mtime).seconds,
  };
}

/** The permission bits of a node's mode, as chmod takes them. */
export function permissions(mode: number): number {
  const has = (bit: number) => Math.floor(mode / bit) % 2;
  return (
    (mode % 0o1000) + 0o4000 * has(modeBits.setuid) + 0o2000 * has(modeBits.setgid) + 0o1000 * has(modeBits.sticky)
  );
}

/** Asked once, not for each entry. Undefined where a system has no such users. */
const user = process.geteuid?.();
const group = process.getegid?.();

/** Node asks for it by setting it, so it is asked once. */
const umask = process.umask();

/** What a new file may have from the start: its last mode, where nothing of it waits for its owner, or falls to the umask. */
export function modeInWriting({ owner, mode }: Attributes): number {
  const mayAtOnce = owner === undefined && mode < 0o1000 && (mode & 0o200) !== 0 && (mode & umask) === 0;
  return mayAtOnce ? mode : 0o600;
}

/** Gives an open file, made with `modeInWriting`, its attributes. */
export function setOfOpenFile(fd: number, attributes: Attributes): void {
  const { owner, mode, atime, mtime } = attributes;
  if (owner !== undefined) unlessRefused(() => fchownSync(fd, owner.uid, owner.gid));
  if (modeInWriting(attributes) !== mode) fchmodSync(fd, mode);
  futimesSync(fd, asNodeTakesIt(atime), asNodeTakesIt(mtime));
}

/** The same for a file that is there, or the owner and times of a folder. */
export function setOfFile(path: string, attributes: Attributes): void {
  setOwnerAndTimes(path, attributes);
  setMode(path, attributes);
}

/** First what may be set, whatever the mode is: a folder that may not be entered any more takes nothing. */
export function setOwnerAndTimes(path: string, { owner, atime, mtime }: Attributes): void {
  const at = pathForSystem(path);
  if (owner !== undefined) unlessRefused(() => chownSync(at, owner.uid, owner.gid));
  utimesSync(at, asNodeTakesIt(atime), asNodeTakesIt(mtime));
}

/** Sets the permission bits of the node, special bits included. */
export function setMode(path: string, { mode }: Attributes): void {
  chmodSync(pathForSystem(path), mode);
}

/** Owner and times of a link; it has no mode. */
export function setOfLink(path: string, { owner, atime, mtime }: Attributes): void {
  const at = pathForSystem(path);
  if (owner !== undefined) unlessRefused(() => lchownSync(at, owner.uid, owner.gid));
  lutimesSync(at, asNodeTakesIt(atime), asNodeTakesIt(mtime));
}

/** The path as node:fs takes it: as bytes, where a name is no UTF-8. */
export function pathForSystem(path: string): string | Buffer {
  return path.isWellFormed() ? path : nameToBytes(path);
}

/** Only root may give files to others; whoever else restores owns what they restored. */
function unlessRefused(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (errnoOf(error) !== 'EPERM' || process.geteuid?.() === 0) throw error;
  }
}

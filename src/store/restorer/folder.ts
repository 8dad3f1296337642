import { randomBytes } from 'node:crypto';
import { chmod, type FileHandle, lstat, lutimes, mkdir, open, rename, rm, symlink, utimes } from 'node:fs/promises';
import { AppError, isAppError } from '../../errors.ts';
import { nameToBytes, shownName } from '../../file-name.ts';

/** Where a restore writes. Paths are names below the folder, as file-name.ts keeps them; no link is ever followed. */
export interface TargetFolder {
  kindAt(path: Path): Promise<'nothing' | 'file' | 'folder' | 'link' | 'other'>;
  /** Makes the folder, or uses the existing one. */
  makeFolder(path: Path): Promise<void>;
  /** Writes a file whole or not at all; replaces an existing file or link. */
  writeFile(path: Path, content: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void>;
  /** Makes a link; replaces an existing file or link. */
  makeLink(path: Path, target: string): Promise<void>;
  /** Permission bits and time of the last change. */
  setAttributes(path: Path, attributes: Attributes): Promise<void>;
}

export type Path = readonly string[];

export interface Attributes {
  /** Absent for links, which have none. */
  readonly mode?: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

export interface FileAttributes extends Attributes {
  readonly size: number;
}

/**
 * A folder of this machine; made, with those above it, at the first write. Throws `store/unavailable` when nothing more can be
 * written there, `restore/not-written` when one entry cannot.
 */
export function openTargetFolder(folder: string): TargetFolder {
  const at = (path: Path) => Buffer.concat([Buffer.from(folder), ...path.map((name) => nameToBytes(`/${name}`))]);
  const guarded = <T>(path: Path, work: Promise<T>) =>
    work.catch((error: unknown) => Promise.reject(targetError(error, folder, path)));
  return {
    kindAt: (path) => guarded(path, kindOf(at(path))),
    makeFolder: (path) => guarded(path, makeFolder(at(path), path.length === 0)),
    writeFile: (path, content, attributes) =>
      guarded(path, writeAside(at(path), at([...path.slice(0, -1), temporaryName()]), content, attributes)),
    makeLink: (path, target) => guarded(path, makeLink(at(path), target)),
    setAttributes: (path, attributes) => guarded(path, setAttributes(at(path), attributes)),
  };
}

/** Short, because the final name may already be as long as names can be. */
function temporaryName(): string {
  return `.nightkeep-${randomBytes(6).toString('hex')}`;
}

async function kindOf(path: Buffer): ReturnType<TargetFolder['kindAt']> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return 'link';
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other';
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'nothing';
    throw error;
  }
}

async function makeFolder(path: Buffer, isTop: boolean): Promise<void> {
  if (isTop) await mkdir(path, { recursive: true });
  else if ((await kindOf(path)) !== 'folder') await mkdir(path, { mode: 0o700 });
}

/** A double holds seconds to a quarter of a microsecond; without the nudge, exact milliseconds would end up just below. */
const nudge = 1.2e-7;

async function writeAside(
  path: Buffer,
  temporary: Buffer,
  content: AsyncIterable<Uint8Array>,
  { mode, mtime }: Attributes,
): Promise<void> {
  try {
    {
      await using file = await open(temporary, 'wx', 0o600);
      for await (const bytes of content) await writeFully(file, bytes);
      if (mode !== undefined) await file.chmod(mode);
      await file.utimes(mtime + nudge, mtime + nudge);
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

async function makeLink(path: Buffer, target: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === 'file' || kind === 'link') await rm(path);
  await symlink(nameToBytes(target), path);
}

async function setAttributes(path: Buffer, { mode, mtime }: Attributes): Promise<void> {
  const time = mtime + nudge;
  if (mode === undefined) return lutimes(path, time, time);
  await chmod(path, mode);
  await utimes(path, time, time);
}

const ends: Readonly<Record<string, string>> = {
  ENOSPC: 'is full. Make room, or restore to a larger disk',
  EDQUOT: 'has used up its quota',
  EROFS: 'is mounted read-only',
};

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'the file system does not allow it',
  EEXIST: 'something of another kind is there',
  EISDIR: 'a folder of that name is there',
  ENOTDIR: 'something of another kind is there',
  ENAMETOOLONG: 'the name is too long for this file system',
  EINVAL: 'this file system does not take such a name',
  EILSEQ: 'this file system does not take such a name',
};

function targetError(cause: unknown, folder: string, path: Path): unknown {
  const errno = errnoOf(cause);
  if (isAppError(cause) || errno === undefined) return cause;
  const detail = { errno, folder };
  if (ends[errno] !== undefined) {
    return new AppError('store/unavailable', `The target folder ${folder} ${ends[errno]}.`, { cause, detail });
  }
  const name = shownName(path.join('/'));
  return new AppError('restore/not-written', `Could not write ${name || folder}: ${reasons[errno] ?? errno}.`, {
    cause,
    detail,
  });
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

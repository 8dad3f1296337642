import { AppError, isAppError } from '../../errors.ts';
import { shownName } from '../../file-name.ts';

const ends: Readonly<Record<string, string>> = {
  ENOSPC: 'is full. Make room, or restore to a larger disk',
  EDQUOT: 'has used up its quota. Make room, or restore to another folder',
  EROFS: 'is mounted read-only. Restore to another folder',
};

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there. Choose another folder, or another user',
  EPERM: 'the file system does not allow it',
  EEXIST: 'something of another kind is there. Move it away, or choose another folder',
  EISDIR: 'a folder of that name is there. Move it away, or choose another folder',
  ENOTDIR: 'something of another kind is there, or where its folder should be. Move it away, or choose another folder',
  ENOENT: 'nothing can be made there. Choose another folder',
  ENAMETOOLONG: 'the name is too long for this file system',
  EINVAL: 'this file system does not take such a name',
  EILSEQ: 'this file system does not take such a name',
};

/**
 * What went wrong with the entry of this path in the folder, for people: `store/unavailable` when nothing more can be written there,
 * `restore/not-written` when one entry cannot.
 */
export function targetError(cause: unknown, folder: string, path: string): unknown {
  const errno = errnoOf(cause);
  return isAppError(cause) || errno === undefined ? cause : errnoError(errno, folder, path, cause);
}

/** The same, of the system's name for it. */
export function errnoError(errno: string, folder: string, path: string, cause?: unknown): AppError {
  const detail = { errno, folder };
  if (ends[errno] !== undefined) {
    return new AppError('store/unavailable', `The target folder ${folder} ${ends[errno]}.`, { cause, detail });
  }
  return new AppError(
    'restore/not-written',
    `Could not write ${shownName(path) || folder}: ${reasons[errno] ?? errno}.`,
    { cause, detail },
  );
}

/** The system's name for an error, such as ENOENT; undefined for what it did not report. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)
    ? error.code
    : undefined;
}

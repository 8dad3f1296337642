import { AppError, type ErrorCode, isAppError } from '../../errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  /** Whether the same call may work in a moment. */
  readonly passes?: true;
  /** What it is about where it came of one file, worded to follow the name of that. */
  readonly ofFile?: string;
}

const rights = 'may not be used by this user. Give the service user rights on it';

const meanings: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: 'store/not-found', what: 'has no such file' },
  // A link that leads to itself leads nowhere.
  ELOOP: { code: 'store/not-found', what: 'has no such file' },
  EEXIST: { code: 'store/exists', what: 'has that file already' },
  ENOSPC: { code: 'store/full', what: 'is full. Make room there, or give it a larger disk' },
  EDQUOT: { code: 'store/full', what: 'has used up its quota. Raise it, or make room' },
  EROFS: { code: 'store/unavailable', what: 'is mounted read-only. Remount it for writing' },
  EACCES: { code: 'store/unavailable', what: rights, ofFile: rights },
  EPERM: { code: 'store/unavailable', what: rights, ofFile: rights },
  ENOTDIR: { code: 'store/unavailable', what: 'lies where a file is. Give it the address of a folder' },
  EISDIR: { code: 'store/unavailable', what: 'has a folder where a file must be. Move it away' },
  ENOTEMPTY: {
    code: 'store/unavailable',
    what: 'has a folder where a file must be. Move it away',
    ofFile: 'is a folder, which is not empty. Move it away',
  },
  EMFILE: { code: 'store/unavailable', what: 'cannot be read: too many open files', passes: true },
  ENFILE: { code: 'store/unavailable', what: 'cannot be read: too many open files', passes: true },
  EAGAIN: { code: 'store/unavailable', what: 'is busy', passes: true },
  EBUSY: { code: 'store/unavailable', what: 'is busy', passes: true },
  EINTR: { code: 'store/unavailable', what: 'was interrupted', passes: true },
  EIO: {
    code: 'store/unavailable',
    what: 'has trouble with its disk. Look at the system log',
    ofFile: 'cannot be read from its disk. Look at the system log',
    passes: true,
  },
  ESTALE: { code: 'store/unavailable', what: 'was remounted meanwhile', passes: true },
  ETIMEDOUT: { code: 'store/unavailable', what: 'does not answer', passes: true },
  EHOSTDOWN: { code: 'store/unavailable', what: 'does not answer', passes: true },
};

const soon = { afterMs: 500 };

const unexpected: Meaning = { code: 'store/unavailable', what: 'failed in an unexpected way', passes: true };

/** What an error of the file system means, worded to follow the name of what failed. */
export function faultWords(error: unknown): string {
  const name = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (meanings[name] ?? unexpected).what;
}

/** What ENOENT means where something was to be written. */
const notMade: Meaning = {
  code: 'store/unavailable',
  what: 'cannot be made there. Give it the address of a folder that can be made, and look whether its disk is mounted',
};

/**
 * What an error of the file system means for people, and whether it can pass. `file` is the one that it came of, and `inFolder` the folder that may
 * not be used, by their paths in `folder`.
 */
export function localError(
  error: unknown,
  folder: string,
  { writing = false, file, inFolder }: { writing?: boolean; file?: string; inFolder?: string } = {},
): unknown {
  if (isAppError(error) || !(error instanceof Error) || !('code' in error)) return error;
  const name = String(error.code);
  const { code, what, ofFile, passes }: Meaning =
    writing && name === 'ENOENT' ? notMade : (meanings[name] ?? unexpected);
  const isOfFile = file !== undefined && ofFile !== undefined;
  const message = isOfFile
    ? `The file ${file} of the store at ${folder} ${ofFile}.`
    : `The ${inFolder === undefined ? '' : `folder ${inFolder} of the `}store at ${folder} ${what}.`;
  return new AppError(code, message, {
    cause: error,
    detail: { errno: name, folder, ...(file !== undefined && { file }) },
    ...(passes ? { retry: soon } : {}),
  });
}

import { AppError, type ErrorCode, isAppError } from '../../errors.ts';
import { shownName } from '../../file-name.ts';
import type { DavWriter } from '../../sources/dav/writer.ts';
import type { Path, StreamTarget } from '../../store/restorer/restore-in-order.ts';

/** What a restore has written so far. */
export interface Written {
  files: number;
  bytes: number;
}

interface Target {
  readonly writer: DavWriter;
  /** Where it goes: names below the person's root. */
  readonly below: Path;
  readonly signal: AbortSignal;
  readonly written: Written;
}

/** What concerns one entry alone; anything else ends a restore. */
const ofOneEntry: readonly ErrorCode[] = [
  'source/forbidden',
  'source/not-found',
  'source/malformed',
  'source/changed',
  'source/loop',
  'source/refused-redirect',
];

/**
 * A new folder of the person at the source, for a restore. Throws `restore/not-written` if the server refuses one entry, and what the writer throws
 * for anything else.
 */
export function openSourceTarget({ writer, below, signal, written }: Target): StreamTarget {
  const at = (path: Path) => [...below, ...path];
  const guarded = <T>(path: Path, work: Promise<T>) =>
    work.catch((error: unknown) => {
      throw isAppError(error) && ofOneEntry.includes(error.code) ? notWritten(path, error) : error;
    });
  return {
    makeFolder: async (path) => {
      if (path.length > 0) await guarded(path, writer.makeCollection(at(path), signal));
    },
    writeFile: async (path, content, { size, mtime }) => {
      await guarded(path, writer.put(at(path), { size, mtime, content }, signal));
      written.files += 1;
      written.bytes += size;
    },
    makeLink: async (path) => {
      throw new AppError('restore/not-written', `Could not write ${spell(path)}: WebDAV has no links.`);
    },
  };
}

function notWritten(path: Path, cause: AppError): AppError {
  const status = typeof cause.detail.status === 'number' ? `HTTP ${cause.detail.status}` : cause.message;
  return new AppError(
    'restore/not-written',
    `Could not write ${spell(path)}: the server does not accept it (${status}).`,
    {
      cause,
    },
  );
}

function spell(path: Path): string {
  return shownName(path.join('/'));
}

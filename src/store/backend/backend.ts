import { AppError } from '../../errors.ts';

/**
 * Where a repository lies: bytes under names, nothing of blobs or snapshots. Every implementation keeps the same promises
 * (test/contract/backend holds them to it); retrying and the like are wrappers around the same interface.
 */

/**
 * The folders of a repository; `config` is one file, whose name is ignored. Those of `card` are Nightkeep's own: stock restic passes over
 * folders that it does not know. Marks of people's rows (`mark`) and exports of Nightkeep's own state (`state`) have places for themselves.
 */
export type FileType = 'config' | 'key' | 'snapshot' | 'index' | 'lock' | 'data' | 'card' | 'mark' | 'state';

export interface ListedFile {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** By the clock of the store; only of `stat`, where the store tells. */
  readonly modified?: Date;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface Backend {
  /** For people and logs: where it is. Holds no secret. */
  readonly location: string;
  /** What stock restic has to be told besides the location, which it takes as its repository; absent where that is nothing. */
  readonly resticOptions?: readonly string[];
  /** A file read in many parts costs about as much as one read whole: nothing is asked over a network. */
  readonly isNear?: true;
  /**
   * Durable and whole when it resolves; readers never see a part of it. Throws `store/exists` when the name is taken:
   * files are written once.
   */
  save(type: FileType, name: string, bytes: Uint8Array): Promise<void>;
  /**
   * The whole file, or exactly the range asked for, in memory that is the caller's: in `memory`, where what was asked for fits and the
   * store can read into it. Throws `store/not-found`; `repository/damaged` when the file ends before the range does, and for a whole one
   * that is longer than any of its type.
   */
  load(type: FileType, name: string, range?: ByteRange, memory?: ArrayBuffer): Promise<Buffer>;
  /** The files of a type in no order, leftovers of broken writes not among them. */
  list(type: FileType): AsyncIterable<ListedFile>;
  /** Throws `store/not-found`. */
  stat(type: FileType, name: string): Promise<ListedFile>;
  /** Throws `store/not-found`. */
  remove(type: FileType, name: string): Promise<void>;
  /** Removes what `list` does not show: leftovers of broken writes, empty folders. For when nobody else writes there. */
  vacate(): Promise<void>;
}

/** The name under which `config` is read and listed. */
export const configName = 'config';

/** The path of a file inside a repository, the same on disks and in buckets. */
export function pathOf(type: FileType, name: string): string {
  if (type === 'config') return configName;
  return type === 'data' ? `data/${name.slice(0, 2)}/${name}` : `${folders[type]}/${name}`;
}

/** The folder of a type. */
export const folders = {
  key: 'keys',
  snapshot: 'snapshots',
  index: 'index',
  lock: 'locks',
  data: 'data',
  card: 'cards',
  mark: 'marks',
  state: 'states',
} as const;

const mebibyte = 1024 * 1024;

/** Many times what any program writes: whoever may write to a store makes nobody hold more in memory than this. */
export const longestFile: Readonly<Record<FileType, number>> = {
  config: mebibyte,
  key: mebibyte,
  lock: mebibyte,
  card: mebibyte,
  mark: mebibyte,
  snapshot: 16 * mebibyte,
  index: 64 * mebibyte,
  state: 256 * mebibyte,
  data: 4096 * mebibyte,
};

/** What a whole file is that cannot be one of its type. */
export function tooLong(type: FileType, name: string): AppError {
  const file = pathOf(type, name);
  const message = `The file ${file} is longer than any file of its kind can be, so it was not read. Remove it, or bring the right one back from a copy of the store.`;
  return new AppError('repository/damaged', message, { detail: { file } });
}

/** The error for a file that the store does not have. */
export function notThere(path: string): AppError {
  return new AppError('store/not-found', 'The store has no such file.', { detail: { path } });
}

/** Whether a name can be a file of a repository; anything else in its folders is a leftover. */
export function isFileName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

import { randomUUID } from 'node:crypto';
import { closeSync, constants, ftruncateSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { isAppError } from '../../errors.ts';
import { openBlob, openingBuffers } from '../format/blob.ts';
import type { MasterKey } from '../format/envelope.ts';
import { type BlobId, idOf } from '../format/ids.ts';
import { type Attributes, modeInWriting, pathForSystem, setOfOpenFile } from './attributes.ts';
import { errnoOf } from './target-errors.ts';

/** A file on its way: written under another name beside its own, which it gets once it is whole. */
export interface FileInWriting {
  readonly path: string;
  readonly temporary: string;
  readonly size: number;
  readonly attributes: Attributes;
}

/** One read of a pack, and where its blobs go. */
export interface WriteTask {
  readonly kind: 'write';
  /** Sealed blobs; none where all files are empty. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly blobs: readonly BlobToWrite[];
  readonly files: readonly FileOfTask[];
}

export interface BlobToWrite {
  readonly id: BlobId;
  /** In `bytes`. */
  readonly offset: number;
  readonly length: number;
  readonly uncompressedLength?: number;
  readonly places: readonly Place[];
}

export interface Place {
  /** Among the files of the task. */
  readonly file: number;
  /** Bytes into the file. */
  readonly at: number;
}

export interface FileOfTask extends FileInWriting {
  /** How many places the task fills in it. */
  readonly places: number;
  /** Whether these are all: the task then finishes the file. */
  readonly isWhole: boolean;
}

/** Files that are there already: whether they hold these blobs. */
export interface CompareTask {
  readonly kind: 'compare';
  readonly files: readonly { readonly path: string; readonly parts: readonly { id: BlobId; length: number }[] }[];
}

export type Task = WriteTask | CompareTask;

/** What became of each file of a task; `damaged` where a blob does not open, `failed` with the system's name for why. */
export type Outcome =
  | { readonly kind: 'written' | 'damaged' | 'same' | 'different' }
  | { readonly kind: 'failed'; readonly errno: string };

/** What a thread answers: the outcomes, and the memory of the task's bytes to be used again. */
export interface Answer {
  readonly outcomes: readonly Outcome[];
  readonly memory: ArrayBuffer | undefined;
}

/** Does a task, in the calling thread. A file that failed leaves nothing behind, unless other tasks write to it too. */
export function doTask(key: MasterKey, task: Task): Outcome[] {
  return task.kind === 'compare' ? task.files.map(compare) : writeBatch(key, task);
}

/** A name for a file in writing. Short, because the final name may already be as long as names can be; Node draws the bytes of many at once. */
export function temporaryName(): string {
  return `.nightkeep-${randomUUID().slice(-12)}`;
}

/** What a process that was killed left behind. */
export const leftoverName = /^\.nightkeep-[0-9a-f]{12}$/;

/** Descriptors that are open at a time, in each thread. */
const mostOpen = 64;

const buffers = openingBuffers();

interface Progress {
  left: number;
  fd: number | undefined;
  /** Where the last bytes end that were written; a hole may follow. */
  end: number;
  outcome: Outcome;
}

function writeBatch(key: MasterKey, { bytes, blobs, files }: WriteTask): Outcome[] {
  const progress = files.map((file): Progress => ({ left: file.places, fd: undefined, end: 0, outcome: written }));
  const open = new Set<Progress>();

  const attempt = (index: number, work: (file: FileOfTask, state: Progress) => void) => {
    const file = files[index];
    const state = progress[index];
    if (file === undefined || state === undefined || state.outcome.kind !== 'written') return;
    try {
      work(file, state);
      if (state.left === 0 && file.isWhole) finishFile(fdOf(file, state), file, state.end);
    } catch (error) {
      state.outcome = failedBy(error);
    }
    if (state.left === 0 || state.outcome.kind !== 'written') close(state);
    if (state.outcome.kind !== 'written' && file.isWhole) discard(file);
  };

  const fdOf = (file: FileOfTask, state: Progress) => {
    if (state.fd !== undefined) return state.fd;
    const [oldest] = open;
    if (oldest !== undefined && open.size >= mostOpen) close(oldest);
    open.add(state);
    state.fd = openInWriting(file);
    return state.fd;
  };

  const close = (state: Progress) => {
    open.delete(state);
    if (state.fd !== undefined) closeSync(state.fd);
    state.fd = undefined;
  };

  for (const { id, offset, length, uncompressedLength, places } of blobs) {
    const sealed = bytes?.subarray(offset, offset + length) ?? none;
    const plain = opened(() => openBlob(key, id, sealed, uncompressedLength, buffers));
    for (const { file: index, at } of places)
      attempt(index, (file, state) => {
        if (plain === undefined) {
          state.outcome = { kind: 'damaged' };
          return;
        }
        state.end = Math.max(state.end, writeSparsely(fdOf(file, state), plain, at));
        state.left -= 1;
      });
  }
  for (const [index, { places }] of files.entries()) if (places === 0) attempt(index, () => {});
  for (const state of open) close(state);
  return progress.map(({ outcome }) => outcome);
}

const written: Outcome = { kind: 'written' };
const none = new Uint8Array();

/** Opens a file in writing, which is made by whoever comes first. */
export function openInWriting({ temporary, attributes }: FileInWriting): number {
  const { O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  return openSync(pathForSystem(temporary), O_WRONLY | O_CREAT | O_NOFOLLOW, modeInWriting(attributes));
}

/** Gives a file that is whole its length, where it may end in a hole, its attributes and its name. */
export function finishFile(fd: number, { path, temporary, size, attributes }: FileInWriting, end = 0): void {
  if (end < size) ftruncateSync(fd, size);
  setOfOpenFile(fd, attributes);
  renameSync(pathForSystem(temporary), pathForSystem(path));
}

/** Removes a file in writing. */
export function discard({ temporary }: FileInWriting): void {
  rmSync(pathForSystem(temporary), { force: true });
}

const sliceLength = 64 * 1024;
const shortestHole = 4096;
const zeros = Buffer.alloc(sliceLength);

/** Writes the bytes at their place, but for long runs of zeros, which stay holes: the file must be new there. Answers where they end. */
export function writeSparsely(fd: number, bytes: Buffer, at: number): number {
  let from = 0;
  let end = 0;
  for (let start = 0; start < bytes.length; start += sliceLength) {
    const next = Math.min(start + sliceLength, bytes.length);
    if (!isHole(bytes, start, next)) {
      end = at + next;
      continue;
    }
    writeFully(fd, bytes.subarray(from, start), at + from);
    from = next;
  }
  writeFully(fd, bytes.subarray(from), at + from);
  return end;
}

function isHole(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== 0 || bytes[end - 1] !== 0 || end - start < shortestHole) return false;
  return bytes.subarray(start, end).equals(zeros.subarray(0, end - start));
}

function writeFully(fd: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

function compare({ path, parts }: CompareTask['files'][number]): Outcome {
  try {
    return { kind: holds(path, parts) ? 'same' : 'different' };
  } catch (error) {
    return errnoOf(error) === 'EACCES' ? { kind: 'different' } : failedBy(error);
  }
}

function holds(path: string, parts: CompareTask['files'][number]['parts']): boolean {
  const fd = openSync(pathForSystem(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return parts.every(({ id, length }) => idOf(readFully(fd, length)) === id);
  } finally {
    closeSync(fd);
  }
}

function readFully(fd: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let got = 0;
  for (let count = 1; got < length && count > 0; got += count) count = readSync(fd, bytes, got, length - got, null);
  return bytes.subarray(0, got);
}

function opened(open: () => Buffer): Buffer | undefined {
  try {
    return open();
  } catch (error) {
    if (isAppError(error, 'repository/damaged')) return undefined;
    throw error;
  }
}

function failedBy(error: unknown): Outcome {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return { kind: 'failed', errno };
}

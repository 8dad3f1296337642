import type { Clock } from '../../clock.ts';
import { isAppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import type { DataId } from '../format/ids.ts';
import type { FileNode, Node } from '../format/node.ts';
import type { ArchiveRepository } from './contract.ts';
import { type FinishedNodes, openFinishedNodes } from './finished.ts';
import { type Begun, decodeJournal, encodeEntries } from './journal.ts';
import type { SealerStream } from './sealer-handle.ts';
import type { Sealing } from './sealing.ts';

/**
 * Where an archive that is interrupted can be gone on from: what it had finished stands in journals, which are data of the
 * repository that no snapshot names, so that a prune removes them once the archive is complete.
 */
export interface Checkpoint {
  /** The blobs of each journal, in order. */
  readonly journals: readonly (readonly DataId[])[];
}

/** A long file on its way. */
export interface LongReading {
  readonly folder: string;
  /** What its node will be, without content. */
  readonly node: FileNode;
  /** What of it an archive before had read. */
  readonly begun: FileNode | undefined;
  readonly stream: Pick<SealerStream, 'tell'>;
}

/** To be disposed of when the file has ended. */
export interface Following extends Disposable {
  /** Told of its bytes as they are read. */
  passed(bytes: number): void;
}

/** Makes checkpoints of an archive while it goes on. */
export interface Checkpoints {
  /** What is finished, from the checkpoint that this archive goes on from as well. */
  readonly finished: Pick<FinishedNodes, 'nodesIn' | 'begun'>;
  /** Told of what needs no work any more. */
  finish(folder: string, node: Node): void;
  /** Told of a long file on its way. */
  follow(reading: LongReading): Following;
  /** Where so much was read since the last one that no more may be until the next is saved: resolves when it is, or cannot be. */
  room(): Promise<void> | undefined;
  /** Makes the last one, of all that is finished. */
  conclude(): Promise<void>;
  /** Resolves when none is being made, and none will be. */
  end(): Promise<void>;
}

export interface CheckpointOptions {
  readonly repository: ArchiveRepository;
  readonly sealing: Sealing;
  readonly clock: Clock;
  /** The one to go on from. */
  readonly from?: Checkpoint | undefined;
  /** Called with each once everything that it needs is on the store and in index files; it takes the place of the one before. */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

/**
 * Less than 10 s of work and 32 MiB are lost: while a checkpoint is being made no more is read than `mostUnsaved` in all, and short
 * files on their way come on top of that. An archive that is young makes the next as
 * soon as it has read as much again: however often it is interrupted, little more than half of what it reads is lost.
 */
const everyMs = 8_000;
/** How often it is looked whether one is due, however long nothing is finished. */
const lookEveryMs = 1_000;
const mostBytes = 16 * 1024 * 1024;
const mostUnsaved = 23 * 1024 * 1024;
const leastBytes = 1024 * 1024;
/** From here on an entry is gone on with in its middle; a shorter one is read again. */
export const longEntry = 1024 * 1024;
/** How many journals are merged into one. */
const mostJournals = 64;

/** Begins to make checkpoints of an archive, every eight seconds or 16 MiB; without `onCheckpoint` it makes none, and only tells what `from` had finished. Throws as reading the repository does. */
export async function openCheckpoints(options: CheckpointOptions): Promise<Checkpoints> {
  const { sealing, repository, clock, onCheckpoint: save } = options;
  const all = await loadFinished(repository, options.from);
  const readings = new Map<LongReading, { told: number }>();
  let recent = openFinishedNodes();
  let journals: Checkpoint['journals'] = [];
  let making: Promise<void> | undefined;
  let over = save === undefined;
  /** Bytes of what was finished, and of long files on their way: in all, when one was last begun, and by the last. */
  let done = 0;
  let tried = { at: clock.elapsed(), done };
  let saved = 0;
  /** Whether the last one could be saved: where none can be, an archive goes on without. */
  let isSaved = true;

  const looking = over ? undefined : clock.every(lookEveryMs, look);

  function look(): void {
    sealing.post();
    consider();
  }

  function consider(): void {
    if (over || making !== undefined || !isDue()) return;
    making = make()
      .then(() => {
        isSaved = true;
      })
      .catch(() => {
        isSaved = false;
      })
      .finally(() => {
        making = undefined;
      });
  }

  function isDue(): boolean {
    if (recent.isEmpty && readings.size === 0) return false;
    if (clock.elapsed() - tried.at >= everyMs) return true;
    return done - saved >= Math.min(mostBytes, Math.max(leastBytes, saved)) && done - tried.done >= leastBytes;
  }

  async function make(): Promise<void> {
    tried = { at: clock.elapsed(), done };
    const { done: until } = tried;
    const news = recent;
    recent = openFinishedNodes();
    const begun = await Promise.all(Array.from(readings.keys(), tellBegun));
    for (const entry of begun) if (entry !== undefined) all.add(entry);
    const isWhole = journals.length === 0 || journals.length >= mostJournals;
    const entries = isWhole ? all.entries() : [...news.entries(), ...begun.filter((entry) => entry !== undefined)];
    const before = isWhole ? [] : journals;
    journals = [];
    const bytes = await encodeEntries(entries);
    if (bytes.length === 0) return;
    const content = await store(bytes);
    await sealing.flush();
    await repository.flush();
    await save?.({ journals: [...before, content] });
    journals = [...before, content];
    saved = until;
  }

  async function tellBegun(reading: LongReading): Promise<Begun | undefined> {
    const state = readings.get(reading);
    if (state === undefined) return undefined;
    const { folder, node, begun, stream } = reading;
    const { content, bytes } = await stream.tell(state.told);
    if (content.length === 0) return undefined;
    const after = state.told === 0 && begun === undefined ? 0 : (begun?.content.length ?? 0) + state.told;
    state.told += content.length;
    return { folder, node: { ...node, size: (begun?.size ?? 0) + bytes, content }, after };
  }

  async function store(bytes: readonly Buffer[]): Promise<readonly DataId[]> {
    const stream = sealing.openEntry(bytes.reduce((sum, { length }) => sum + length, 0));
    for (const piece of bytes) await stream.write(piece);
    const content = stream.end();
    sealing.post();
    return content;
  }

  return {
    finished: all,
    finish(folder, node) {
      if (over || all.nodesIn(folder)?.get(node.name) === node) return;
      const entry = { folder, nodes: [node] };
      all.add(entry);
      recent.add(entry);
      if (node.type === 'file' && node.size < longEntry) done += node.size;
      consider();
    },
    follow(reading) {
      readings.set(reading, { told: 0 });
      return {
        passed(bytes) {
          done += bytes;
          consider();
        },
        [Symbol.dispose]: () => void readings.delete(reading),
      };
    },
    room() {
      return isSaved && !over && done - saved >= mostUnsaved ? making : undefined;
    },
    async conclude() {
      await making;
      if (over) return;
      await sealing.flush();
      if (!recent.isEmpty) await make();
    },
    async end() {
      over = true;
      looking?.[Symbol.dispose]();
      await making;
    },
  };
}

/** What stands in the journals, as far as they are there: a prune by another program takes them. */
async function loadFinished(repository: ArchiveRepository, from: Checkpoint | undefined): Promise<FinishedNodes> {
  const finished = openFinishedNodes();
  try {
    for (const blobs of from?.journals ?? []) {
      const bytes = await Promise.all(blobs.map((id) => repository.loadBlob('data', id)));
      for await (const [entry] of piecesOf(decodeJournal(Buffer.concat(bytes)), 1)) if (entry) finished.add(entry);
    }
  } catch (error) {
    if (!isAppError(error, 'repository/damaged')) throw error;
  }
  return finished;
}

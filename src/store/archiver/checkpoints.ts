import type { Clock } from '../../clock.ts';
import { isAppError } from '../../errors.ts';
import { piecesOf } from '../../pieces.ts';
import type { Node } from '../format/node.ts';
import { openCheckpointPace } from './checkpoint-pace.ts';
import type { ArchiveRepository } from './contract.ts';
import { type FinishedNodes, openFinishedNodes } from './finished.ts';
import { type Begun, decodeJournal, type JournalEntry, type Journals } from './journal.ts';
import { openJournalWriter } from './journal-writer.ts';
import { type LongReading, longEntry, openLongReadings } from './long-readings.ts';
import type { Sealing } from './sealing.ts';

/**
 * Where an interrupted archive can be continued: journals list what it had finished. They are data of the repository that no snapshot
 * names, so a prune removes them once the archive is complete.
 */
export interface Checkpoint {
  readonly journals: Journals;
}

/** Counts the bytes of one long file; dispose of it when the file has ended. */
export interface Following extends Disposable {
  /** Counts bytes as they are read. */
  passed(bytes: number): void;
}

/** Makes checkpoints of an archive while it is under way. */
export interface Checkpoints {
  /** What is finished, including what the checkpoint that this archive continues from had finished. */
  readonly finished: Pick<FinishedNodes, 'nodesIn' | 'begun'>;
  /** Notes a node that needs no more work. */
  finish(folder: string, node: Node): void;
  /** Notes a long file that is being read. */
  follow(reading: LongReading): Following;
  /** Where too much was read since the last checkpoint, a promise to wait for before reading on: the next one is saved then, or cannot be. */
  room(): Promise<void> | undefined;
  /** Makes the last one, of all that is finished. */
  conclude(): Promise<void>;
  /** Makes no more of them; resolves when none is being made. */
  end(): Promise<void>;
}

export interface CheckpointOptions {
  readonly repository: ArchiveRepository;
  readonly sealing: Sealing;
  readonly clock: Clock;
  /** The one to continue from. */
  readonly from?: Checkpoint | undefined;
  /** Called with each checkpoint once all that it needs is on the store and in index files. Each replaces the one before. */
  readonly onCheckpoint?: ((checkpoint: Checkpoint) => Promise<void>) | undefined;
}

/** How often to look whether one is due, even while nothing gets finished. */
const lookEveryMs = 1_000;

/**
 * Begins to make checkpoints of an archive, at the pace of `CheckpointPace`. Without `onCheckpoint` it makes none, and only knows what `from`
 * had finished. Throws what reading the repository throws.
 */
export async function openCheckpoints(options: CheckpointOptions): Promise<Checkpoints> {
  const { sealing, repository, clock, onCheckpoint } = options;
  const all = await loadFinished(repository, options.from);
  const pace = openCheckpointPace(clock);
  const readings = openLongReadings();
  const writer = openJournalWriter({ sealing, repository }, async (journals) => onCheckpoint?.({ journals }));
  let recent = openFinishedNodes();
  let making: Promise<void> | undefined;
  let over = onCheckpoint === undefined;
  /** Whether the last one could be saved: where none can be, the archive continues without. */
  let isSaved = true;

  const looking = over
    ? undefined
    : clock.every(lookEveryMs, () => {
        sealing.post();
        consider();
      });

  function consider(): void {
    const isNews = !recent.isEmpty || !readings.isEmpty;
    if (over || making !== undefined || !isNews || !pace.isDue) return;
    making = make()
      .then(
        () => true,
        () => false,
      )
      .then((wasSaved) => {
        isSaved = wasSaved;
        making = undefined;
      });
  }

  async function make(): Promise<void> {
    const saved = pace.begin();
    const finished = recent;
    recent = openFinishedNodes();
    const begun = await readings.takeNews();
    for (const entry of begun) all.add(entry);
    if (await writer.write(all, together(finished, begun))) saved();
  }

  return {
    finished: all,
    finish(folder, node) {
      if (over || all.nodesIn(folder)?.get(node.name) === node) return;
      const entry = { folder, nodes: [node] };
      all.add(entry);
      recent.add(entry);
      if (node.type === 'file' && node.size < longEntry) pace.passed(node.size);
      consider();
    },
    follow(reading) {
      const held = readings.add(reading);
      return {
        passed(bytes) {
          pace.passed(bytes);
          consider();
        },
        [Symbol.dispose]: () => held[Symbol.dispose](),
      };
    },
    room: () => (isSaved && !over && pace.isFarAhead ? making : undefined),
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

function* together(finished: FinishedNodes, begun: readonly Begun[]): Generator<JournalEntry> {
  yield* finished.entries();
  yield* begun;
}

/** What the journals list, as far as they are still there: a prune by another program removes them. */
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

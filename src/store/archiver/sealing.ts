import { availableParallelism } from 'node:os';
import { release } from '../../release.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { FinishedPack } from '../format/pack.ts';
import { createClaimedBlobs } from './claimed-blobs.ts';
import type { KnownBlobs } from './contract.ts';
import { openSealerHandle, type SealerHandle, type SealerStream } from './sealer-handle.ts';
import { type Added, noneAdded } from './sealing-messages.ts';
import { type StartSealer, startInline, startInThread } from './start-sealer.ts';

/** Turns content and trees into stored packs: little of it in the calling thread, more in threads of their own. */
export interface Sealing extends AsyncDisposable {
  /** What was new until now. */
  readonly added: Added;
  /** Takes the content of one entry, of about this many bytes. */
  openEntry(size?: number): SealerStream;
  /** Takes a tree that the repository does not hold, in pieces of its bytes, and frees their memory; resolves when it is handed over. */
  saveTree(pieces: readonly Uint8Array[]): Promise<void>;
  /**
   * Has what was handed over until now sealed, except the last bytes of open streams. Otherwise it may wait for more as long as a stream is
   * open, which may be long where a source stalls in the middle of an entry.
   */
  post(): void;
  /** Resolves when everything handed over until now, except the last bytes of open streams, is in packs and the packs are stored. */
  flush(): Promise<void>;
  /** The same, once nothing is open any more. */
  finish(): Promise<void>;
}

export interface SealingOptions {
  readonly masterKey: MasterKey;
  readonly chunkerPolynomial: bigint;
  readonly index: KnownBlobs;
  savePack(pack: FinishedPack): Promise<void>;
  /** A thread died or the store failed: nothing more can be sealed. */
  onFailure(error: unknown): void;
  readonly threads?: number;
  /** Told for how long more the threads had a processor. */
  readonly onProcessor?: ((ms: number) => void) | undefined;
}

/** Two seal more than a gigabit line delivers; each holds 60 MiB, open packs and what is on its way included. */
const mostThreads = 2;
/** A thread with this much to do is busy. */
const busy = 2 * 1024 * 1024;

/** So much is sealed without a thread, which would take longer to start: many a night brings no more. */
const little = 1024 * 1024;

/**
 * Threads start as they are needed: a night that brings little needs none. One core is left to the main thread, which fetching keeps
 * busy.
 */
export function openSealing(options: SealingOptions): Sealing {
  const { masterKey, chunkerPolynomial, index, savePack, onFailure, onProcessor = () => undefined } = options;
  const threads = options.threads ?? Math.max(1, Math.min(mostThreads, availableParallelism() - 1));
  let claimedBlobs: SharedArrayBuffer | undefined;
  const sealers: SealerHandle[] = [];
  const inThreads: SealerHandle[] = [];
  let inline: SealerHandle | undefined;
  let littleLeft = little;
  let packs = 0;
  const added = noneAdded();

  /** One more than there are threads, so that each can work on while its last pack is being stored. */
  const storeKeepsUp = () => packs <= sealers.length;

  async function save(pack: FinishedPack): Promise<void> {
    packs++;
    try {
      await savePack(pack);
    } finally {
      packs--;
      for (const sealer of sealers) sealer.settle();
    }
  }

  function open(start: StartSealer, most?: number): SealerHandle {
    claimedBlobs ??= createClaimedBlobs();
    const shared = { module: index.module, shared: index.share() };
    const task = { masterKey, chunkerPolynomial, claimedBlobs, index: shared, ...(most !== undefined && { most }) };
    const sealer = openSealerHandle({
      start,
      task,
      savePack: save,
      storeKeepsUp,
      onFailure,
      onProcessor,
      onAdded: count,
    });
    sealers.push(sealer);
    return sealer;
  }

  function count(more: Added): void {
    added.dataBlobs += more.dataBlobs;
    added.treeBlobs += more.treeBlobs;
    added.bytes += more.bytes;
    added.packedBytes += more.packedBytes;
  }

  /** The sealer of the calling thread, as long as no other thread runs and this much is still little. */
  function inlineFor(size: number): SealerHandle | undefined {
    if (inThreads.length > 0 || size > littleLeft) return undefined;
    littleLeft -= size;
    inline ??= open(startInline, little);
    return inline;
  }

  function startThread(): SealerHandle {
    const sealer = open(startInThread);
    inThreads.push(sealer);
    return sealer;
  }

  function leastBusy(): SealerHandle {
    const sealer = inThreads.toSorted((a, b) => a.load - b.load)[0];
    if (sealer === undefined || (sealer.load >= busy && inThreads.length < threads)) return startThread();
    return sealer;
  }

  return {
    added,
    openEntry: (size = Number.POSITIVE_INFINITY) => (inlineFor(size) ?? leastBusy()).open('data'),
    /** All trees go to the first thread, so that there is one open pack of them. */
    async saveTree(pieces) {
      const length = pieces.reduce((sum, bytes) => sum + bytes.length, 0);
      const sealer = inlineFor(length) ?? inThreads[0] ?? startThread();
      const tree = sealer.open('tree');
      for (const bytes of pieces) {
        await tree.write(bytes);
        release(bytes);
      }
      await tree.end();
    },
    post() {
      for (const sealer of sealers) sealer.post();
    },
    async flush() {
      await Promise.all(sealers.map((sealer) => sealer.flush()));
    },
    async finish() {
      await Promise.all(sealers.map((sealer) => sealer.finish()));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sealers.map((sealer) => sealer.stop(new Error('Sealing has ended.'))));
    },
  };
}

import { availableParallelism } from 'node:os';
import type { MasterKey } from '../format/envelope.ts';
import type { FinishedPack } from '../format/pack.ts';
import { createClaims } from './claimed-blobs.ts';
import type { KnownBlobs } from './contract.ts';
import { type Lane, type LaneStream, openLane } from './sealer-handle.ts';
import { type Added, noneAdded } from './sealing-messages.ts';
import { here, inThread, type SealingPlace } from './sealing-place.ts';

/** Turns content and trees into stored packs: little of it right here, more in threads of its own. */
export interface Sealing extends AsyncDisposable {
  /** What was new so far. */
  readonly added: Added;
  /** Takes the content of one entry, of about so many bytes. */
  openEntry(size?: number): LaneStream;
  /** Takes a tree that the repository does not hold; resolves when it is handed over. */
  saveTree(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything handed over is in packs and the packs are stored. */
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
  /** Whether little is expected to come. */
  readonly few?: boolean;
}

/** Two seal more than a gigabit line brings; each holds 60 MiB, open packs and what is on its way. */
const mostThreads = 2;
/** A thread with this much to do is busy. */
const busy = 2 * 1024 * 1024;

/** So much of a night that brings little is sealed without a thread, which would take longer to start. */
const little = 1024 * 1024;

/**
 * Threads start as they are needed, the first at once where much is to come: a night with few changes needs none. One core
 * is left to the main thread, which fetching keeps busy.
 */
export function openSealing(options: SealingOptions): Sealing {
  const { masterKey, chunkerPolynomial, index, savePack, onFailure, few = false } = options;
  const threads = options.threads ?? Math.max(1, Math.min(mostThreads, availableParallelism() - 1));
  const claims = createClaims();
  const lanes: Lane[] = [];
  const running: Lane[] = [];
  let aside: Lane | undefined;
  let littleLeft = few ? little : 0;
  let packs = 0;
  const added = noneAdded();

  /** One more than there are threads: each goes on while its last pack is on its way. */
  const storeKeepsUp = () => packs <= lanes.length;

  async function save(pack: FinishedPack): Promise<void> {
    packs++;
    try {
      await savePack(pack);
    } finally {
      packs--;
      for (const lane of lanes) lane.settle();
    }
  }

  function start(place: SealingPlace): Lane {
    const task = { masterKey, chunkerPolynomial, claims, index: { module: index.module, shared: index.share() } };
    const lane = openLane({ place, task, savePack: save, storeKeepsUp, onFailure, onAdded: count });
    lanes.push(lane);
    return lane;
  }

  function count(more: Added): void {
    added.dataBlobs += more.dataBlobs;
    added.treeBlobs += more.treeBlobs;
    added.bytes += more.bytes;
    added.packedBytes += more.packedBytes;
  }

  /** The lane right here, as long as no thread runs and this much is still little. */
  function besides(size: number): Lane | undefined {
    if (running.length > 0 || size > littleLeft) return undefined;
    littleLeft -= size;
    aside ??= start(here);
    return aside;
  }

  function startThread(): Lane {
    const lane = start(inThread);
    running.push(lane);
    return lane;
  }

  function leastBusy(): Lane {
    const lane = running.toSorted((a, b) => a.load - b.load)[0];
    if (lane === undefined || (lane.load >= busy && running.length < threads)) return startThread();
    return lane;
  }

  if (!few) startThread();

  return {
    added,
    openEntry: (size = Number.POSITIVE_INFINITY) => (besides(size) ?? leastBusy()).open('data'),
    /** All trees go to the first thread, so that there is one open pack of them. */
    async saveTree(bytes) {
      const lane = besides(bytes.length) ?? running[0] ?? startThread();
      const tree = lane.open('tree');
      await tree.write(bytes);
      await tree.end();
    },
    async finish() {
      await Promise.all(lanes.map((lane) => lane.finish()));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(lanes.map((lane) => lane.stop(new Error('Sealing has ended.'))));
    },
  };
}

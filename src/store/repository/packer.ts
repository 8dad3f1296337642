import type { Clock } from '../../clock.ts';
import { minuteMs } from '../../durations.ts';
import type { Backend } from '../backend/backend.ts';
import type { PackId } from '../format/ids.ts';
import { blobsPerIndex } from '../format/index-file.ts';
import type { FinishedPack } from '../format/pack.ts';
import { decodeEntries } from '../format/pack-header.ts';
import type { Indexes } from './indexes.ts';
import type { MasterIndex } from './master-index.ts';

/** Puts finished packs on the store, then into index files: the order that a crash at any point survives. */
export interface Packer {
  /** Resolves when the pack is durable and its blobs are in the repository's index. */
  savePack(pack: FinishedPack): Promise<void>;
  /** Resolves when index files name every pack that was saved. Only then may a snapshot be written. */
  flush(): Promise<void>;
}

/** What a packer writes to; a Repository is one. */
export interface PackerTarget extends Pick<Indexes, 'saveIndex'> {
  readonly backend: Backend;
  readonly index: MasterIndex;
}

/** An interrupted run loses no more than this: what an index names is not sent again. */
const longestWithoutIndexMs = 10 * minuteMs;

/** Index files are written as they are full, every ten minutes, and at `flush`. */
export function openPacker({ backend, index, saveIndex }: PackerTarget, clock: Clock): Packer {
  let waiting: PackId[] = [];
  let blobs = 0;
  let since = clock.elapsed();

  async function flush(): Promise<void> {
    const packs = waiting;
    waiting = [];
    blobs = 0;
    since = clock.elapsed();
    if (packs.length > 0) await saveIndex(packs.map(index.pack));
  }

  return {
    async savePack({ id, entries, bytes }) {
      await backend.save('data', id, bytes);
      const packed = decodeEntries(entries);
      index.insertPack(id, packed);
      if (blobs + packed.length > blobsPerIndex) await flush();
      waiting.push(id);
      blobs += packed.length;
      if (clock.elapsed() - since >= longestWithoutIndexMs) await flush();
    },
    flush,
  };
}

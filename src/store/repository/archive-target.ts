import type { Clock } from '../../clock.ts';
import type { MasterKey } from '../format/envelope.ts';
import type { TreeId } from '../format/ids.ts';
import type { Tree } from '../format/tree.ts';
import type { Blobs } from './blobs.ts';
import type { BlobIndex } from './master-index.ts';
import { openPacker, type Packer } from './packer.ts';
import type { Repository } from './repository.ts';
import { openTreeReadAhead } from './tree-read-ahead.ts';

/** A repository as the archiver sees it. */
export interface ArchiveTarget extends Packer, Pick<Blobs, 'loadBlob' | 'loadBlobs'> {
  readonly masterKey: MasterKey;
  readonly chunkerPolynomial: bigint;
  /** Threads open it by themselves: `module` exports `openSharedIndex`, which takes what `share` answers. */
  readonly index: BlobIndex & { readonly module: string; share(): unknown };
  loadTree(id: TreeId): Promise<Tree>;
}

/** The folders of some two thousand files: a spot check comes back to those that are on the way to its sample. */
const keptTreeBytes = 1024 * 1024;

/**
 * Opens the repository, its index loaded, for one run of the archiver. The caller holds its lock; nothing is written before
 * `settled` resolves, where the lock is still being taken.
 */
export function openArchiveTarget(
  repository: Repository,
  clock: Clock,
  settled: Promise<unknown> = Promise.resolve(),
): ArchiveTarget {
  const { savePack, flush } = openPacker(repository, clock);
  const { masterKey, config, index } = repository;
  const module = new URL('./master-index.ts', import.meta.url).href;
  const { has, find, share } = index;
  return {
    savePack: async (pack) => {
      await settled;
      await savePack(pack);
    },
    flush: async () => {
      await settled;
      await flush();
    },
    masterKey,
    chunkerPolynomial: config.polynomial,
    index: { has, find, share, module },
    loadBlob: repository.loadBlob,
    loadBlobs: repository.loadBlobs,
    loadTree: openTreeReadAhead(repository, keptTreeBytes),
  };
}

import { isAppError } from '../../errors.ts';
import type { PackId } from '../../store/format/ids.ts';
import { parseId } from '../../store/format/ids.ts';
import type { FileNode } from '../../store/format/node.ts';
import type { ReadableRepository } from '../../store/restorer/contract.ts';
import { readFiles } from '../../store/restorer/read-files.ts';

const mostFiles = 16;
const mostBytes = 32 * 1024 * 1024;

/** Draws files at random, each that it is offered with the same chance, and keeps no more than are read. */
export function openSample(random: () => number): { offer(node: FileNode): void; drawn(): readonly FileNode[] } {
  const kept: FileNode[] = [];
  let offered = 0;
  return {
    offer: (node) => {
      if (node.size > mostBytes) return;
      offered++;
      const place = kept.length < mostFiles ? kept.length : Math.floor(random() * offered);
      if (place < mostFiles) kept[place] = node;
    },
    drawn: () => {
      let left = mostBytes;
      return kept.filter(({ size }) => {
        const fits = size <= left;
        if (fits) left -= size;
        return fits;
      });
    },
  };
}

export interface Drill {
  /** How many files were restored to nothing. */
  readonly files: number;
  /** Those that could not be, and the packs that keep it from that. */
  readonly failed: number;
  readonly packs: readonly PackId[];
}

/** Restores the files to nothing: all of their content is read, opened and proved to be what the snapshot says. */
export async function drill(repository: ReadableRepository, nodes: readonly FileNode[]): Promise<Drill> {
  const packs = new Set<PackId>();
  let failed = 0;
  for await (const { content } of readFiles(repository, nodes)) {
    try {
      for await (const _ of content);
    } catch (error) {
      if (!isAppError(error, 'repository/damaged')) throw error;
      failed++;
      if (typeof error.detail.packId === 'string') packs.add(parseId<PackId>(error.detail.packId));
    }
  }
  return { files: nodes.length - failed, failed, packs: [...packs] };
}

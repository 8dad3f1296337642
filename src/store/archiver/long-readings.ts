import type { FileNode } from '../format/node.ts';
import type { Begun } from './journal.ts';
import type { SealerStream } from './sealer-handle.ts';

/** Entries of at least this size are continued in the middle; a shorter one is read again. */
export const longEntry = 1024 * 1024;

/** A long file on its way. */
export interface LongReading {
  readonly folder: string;
  /** What its node will be, without content. */
  readonly node: FileNode;
  /** What of it an archive before had read. */
  readonly begun: FileNode | undefined;
  readonly stream: Pick<SealerStream, 'tell'>;
}

/** The long files that are on their way. */
export interface LongReadings {
  readonly isEmpty: boolean;
  /** To be disposed of when the file has ended. */
  add(reading: LongReading): Disposable;
  /** Of each file what was read of it since this was last asked, as far as it is sealed. */
  takeNews(): Promise<Begun[]>;
}

/** Starts with none. */
export function openLongReadings(): LongReadings {
  /** How many blobs of each were told. */
  const readings = new Map<LongReading, { told: number }>();
  return {
    get isEmpty() {
      return readings.size === 0;
    },
    add(reading) {
      readings.set(reading, { told: 0 });
      return { [Symbol.dispose]: () => void readings.delete(reading) };
    },
    async takeNews() {
      const news = await Promise.all(Array.from(readings, ([reading, state]) => newsOf(reading, state)));
      return news.filter((entry) => entry !== undefined);
    },
  };
}

async function newsOf(
  { folder, node, begun, stream }: LongReading,
  state: { told: number },
): Promise<Begun | undefined> {
  const { content, bytes } = await stream.tell(state.told);
  if (content.length === 0) return undefined;
  const after = state.told === 0 && begun === undefined ? 0 : (begun?.content.length ?? 0) + state.told;
  state.told += content.length;
  return { folder, node: { ...node, size: (begun?.size ?? 0) + bytes, content }, after };
}

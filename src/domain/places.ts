/**
 * How many runs a worker works on at a time. Most nights find few changes: such a run is light, and mostly waits. A first night, or one that reads
 * much, is heavy: it fills packs in threads of its own.
 */
export interface Places {
  /** Runs at a time in all. */
  readonly concurrency: number;
  /** How many of these may be heavy. */
  readonly heavyRuns: number;
}

/** A run is light if the last backup of its plan had at most this many entries, and added at most this many bytes. */
export const lightRun = { entries: 50_000, bytes: 16 * 1024 * 1024 };

const megabyte = 1024 * 1024;
/** The part of the memory that a worker may use; databases, the web and other workers need the rest. */
const shareOfWorker = 1 / 4;
/** What a worker takes without any run, and with each: by `bench:crowd`. */
const idleBytes = 200 * megabyte;
const heavyBytes = 160 * megabyte;
const lightBytes = 16 * megabyte;
/** More runs than this only wait for the same processors. */
const mostRuns = 16;

/** The places that fit into the memory and suit the processors of a machine: at least one. */
export function placesIn({ memoryBytes, processors }: { memoryBytes: number; processors: number }): Places {
  const left = memoryBytes * shareOfWorker - idleBytes;
  const room = (bytes: number, most: number) => Math.max(1, Math.min(most, Math.floor(left / bytes)));
  const heavyRuns = room(heavyBytes, Math.max(2, processors));
  return { heavyRuns, concurrency: Math.max(heavyRuns, room(lightBytes, mostRuns)) };
}

/** A fixed number of runs at a time, whatever they need. */
export function fixedPlaces(concurrency: number): Places {
  return { concurrency, heavyRuns: concurrency };
}

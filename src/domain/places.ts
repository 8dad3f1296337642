/**
 * How many runs a worker has at a time. Most nights find little that changed: such a run is light, and waits more than it works. A first
 * night, or one that brings much, is heavy: it fills packs in threads of its own.
 */
export interface Places {
  /** Runs at a time in all. */
  readonly concurrency: number;
  /** Of these, so many heavy ones. */
  readonly heavyRuns: number;
}

/** A run is light where the last backup of its plan had so many files at most, and brought so many new bytes. */
export const lightRun = { entries: 50_000, bytes: 16 * 1024 * 1024 };

const megabyte = 1024 * 1024;
/** Of the memory that there is, databases, the web and other workers have the rest. */
const shareOfWorker = 1 / 4;
/** What a worker takes without any run, and with each: by `bench:crowd`. */
const idleBytes = 200 * megabyte;
const heavyBytes = 160 * megabyte;
const lightBytes = 16 * megabyte;
/** More wait for the same processors. */
const mostRuns = 16;

/** The places that fit into so many bytes of memory, of a machine with so many processors: one at least. */
export function placesIn({ memoryBytes, processors }: { memoryBytes: number; processors: number }): Places {
  const left = memoryBytes * shareOfWorker - idleBytes;
  const room = (bytes: number, most: number) => Math.max(1, Math.min(most, Math.floor(left / bytes)));
  const heavyRuns = room(heavyBytes, Math.max(2, processors));
  return { heavyRuns, concurrency: Math.max(heavyRuns, room(lightBytes, mostRuns)) };
}

/** So many runs at a time, whatever they need. */
export function fixedPlaces(concurrency: number): Places {
  return { concurrency, heavyRuns: concurrency };
}

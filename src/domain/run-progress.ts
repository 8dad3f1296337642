/** What a run is at: asking the provider for access, opening the repository, reading the sources, writing the snapshot. */
export type RunStep = (typeof runSteps)[number];

/** In their order. */
export const runSteps = ['access', 'repository', 'reading', 'snapshot'] as const;

/** How far a run is. */
export interface RunProgress {
  readonly step: RunStep;
  /** Files seen so far: read, unchanged, or kept from an earlier night. */
  readonly entries: number;
  /** Files that the snapshot before holds; null where there is none. */
  readonly expected: number | null;
  /** What could not be read so far. */
  readonly problems: number;
  readonly bytesRead: number;
  readonly requests: number;
  /** Milliseconds since the reading began. */
  readonly ms: number;
  /** The folder that was begun last. For nobody but the person. */
  readonly folder: string | null;
}

const leastMs = 10_000;
const leastShare = 0.1;

/**
 * Milliseconds of reading that are left, if the rest goes as the part that is done; undefined while that would be a guess: at
 * the first backup, right after the start, and beyond what the snapshot before held.
 */
export function timeLeft({ step, entries, expected, ms }: Omit<RunProgress, 'folder'>): number | undefined {
  return step !== 'reading' || expected === null ? undefined : timeLeftOf(entries, expected, ms);
}

/** The same for any work that is partly done after this many milliseconds. */
export function timeLeftOf(done: number, whole: number, ms: number): number | undefined {
  const share = done / whole;
  return ms >= leastMs && share >= leastShare && share < 1 ? (ms * (1 - share)) / share : undefined;
}

/** Bytes a second, on average since the reading began; undefined before there is anything to tell. */
export function speedOf({ bytesRead, ms }: Pick<RunProgress, 'bytesRead' | 'ms'>): number | undefined {
  return ms < 1_000 || bytesRead === 0 ? undefined : (bytesRead * 1_000) / ms;
}

/**
 * How many requests one server is sent at once, as its answers bear it: a network with latency takes many to be filled, and a busy server
 * few. As background transport does (RFC 6817, LEDBAT): more while answers come hardly later than the quickest one did, fewer as
 * they come later, since what waits in a queue makes nothing quicker and others wait behind it.
 */
export interface Level {
  /** A whole number, never beyond its bounds. */
  readonly limit: number;
  /** Records that an answer to a request of this kind began this many milliseconds after it was sent, with this many requests under way. */
  answered(kind: string, ms: number, underWay: number): void;
}

/** Whole numbers, the least first. */
export interface LevelBounds {
  readonly least: number;
  readonly most: number;
}

/** An answer may come later than the quickest by as much as that took; on a quick network somewhat more, on a slow one less. */
const delayMs = { least: 10, most: 100 };
/** The quickest of this many answers tells how long answers take now; a single one may be of a large folder, or come after a pause. */
const recentAnswers = 8;
/** By how much it moves in a round trip, at most, once answers are late by half of what they may be. */
const steadyGain = 0.25;

interface Delays {
  quickest: number;
  readonly recent: number[];
}

/** Begins with the least, and doubles in each round trip until answers come later. */
export function openLevel({ least, most }: LevelBounds): Level {
  const kinds = new Map<string, Delays>();
  let level = Math.min(least, most);
  let gain = 1;
  return {
    get limit() {
      return Math.floor(level);
    },
    answered(kind, ms, underWay) {
      const room = roomLeft(kinds, kind, ms);
      if (room < 0.5) gain = steadyGain;
      // A level that is not used says nothing about a higher one.
      if (room > 0 && underWay < level * 0.75) return;
      const change = gain * Math.max(-1, room);
      level = Math.min(most, Math.max(Math.min(least, most), level + change));
    },
  };
}

/** Which part of the delay that may be is not there: 1 for an answer as quick as the quickest, below 0 for one that is too late. */
function roomLeft(kinds: Map<string, Delays>, kind: string, ms: number): number {
  const delays = kinds.get(kind) ?? { quickest: ms, recent: [] };
  kinds.set(kind, delays);
  delays.quickest = Math.min(delays.quickest, ms);
  delays.recent.push(ms);
  if (delays.recent.length > recentAnswers) delays.recent.shift();
  const allowed = Math.min(delayMs.most, Math.max(delayMs.least, delays.quickest));
  return 1 - (Math.min(...delays.recent) - delays.quickest) / allowed;
}

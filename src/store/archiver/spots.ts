/** Which of the entries that are said to be unchanged are read again all the same: a random sample of them. */
export interface Spots {
  /** Goes over so many of them, in any order: those among them, counted from 0, that are in the sample. */
  pass(count: number): number[];
  /** Whether an entry of this size may still be read; it then counts as read. */
  afford(bytes: number): boolean;
}

export interface SpotCheck {
  /** How many files the parent snapshot has. */
  readonly files: number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** At most, in one run; 16 unless given. */
  readonly entries?: number;
  /** At most, in one run; 32 MiB unless given. What is longer by itself is never in the sample. */
  readonly bytes?: number;
}

/** Draws the sample: each file of the parent is in it with the same chance. */
export function openSpots({ files, random, entries = 16, bytes = 32 * 1024 * 1024 }: SpotCheck): Spots {
  const drawn = draw(files, entries, random);
  let at = 0;
  let left = bytes;
  return {
    pass(count) {
      const from = at;
      at += count;
      const found: number[] = [];
      while (drawn[0] !== undefined && drawn[0] < at) found.push((drawn.shift() ?? 0) - from);
      return found;
    },
    afford(size) {
      if (size > left) return false;
      left -= size;
      return true;
    },
  };
}

/** Distinct random numbers below `files`, in ascending order (Floyd's algorithm). */
function draw(files: number, count: number, random: () => number): number[] {
  const drawn = new Set<number>();
  for (let top = Math.max(0, files - count); top < files; top++) {
    const one = Math.floor(random() * (top + 1));
    drawn.add(drawn.has(one) ? top : one);
  }
  return [...drawn].sort((one, other) => one - other);
}

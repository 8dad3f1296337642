/** Bytes of memory that some kind of work may use at the same time, as counted by that work. */
export interface MemoryBudget {
  /** Reserves this many bytes if they are free, and answers whether it did. */
  take(bytes: number): boolean;
  /** Frees what was reserved. */
  give(bytes: number): void;
}

/** A budget of this many bytes. */
export function openMemoryBudget(mostBytes: number): MemoryBudget {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > mostBytes) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

/** A part of a budget that others share; disposing gives back what is still taken, and nothing is taken or given any more. */
export function partOf(whole: MemoryBudget, mostBytes: number): MemoryBudget & Disposable {
  const own = openMemoryBudget(mostBytes);
  let taken = 0;
  let ended = false;
  return {
    take(bytes) {
      if (ended || !own.take(bytes)) return false;
      if (whole.take(bytes)) {
        taken += bytes;
        return true;
      }
      own.give(bytes);
      return false;
    },
    give(bytes) {
      if (ended) return;
      own.give(bytes);
      whole.give(bytes);
      taken -= bytes;
    },
    [Symbol.dispose]() {
      whole.give(taken);
      taken = 0;
      ended = true;
    },
  };
}

/** A budget for work that need not be limited. */
export const unlimitedMemory: MemoryBudget = { take: () => true, give: () => undefined };

/** Bytes that one member of a folder is counted as: its place, its node, and its name in each of them. */
export function memoryOfMember(location: string): number {
  return 1024 + 2 * location.length;
}

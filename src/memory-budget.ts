/** So many bytes of memory that some work may hold at once, counted by what the work says that it takes. */
export interface MemoryBudget {
  /** Whether there is room for so many bytes more; they are taken then. */
  take(bytes: number): boolean;
  /** Gives back what was taken. */
  give(bytes: number): void;
}

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

export const unlimitedMemory: MemoryBudget = { take: () => true, give: () => undefined };

/** Bytes that one member of a folder is counted as: its place, its node, and its name in each of them. */
export function memoryOfMember(location: string): number {
  return 1024 + 2 * location.length;
}

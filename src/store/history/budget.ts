/** How much reading one page may ask for: entries of folders. Whoever runs out of it says so, and stops. */
export interface Budget {
  /** Whether something is left; throws the signal's reason once the reader is gone. */
  left(): boolean;
  /** Takes a folder of so many entries into account. */
  spend(entries: number): void;
}

/** A read of the store costs as much as so many entries. */
const perFolder = 20;

export function openBudget(entries: number, signal?: AbortSignal): Budget {
  let rest = entries;
  return {
    left: () => {
      signal?.throwIfAborted();
      return rest > 0;
    },
    spend: (some) => {
      rest -= some + perFolder;
    },
  };
}

/** What is being sealed, and has no outcome yet. */
export interface Pending {
  begin(): void;
  end(): void;
  /** Resolves when there is nothing. */
  none(): Promise<void>;
}

/** Starts with nothing pending. */
export function openPending(): Pending {
  let count = 0;
  let none = Promise.withResolvers<void>();
  none.resolve();
  return {
    begin() {
      if (count++ === 0) none = Promise.withResolvers<void>();
    },
    end() {
      if (--count === 0) none.resolve();
    },
    none: () => none.promise,
  };
}

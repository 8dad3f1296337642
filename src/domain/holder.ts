import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';

/** Something that is costly to open and may go on being used for a while. */
export interface Holdable {
  /** Takes up what is new; false where it has to be opened again. */
  renew(): Promise<boolean>;
  /** Bytes of memory that it takes. */
  weight(): number;
}

export interface HolderLimits {
  /** Bytes of all that is held; what was used least recently goes first. */
  readonly mostBytes: number;
  /** Renewed at a use where the last renewal was this long ago; so this is how late what is new may be seen. */
  readonly renewMs: number;
  /** Dropped when it was not used for this long, */
  readonly idleMs: number;
  /** and when it was opened this long ago, used or not. */
  readonly longestMs: number;
}

/** Holds opened things for their owners, a while and no longer. Whoever uses one that is dropped may finish with it. */
export interface Holder<Value extends Holdable> extends Disposable {
  /**
   * What is held for the owner, renewed now and then, or what `open` opens; whoever asks meanwhile shares that opening. A value of another
   * `generation` is dropped first. Throws what `open` and `renew` throw, and then holds nothing; throws `store/unavailable` where
   * what had just been opened had to be opened again, several times.
   */
  hold(owner: string, generation: string, open: () => Promise<Value>): Promise<Value>;
  drop(owner: string): void;
  /** For whom something is held. */
  owners(): string[];
  /** How many owners something is held for. */
  readonly size: number;
}

const mostTries = 3;

interface Entry<Value> {
  readonly generation: string;
  readonly opening: Promise<Value>;
  readonly openedMs: number;
  usedMs: number;
  renewedMs: number;
  /** What `opening` resolved to. */
  value?: Value;
}

/** Holds values within these limits, and closes those that are least recently used. */
export function openHolder<Value extends Holdable>(clock: Clock, limits: HolderLimits): Holder<Value> {
  /** Least recently used first. */
  const entries = new Map<string, Entry<Value>>();

  function isOver({ openedMs, usedMs }: Entry<Value>): boolean {
    return clock.elapsed() - usedMs >= limits.idleMs || clock.elapsed() - openedMs >= limits.longestMs;
  }

  function dropEntry(owner: string, entry: Entry<Value>): void {
    if (entries.get(owner) === entry) entries.delete(owner);
  }

  function enter(owner: string, generation: string, open: () => Promise<Value>): Entry<Value> {
    const known = entries.get(owner);
    const now = clock.elapsed();
    const entry: Entry<Value> =
      known?.generation === generation && !isOver(known)
        ? known
        : { generation, opening: open(), openedMs: now, usedMs: now, renewedMs: Number.NEGATIVE_INFINITY };
    entry.usedMs = now;
    entries.delete(owner);
    entries.set(owner, entry);
    return entry;
  }

  async function ready(owner: string, entry: Entry<Value>): Promise<Value | undefined> {
    try {
      entry.value = await entry.opening;
      const now = clock.elapsed();
      if (now - entry.renewedMs < limits.renewMs) return entry.value;
      if (await entry.value.renew()) {
        entry.renewedMs = now;
        return entry.value;
      }
    } catch (error) {
      dropEntry(owner, entry);
      throw error;
    }
    dropEntry(owner, entry);
    return undefined;
  }

  function dropHeaviest(): void {
    let bytes = entries.values().reduce((sum, { value }) => sum + (value?.weight() ?? 0), 0);
    for (const [owner, { value }] of entries) {
      if (bytes <= limits.mostBytes) return;
      bytes -= value?.weight() ?? 0;
      entries.delete(owner);
    }
  }

  const sweeping = clock.every(limits.idleMs / 4, () => {
    for (const [owner, entry] of entries) if (isOver(entry)) entries.delete(owner);
  });

  return {
    hold: async (owner, generation, open) => {
      for (let tries = 0; tries < mostTries; tries++) {
        const value = await ready(owner, enter(owner, generation, open));
        if (value === undefined) continue;
        dropHeaviest();
        return value;
      }
      throw new AppError('store/unavailable', 'The store changes faster than it can be read. Try again.');
    },
    drop: (owner) => entries.delete(owner),
    owners: () => [...entries.keys()],
    get size() {
      return entries.size;
    },
    [Symbol.dispose]: () => {
      sweeping[Symbol.dispose]();
      entries.clear();
    },
  };
}

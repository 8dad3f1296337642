/** A cache of the most recently used values, limited by their total weight. */
export interface Cache<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value, weight: number): void;
}

/** A cache that drops the least recently used values when the weights add up to more than `most`. */
export function createCache<Key, Value>(most: number): Cache<Key, Value> {
  const kept = new Map<Key, { value: Value; weight: number }>();
  let total = 0;
  const forget = (key: Key) => {
    total -= kept.get(key)?.weight ?? 0;
    kept.delete(key);
  };
  return {
    get: (key) => {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      kept.delete(key);
      kept.set(key, entry);
      return entry.value;
    },
    set: (key, value, weight) => {
      forget(key);
      if (weight > most) return;
      kept.set(key, { value, weight });
      total += weight;
      for (const oldest of kept.keys()) {
        if (total <= most) return;
        forget(oldest);
      }
    },
  };
}

/**
 * Long work in pieces: whatever else waits for the thread is done in between, so that a folder of any size holds nobody up for longer than one
 * piece takes. What fits into one piece is done at once.
 */

/** Steps that each look at one member of a folder: this many take a few milliseconds. */
export const stepsAtOnce = 250;

/** Resolves after everything else that waits for the thread has been done. */
export function letOthers(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** The items in pieces. A short list, as in most folders, is its only piece, and is not copied. */
export function piecesOf<T>(
  items: Iterable<T>,
  size = stepsAtOnce,
): Iterable<readonly T[]> | AsyncGenerator<readonly T[], void> {
  if (Array.isArray(items) && items.length <= size) return items.length === 0 ? [] : [items];
  return longPiecesOf(items, size);
}

async function* longPiecesOf<T>(items: Iterable<T>, size: number): AsyncGenerator<readonly T[], void> {
  let piece: T[] = [];
  for (const item of items) {
    if (piece.length === size) {
      yield piece;
      piece = [];
      await letOthers();
    }
    piece.push(item);
  }
  if (piece.length > 0) yield piece;
}

/** A sorted copy; items that compare alike stay in order. */
export async function sortedInPieces<T>(items: Iterable<T>, compare: (one: T, other: T) => number): Promise<T[]> {
  let parts: T[][] = [];
  for await (const piece of piecesOf(items)) parts.push(piece.toSorted(compare));
  while (parts.length > 1) {
    const longer: T[][] = [];
    for (let at = 0; at < parts.length; at += 2) {
      const both: T[] = [];
      for await (const piece of piecesOf(inOrder(parts[at] ?? [], parts[at + 1] ?? [], compare)))
        for (const item of piece) both.push(item);
      longer.push(both);
      await letOthers();
    }
    parts = longer;
  }
  return parts[0] ?? [];
}

function* inOrder<T>(ones: readonly T[], others: readonly T[], compare: (one: T, other: T) => number): Generator<T> {
  let at = 0;
  for (const one of ones) {
    for (; at < others.length && compare(others[at] as T, one) < 0; at++) yield others[at] as T;
    yield one;
  }
  for (; at < others.length; at++) yield others[at] as T;
}

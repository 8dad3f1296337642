/**
 * The word that was likely meant: the one with the fewest slips between them (a letter left out, added, changed or
 * swapped with its neighbour), where those are few for words of that length. Undefined where none is near.
 */
export function nearest<Word extends string>(word: string, words: Iterable<Word>): Word | undefined {
  let best: { candidate: Word; slips: number } | undefined;
  for (const candidate of words) {
    const slips = slipsBetween(word, candidate);
    if (slips <= slipsAllowed(candidate) && slips < (best?.slips ?? Number.POSITIVE_INFINITY))
      best = { candidate, slips };
  }
  return best?.candidate;
}

/** One slip makes another word of a short one: HOST is not HOME. */
function slipsAllowed({ length }: string): number {
  return length <= 8 ? 1 : 2;
}

/** The distance of Damerau and Levenshtein, in which no letter takes part in two slips. */
function slipsBetween(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1];
      const swapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (same ? 0 : 1),
        swapped ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, last] = [last, row];
  }
  return at(last, other.length);
}

const at = (row: readonly number[], index: number) => row[index] ?? Number.POSITIVE_INFINITY;

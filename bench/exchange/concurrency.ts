/**
 * Repeats the work, as many at once as named, until `isOver` says so, and answers how often it was done. The items are
 * divided, so that no two of those at work have the same one.
 */
export async function repeatAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
  isOver: (count: number) => boolean,
): Promise<number> {
  let count = 0;
  const repeat = async (part: readonly T[]) => {
    for (;;) {
      for (const item of part) {
        if (isOver(count)) return;
        await work(item);
        count += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, n) => repeat(items.filter((_, index) => index % atOnce === n))));
  return count;
}

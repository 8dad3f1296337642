/** How many times each side does its work before anything is measured: until then compilers are at work. */
export const warmUp = 5_000;

/** Does the work with one item after the other, around and around, in so many lanes, until it is over. Answers how many times. */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
  isOver: (count: number) => boolean,
): Promise<number> {
  let count = 0;
  const lane = async (dealt: readonly T[]) => {
    for (;;) {
      for (const item of dealt) {
        if (isOver(count)) return;
        await work(item);
        count += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, n) => lane(items.filter((_, index) => index % lanes === n))));
  return count;
}

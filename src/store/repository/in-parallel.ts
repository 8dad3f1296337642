/**
 * The results of `work` on each item, in the order of the items, with at most `width` under way and held. A failure ends it all, unless
 * there is a `failed` that takes it: the item is then left out.
 */
export async function* inParallel<Item, Result>(
  items: Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
  failed: (error: unknown) => void = raise,
): AsyncGenerator<Result> {
  const queue = Iterator.from(items);
  const underWay: Promise<Outcome<Result>>[] = [];
  const start = () => {
    const { value, done } = queue.next();
    if (!done) underWay.push(settle(work(value)));
  };
  for (let i = 0; i < width; i++) start();
  for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) {
    const outcome = await next;
    start();
    if ('error' in outcome) failed(outcome.error);
    else yield outcome.result;
  }
}

type Outcome<Result> = { result: Result } | { error: unknown };

function raise(error: unknown): never {
  throw error;
}

function settle<Result>(promise: Promise<Result>): Promise<Outcome<Result>> {
  return promise.then(
    (result) => ({ result }),
    (error: unknown) => ({ error }),
  );
}

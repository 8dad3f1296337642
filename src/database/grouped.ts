import { type Database, isOutage } from './client.ts';

/** One statement for many inputs: the answer to each, in its place; undefined where there is none. */
export type AskAll<Input, Output> = (database: Database, inputs: readonly Input[]) => Promise<(Output | undefined)[]>;

interface Waiting<Input, Output> {
  input: Input;
  resolve: (output: Output | undefined) => void;
  reject: (error: unknown) => void;
}

const most = 100;

/**
 * A verb whose calls share statements, and with them the commit: those of one moment, and those that come while an
 * earlier statement runs. Of calls with the same key each has a statement to itself, in their order. A statement that
 * fails is made again for each call alone, so that none fails for another's sake; where the database is away, all hear
 * that at once.
 */
export function grouped<Input, Output>(
  keyOf: (input: Input) => string,
  askAll: AskAll<Input, Output>,
): (database: Database, input: Input) => Promise<Output | undefined> {
  const queues = new WeakMap<Database, Waiting<Input, Output>[]>();

  async function work(database: Database, queue: Waiting<Input, Output>[]): Promise<void> {
    // What arrives with the same turn of the event loop goes along.
    await new Promise(setImmediate);
    while (queue.length > 0) await answer(database, takeGroup(queue));
    queues.delete(database);
  }

  function takeGroup(queue: Waiting<Input, Output>[]): Waiting<Input, Output>[] {
    const group = new Map<string, Waiting<Input, Output>>();
    for (const waiting of queue) {
      const key = keyOf(waiting.input);
      if (group.size < most && !group.has(key)) group.set(key, waiting);
    }
    const taken = new Set(group.values());
    queue.splice(0, queue.length, ...queue.filter((waiting) => !taken.has(waiting)));
    return [...taken];
  }

  async function answer(database: Database, group: readonly Waiting<Input, Output>[]): Promise<void> {
    try {
      const outputs = await askAll(
        database,
        group.map(({ input }) => input),
      );
      for (const [index, { resolve }] of group.entries()) resolve(outputs[index]);
    } catch (error) {
      if (group.length === 1 || isOutage(error)) for (const { reject } of group) reject(error);
      else for (const one of group) await answer(database, [one]);
    }
  }

  return (database, input) =>
    new Promise((resolve, reject) => {
      const running = queues.get(database);
      const queue = running ?? [];
      queue.push({ input, resolve, reject });
      if (running) return;
      queues.set(database, queue);
      void work(database, queue);
    });
}

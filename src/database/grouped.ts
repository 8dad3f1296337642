import { isOutage } from './client.ts';

/** One statement for many inputs: the answer to each, in its place; undefined where there is none. */
export type AskAll<Input, Output> = (inputs: readonly Input[]) => Promise<(Output | undefined)[]>;

interface Waiting<Input, Output> {
  input: Input;
  resolve: (output: Output | undefined) => void;
  reject: (error: unknown) => void;
}

const most = 100;

/**
 * Opens a group of calls that share statements, and with them the commit: those of one moment, and those that come while an
 * earlier statement runs. A statement that fails is made again for each call alone, so that none fails for another's sake;
 * where the database is away, all hear that at once.
 */
export function grouped<Input, Output>(askAll: AskAll<Input, Output>): (input: Input) => Promise<Output | undefined> {
  const queue: Waiting<Input, Output>[] = [];
  let working = false;

  async function work(): Promise<void> {
    working = true;
    // What arrives with the same turn of the event loop goes along.
    await new Promise(setImmediate);
    while (queue.length > 0) await answer(queue.splice(0, most));
    working = false;
  }

  async function answer(group: readonly Waiting<Input, Output>[]): Promise<void> {
    try {
      const outputs = await askAll(group.map(({ input }) => input));
      for (const [index, { resolve }] of group.entries()) resolve(outputs[index]);
    } catch (error) {
      if (group.length === 1 || isOutage(error)) for (const { reject } of group) reject(error);
      else for (const one of group) await answer([one]);
    }
  }

  return (input) =>
    new Promise((resolve, reject) => {
      queue.push({ input, resolve, reject });
      if (!working) void work();
    });
}

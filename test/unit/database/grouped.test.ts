import { beforeEach, describe, expect, test } from 'vitest';
import { type AskAll, grouped } from '../../../src/database/grouped.ts';

interface Call {
  inputs: string[];
  answer(outputs: (string | undefined)[]): void;
  fail(error: Error): void;
}

let calls: Call[];
let called: () => void;

beforeEach(() => {
  calls = [];
  called = () => {};
});

const askAll: AskAll<string, string> = (inputs) =>
  new Promise((resolve, reject) => {
    calls.push({ inputs: [...inputs], answer: resolve, fail: reject });
    called();
  });

/** The n-th statement, once it is sent. */
async function statement(n: number): Promise<Call> {
  for (;;) {
    const call = calls[n - 1];
    if (call !== undefined) return call;
    await new Promise<void>((resolve) => {
      called = resolve;
    });
  }
}

/** Whoever answers all alike. */
const echo: AskAll<string, string> = async (inputs) => {
  calls.push({ inputs: [...inputs], answer: () => {}, fail: () => {} });
  return inputs.map((input) => input.toUpperCase());
};

describe('calls share a statement', () => {
  test('those of one moment, each with its own answer, in its place', async () => {
    const ask = grouped(askAll);
    const answers = Promise.all(['a', 'b', 'c'].map((input) => ask(input)));
    (await statement(1)).answer(['A', undefined, 'C']);
    expect(await answers).toEqual(['A', undefined, 'C']);
    expect(calls.map(({ inputs }) => inputs)).toEqual([['a', 'b', 'c']]);
  });

  test('those that came while another ran go with the next', async () => {
    const ask = grouped(askAll);
    const first = ask('a');
    const running = await statement(1);
    const later = ['b', 'c'].map((input) => ask(input));
    running.answer(['A']);
    expect(await first).toBe('A');
    (await statement(2)).answer(['B', 'C']);
    expect(await Promise.all(later)).toEqual(['B', 'C']);
    expect(calls.map(({ inputs }) => inputs)).toEqual([['a'], ['b', 'c']]);
  });

  test('not those of two groups', async () => {
    const [ask, other] = [grouped(echo), grouped(echo)];
    expect(await Promise.all([ask('a'), other('b')])).toEqual(['A', 'B']);
    expect(calls.map(({ inputs }) => inputs)).toEqual([['a'], ['b']]);
  });

  test('at most a hundred', async () => {
    const ask = grouped(echo);
    await Promise.all(Array.from({ length: 250 }, (_, n) => ask(`${n}`)));
    expect(calls.map(({ inputs }) => inputs.length)).toEqual([100, 100, 50]);
  });
});

describe('a statement that fails', () => {
  test('is made again for each alone, so that only the one at fault hears of it', async () => {
    const ask = grouped(async (inputs: readonly string[]) => {
      calls.push({ inputs: [...inputs], answer: () => {}, fail: () => {} });
      if (inputs.includes('bad')) throw new Error('bad');
      return [...inputs];
    });
    const answers = await Promise.allSettled(['a', 'bad', 'c'].map((input) => ask(input)));
    expect(answers).toMatchObject([{ value: 'a' }, { reason: { message: 'bad' } }, { value: 'c' }]);
    expect(calls.map(({ inputs }) => inputs)).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']]);
  });

  test('because the database is away fails for all at once, and the next call tries again', async () => {
    const ask = grouped(askAll);
    const answers = Promise.allSettled(['a', 'b'].map((input) => ask(input)));
    (await statement(1)).fail(new Error('Connection terminated unexpectedly'));
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = ask('a');
    (await statement(2)).answer(['A']);
    expect(await again).toBe('A');
    expect(calls).toHaveLength(2);
  });
});

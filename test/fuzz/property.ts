import fc from 'fast-check';
import { expect } from 'vitest';
import { errorCodes, isAppError } from '../../src/errors.ts';

/** What must hold of whatever comes; run with made-up input until its time is over. */
export interface FuzzProperty {
  readonly name: string;
  check(parameters: fc.Parameters<unknown>): Promise<fc.RunDetails<unknown>>;
}

/** Input that is made up, and what must hold of it: `holds` throws where it does not. */
export function property<T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  holds: (input: T) => void | Promise<void>,
): FuzzProperty {
  let runs = 0;
  const one = fc.asyncProperty(arbitrary, async (input) => {
    await holds(input);
    // Timers get their turn, those of the test runner among them.
    if (++runs % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  });
  return {
    name,
    check: (parameters) => fc.check(one, parameters as fc.Parameters<[T]>) as Promise<fc.RunDetails<unknown>>,
  };
}

/** What the work came to: its value, or the code of its error, which must be one of these areas. Throws every other error. */
export function outcomeOf<T>(
  work: () => T,
  ...areas: readonly string[]
): { value: T } | { code: string; message: string } {
  try {
    return { value: work() };
  } catch (error) {
    return told(error, areas);
  }
}

/** The same of work that is waited for. */
export async function outcomeOfAsync<T>(
  work: () => Promise<T>,
  ...areas: readonly string[]
): Promise<{ value: T } | { code: string; message: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    return told(error, areas);
  }
}

function told(error: unknown, areas: readonly string[]): { code: string; message: string } {
  if (!isAppError(error)) throw error;
  const { code, message } = error;
  expect(Object.keys(errorCodes)).toContain(code);
  expect(areas).toContain(code.slice(0, code.indexOf('/')));
  return { code, message };
}

/** Lengths of pieces in turn; what is cut by them ends with what is left. */
export const cuts = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 7 }) }, fc.integer({ min: 1, max: 400 })),
  {
    minLength: 1,
    maxLength: 6,
  },
);

/** A text or bytes in pieces of these lengths. */
export function* cutInto<T extends { length: number; slice(from: number, to: number): T }>(
  whole: T,
  lengths: readonly number[],
): Generator<T> {
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const to = at + (lengths[turn % lengths.length] ?? 1);
    yield whole.slice(at, to);
    at = to;
  }
}

/** Changes to a text: each puts a piece where so many characters were. */
export function changes(...pieces: readonly string[]) {
  const change = fc.tuple(
    fc.nat(),
    fc.nat({ max: 6 }),
    fc.oneof(fc.constantFrom('', ...pieces), fc.string({ maxLength: 3 })),
  );
  return fc.array(change, { maxLength: 4 });
}

export function changed(text: string, all: readonly (readonly [at: number, length: number, piece: string])[]): string {
  return all.reduce((whole, [at, length, piece]) => {
    const place = at % (whole.length + 1);
    return whole.slice(0, place) + piece + whole.slice(place + length);
  }, text);
}

/** Changes to bytes: each writes one. */
export const byteChanges = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });

export function changedBytes(bytes: Uint8Array, all: readonly (readonly [at: number, byte: number])[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [at, byte] of all) if (copy.length > 0) copy[at % copy.length] = byte;
  return copy;
}

import { asOutage } from '../database/client.ts';
import { isAppError } from '../errors.ts';
import { scrub } from '../log.ts';
import { type Options, type Output, printList, warn } from './command.ts';
import { saidOfStop } from './interrupt.ts';
import { harmless } from './table.ts';

/** For whom a command failed, and why, with the cure. */
export interface Failed {
  readonly user: string;
  readonly error: string;
}

/** What a command came to for each person it was about. */
export interface Answers<Row> {
  /** In the order of the people. */
  readonly all: readonly (Row | Failed)[];
  readonly done: readonly Row[];
  readonly failed: readonly Failed[];
  /** Why it did not come to the rest: somebody stopped it. Absent where it came to everybody. */
  readonly stopped?: unknown;
}

/** What such a command means by its exit codes. */
export const eachExits = { 3: 'it failed for some, who are named at the end' } as const;

/** What a command does with each person. */
interface EachPerson<Person, Row> {
  readonly nameOf: (person: Person) => string;
  readonly work: (person: Person) => Promise<Row>;
  /** What has become of the person with whom it was stopped, and how to go on. */
  readonly whenStopped?: string | undefined;
}

/**
 * Does the work for one after the other. With `--all`, a failure for one does not stop the others; where the command itself is being stopped, what it came
 * to so far is answered. For a single person a failure is thrown.
 */
export async function doForEach<Person, Row>(
  options: Options,
  people: Iterable<Person> | AsyncIterable<Person>,
  { nameOf, work, whenStopped = '' }: EachPerson<Person, Row>,
): Promise<Answers<Row>> {
  const all: (Row | Failed)[] = [];
  const done: Row[] = [];
  const failed: Failed[] = [];
  for await (const person of people) {
    try {
      const row = await work(person);
      done.push(row);
      all.push(row);
    } catch (error) {
      if (options.all !== true) throw saidOfStop(error, `Stopped. ${whenStopped}`.trim());
      if (isAppError(error, 'run/stopped')) {
        const where = `Stopped at ${nameOf(person)}: it is done only for those who came before.`;
        return { all, done, failed, stopped: saidOfStop(error, `${where} ${whenStopped}`.trim()) };
      }
      const failure = { user: nameOf(person), error: wordsOf(asOutage(error)) };
      failed.push(failure);
      all.push(failure);
    }
  }
  return { all, done, failed };
}

function wordsOf(error: unknown): string {
  return String(scrub(isAppError(error) ? error.message : `Internal error: ${error}`));
}

/** Prints what it came to for each: one array with --json, in which it is said for whom it failed; else lines. */
export function printAnswers<Row>(
  output: Output,
  options: Options,
  { answers: { all, done, stopped }, linesOf }: { answers: Answers<Row>; linesOf: (row: Row) => readonly string[] },
): void {
  if (options.json === true || (all.length === 0 && stopped === undefined))
    printList(output, options, { rows: all, lineOf: String, none: 'There is no repository yet.' });
  else for (const line of done.flatMap(linesOf)) output.line(harmless(line));
}

/** Names on standard error for whom it failed. Answers the exit code, which is `code` where it failed for nobody. Throws `run/stopped` where it was stopped. */
export function closeWith({ done, failed, stopped }: Omit<Answers<unknown>, 'all'>, code = 0): number {
  for (const { user, error } of failed) warn(`${user}: ${error}`);
  if (stopped !== undefined) throw stopped;
  if (failed.length === 0 || code === 1) return code;
  return done.length === 0 ? 1 : 3;
}

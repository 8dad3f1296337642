import { countWords } from '../count-words.ts';
import { dayMs, hourMs } from '../durations.ts';
import { AppError, codeIn } from '../errors.ts';
import { withEscapes } from '../file-name.ts';
import { nearest } from '../nearest.ts';
import { type Column, harmless, tableInParts, tableOf } from './table.ts';

/** What was given to a command: a text for each option with a value and each operand, true for each switch. */
export type Options = Record<string, string | boolean | undefined>;

/** What stands behind the name with two dashes: `--user NAME`, or a switch as `--json`. */
export interface Option {
  /** What its value is called; a switch has none. */
  value?: string;
  help: string;
}

/** One command of `nightkeep`. */
export interface Command {
  /** Behind the name: "--user NAME --to DIR". */
  usage: string;
  summary: string;
  options: Record<string, Option>;
  /** What stands without a dash behind the name, each once; a command finds it among its options. */
  operands?: Record<string, string>;
  /** What its exit codes mean, where that is more than for every command. */
  exits?: ExitCodes;
  /** Answers the exit code. */
  run: (options: Options, output: Output) => Promise<number>;
}

export type ExitCodes = Partial<Record<0 | 1 | 2 | 3, string>>;

/** What every command means by its exit codes. */
export const exitCodes = {
  0: 'done',
  1: 'failed',
  2: 'the command line or a setting is wrong',
  3: 'partly done',
} as const satisfies ExitCodes;

/** Standard output. */
export interface Output {
  line: (text: string) => void;
  /** Resolves once whoever reads along has taken most of it; absent where nothing is held back. */
  drained?: () => Promise<void>;
  /** How many columns the terminal has; absent where it is none. */
  columns?: number | undefined;
}

/** The switch of every command that answers something. */
export const json = { json: { help: 'print JSON for programs: one array for a list, one object for anything else' } };

/** Prints a list: one array with --json, else a line for each row, and `none` where there is none. */
export function printList<Row>(
  output: Output,
  options: Options,
  { rows, lineOf, none }: { rows: readonly Row[]; lineOf: (row: Row) => string; none: string },
): void {
  if (options.json === true) output.line(jsonOf(rows));
  else if (rows.length === 0) output.line(none);
  else for (const row of rows) output.line(harmless(lineOf(row)));
}

/** Prints a list as a table that fits the terminal: one array with --json, and `none` where there is none. */
export function printTable<Row>(
  output: Output,
  options: Options,
  { rows, columns, none }: { rows: readonly Row[]; columns: readonly Column<Row>[]; none: string },
): void {
  if (options.json === true) output.line(jsonOf(rows));
  else if (rows.length === 0) output.line(none);
  else for (const line of tableOf(columns, rows, widthOf(output))) output.line(line);
}

/** The same of a list that comes a page at a time, however long it is: columns become as wide as the pages until then need, and of the array each page is a line. */
export async function printPages<Row>(
  output: Output,
  options: Options,
  { pages, columns, none }: { pages: AsyncIterable<readonly Row[]>; columns: readonly Column<Row>[]; none: string },
): Promise<void> {
  const lines = tableInParts(columns, widthOf(output));
  const isJson = options.json === true;
  let held = '[';
  let isFirst = true;
  for await (const rows of pages) {
    if (rows.length === 0) continue;
    if (isJson) {
      if (!isFirst) output.line(`${held},`);
      held = `${isFirst ? held : ''}${rows.map(jsonOf).join(',')}`;
    } else for (const line of lines(rows)) output.line(line);
    isFirst = false;
    await output.drained?.();
  }
  if (isJson) output.line(`${held}]`);
  else if (isFirst) output.line(none);
}

/** Some terminals say that they have no column. */
function widthOf({ columns = 0 }: Output): number {
  return columns === 0 ? Number.POSITIVE_INFINITY : columns;
}

/** Prints the one thing that a command answers: an object with --json, else these words, a line for each. */
export function printAnswer(output: Output, options: Options, answer: object, ...words: readonly string[]): void {
  if (options.json === true) output.line(jsonOf(answer));
  else for (const line of words) output.line(harmless(line));
}

/** Writes bytes to standard output, and waits until they are taken. Throws `run/stopped` once nobody reads along any more, or where they cannot be written. */
export function writeBytes(bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  process.stdout.write(bytes, (error) => {
    if (error) reject(new AppError('run/stopped', whyUnwritten(error), { cause: error }));
    else resolve();
  });
  return promise;
}

function whyUnwritten(error: Error): string {
  const code = codeIn(error);
  if (code === undefined || code === 'EPIPE' || code.startsWith('ERR_STREAM_')) return 'Standard output was closed.';
  return `Standard output cannot be written: ${code}.`;
}

/** Says on standard error what is wrong with some of an answer. */
export function warn(words: string): void {
  process.stderr.write(`nightkeep: ${harmless(words)}\n`);
}

/** Words for whoever watches; programs that asked for JSON get none. */
export function tell(options: Options, words: string): void {
  if (options.json !== true) process.stderr.write(`${harmless(words)}\n`);
}

/** The text of an option; undefined where it is absent. */
export function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** As JSON.stringify, with what a terminal might obey, or show in another order, written as escapes. */
function jsonOf(value: unknown): string {
  return withEscapes(JSON.stringify(value), /[\u007f-\u009f]/g);
}

/** The one word of these that an option names; undefined where it is absent. Throws `usage/invalid` with the words there are. */
export function oneOf<Word extends string>(options: Options, name: string, words: readonly Word[]): Word | undefined {
  const value = text(options, name);
  const found = words.find((word) => word === value);
  if (value === undefined || found !== undefined) return found;
  const meant = nearest(value, words);
  throw new AppError(
    'usage/invalid',
    `--${name} is "${value}"${meant === undefined ? '' : ` (did you mean ${meant}?)`}: choose one of ${words.join(', ')}.`,
  );
}

/** The option of every list that may be long. */
export const limit = { limit: { value: 'N', help: 'at most so many, the newest (default: 100)' } };

/** How many rows are asked for. Throws `usage/invalid`. */
export function limitOf(options: Options): number {
  const value = text(options, 'limit') ?? '100';
  const count = Number(value);
  if (/^\d{1,6}$/.test(value) && count > 0) return count;
  throw new AppError('usage/invalid', `--limit is "${value}": write a number such as 50, at most 999999.`);
}

/** The rows to show, of a list that was read with one more than `most`; where there are more, standard error says so. */
export function shownOf<Row>(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length > most)
    warn(
      `Only ${countWords(most, 'is', 'are')} shown, and there are more: ask for as many as you want with --limit N.`,
    );
  return rows.slice(0, most);
}

/** The moment before which nothing is asked for, from an option such as 14d or 12h. Throws `usage/invalid`. */
export function sinceOf(options: Options, now: Date): Date | undefined {
  const value = text(options, 'since');
  if (value === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([dh])$/.exec(value) ?? [];
  if (count === undefined)
    throw new AppError('usage/invalid', `--since is "${value}": write it as 14d or 12h, at most 99999.`);
  return new Date(now.getTime() - Number(count) * (unit === 'h' ? hourMs : dayMs));
}

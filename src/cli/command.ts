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
}

/** The switch of every command that answers something. */
export const json = { json: { help: 'print JSON for programs: one array for a list, one object for anything else' } };

/** Prints a list: one array with --json, else a line for each row, and `none` where there is none. */
export function printList<Row>(
  output: Output,
  options: Options,
  { rows, lineOf, none }: { rows: readonly Row[]; lineOf: (row: Row) => string; none: string },
): void {
  if (options.json === true) output.line(JSON.stringify(rows));
  else if (rows.length === 0) output.line(none);
  else for (const row of rows) output.line(lineOf(row));
}

/** Prints the one thing that a command answers: an object with --json, else these words. */
export function printAnswer(output: Output, options: Options, answer: object, words: string): void {
  output.line(options.json === true ? JSON.stringify(answer) : words);
}

/** Words for whoever watches; programs that asked for JSON get none. */
export function tell(options: Options, words: string): void {
  if (options.json !== true) process.stderr.write(`${words}\n`);
}

/** The text of an option; undefined where it is absent. */
export function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** A moment as commands show it: "2026-05-04 13:00 UTC". */
export function shownMinute(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

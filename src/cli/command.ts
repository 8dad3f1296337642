import type { ParseArgsOptionsConfig } from 'node:util';

export type Options = Record<string, string | boolean | undefined>;

/** One command of `nightkeep`. */
export interface Command {
  /** Behind the name: "--user NAME --to DIR". */
  usage: string;
  summary: string;
  options: ParseArgsOptionsConfig;
  /** Answers the exit code. */
  run: (options: Options, output: Output) => Promise<number>;
}

export interface Output {
  line: (text: string) => void;
}

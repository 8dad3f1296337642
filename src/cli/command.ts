import type { ParseArgsOptionsConfig } from 'node:util';

export type Options = Record<string, string | boolean | undefined>;

/** One command of `nightkeep`. */
export interface Command {
  /** Behind the name: "--user NAME --to DIR". */
  usage: string;
  summary: string;
  options: ParseArgsOptionsConfig;
  /** Names of what stands without a dash behind the name, each of it once; it is found among the options. */
  operands?: readonly string[];
  /** Answers the exit code. */
  run: (options: Options, output: Output) => Promise<number>;
}

export interface Output {
  line: (text: string) => void;
}

/** The text of an option; undefined where it is absent or empty. */
export function text(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

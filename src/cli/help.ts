import { type Command, type ExitCodes, exitCodes, type Option } from './command.ts';
import { usageOf } from './parse.ts';

type Commands = Readonly<Record<string, Command>>;

const ofEvery: Record<string, Option> = { help: { help: 'show this help' } };

/** All commands, a line each. */
export function overview(commands: Commands): string {
  return [
    "Nightkeep backs people's data up at night, with their consent.",
    '',
    ...linesOf(commands),
    '',
    'nightkeep COMMAND --help explains the options of a command; nightkeep --version prints the version.',
    'Settings come from the environment and from .env in this folder: see nightkeep settings, and README.md.',
    '',
    ...exitLines(exitCodes),
  ].join('\n');
}

/** The commands that begin with the same word, such as `keys` and `keys rotate`. */
export function helpOfGroup(commands: Commands, group: string): string {
  const members = Object.entries(commands).filter(([name]) => `${name} `.startsWith(`${group} `));
  return linesOf(Object.fromEntries(members)).join('\n');
}

/** One command: how it is written, what it does, its options and its exit codes. */
export function helpOf(name: string, command: Command): string {
  const { summary, options, operands = {}, exits } = command;
  return [
    usageOf(name, command),
    '',
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`,
    '',
    ...table([
      ...Object.entries(operands).map(([operand, help]): Row => [operand.toUpperCase(), help]),
      ...Object.entries({ ...options, ...ofEvery }).map(rowOf),
    ]),
    '',
    ...exitLines({ 0: exitCodes[0], 1: exitCodes[1], 2: exitCodes[2], ...exits }),
  ].join('\n');
}

type Row = readonly [string, string];

function rowOf([name, { value, help }]: [string, Option]): Row {
  const short = name === 'help' ? '-h, ' : '';
  return [`${short}--${name}${value === undefined ? '' : ` ${value}`}`, help];
}

function exitLines(codes: ExitCodes): string[] {
  return ['Exit codes:', ...table(Object.entries(codes))];
}

function table(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`);
}

/** Where the summaries stand. */
const column = 62;

function linesOf(commands: Commands): string[] {
  return Object.entries(commands).map(([name, { usage, summary }]) => {
    const call = `  nightkeep ${name} ${usage}`.trimEnd();
    return call.length < column ? `${call.padEnd(column)}${summary}` : `${call}\n${' '.repeat(column)}${summary}`;
  });
}

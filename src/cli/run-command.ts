import { parseArgs } from 'node:util';
import { asOutage } from '../database/client.ts';
import { AppError, isAppError, messageForPeople } from '../errors.ts';
import { scrub } from '../log.ts';
import { backup } from './backup.ts';
import { circuits } from './circuits.ts';
import type { Command, Output } from './command.ts';
import { doctor } from './doctor.ts';
import { enrollDevice, enrollPassword, enrollService } from './enroll.ts';
import { grants } from './grants.ts';
import { heal } from './heal.ts';
import { keys, keysRetire, keysRotate } from './keys.ts';
import { migrateCommand } from './migrate.ts';
import { restoreCommand } from './restore.ts';
import { snapshots } from './snapshots.ts';
import { start } from './start.ts';

const commands: Record<string, Command> = {
  start,
  migrate: migrateCommand,
  backup,
  snapshots,
  restore: restoreCommand,
  'enroll device': enrollDevice,
  'enroll password': enrollPassword,
  'enroll service': enrollService,
  grants,
  circuits,
  heal,
  doctor,
  keys,
  'keys rotate': keysRotate,
  'keys retire': keysRetire,
};

/** Runs one command line and answers the exit code: 0 done, 1 failed, 2 the command line or a setting is wrong, 3 partial. */
export async function runCommand(argv: readonly string[], output: Output = standardOutput): Promise<number> {
  const { name, rest } = split(argv);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    output.line(helpText());
    return name === undefined ? 2 : 0;
  }
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw usage(`There is no command "${name}". See: nightkeep help`);
    return await command.run(parse(name, command, rest), output);
  } catch (error) {
    return explain(asOutage(error));
  }
}

/** The name of a command is one word, or two: "keys" and "keys rotate". */
function split([first, second, ...others]: readonly string[]) {
  const both = `${first} ${second}`;
  if (second !== undefined && Object.hasOwn(commands, both)) return { name: both, rest: others };
  return { name: first, rest: second === undefined ? [] : [second, ...others] };
}

function parse(name: string, { options, operands = [], usage: words }: Command, args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
    if (positionals.length < operands.length) throw new Error(`${operands[positionals.length]} is missing.`);
    if (positionals.length > operands.length)
      throw new Error(`"${positionals[operands.length]}" is one word too many.`);
    const named = operands.map((operand, index) => [operand, positionals[index]]);
    return Object.fromEntries(
      [...Object.entries(values), ...named].map(([key, value]) => [key, Array.isArray(value) ? undefined : value]),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'The options are wrong.';
    throw usage(`${reason}\nUsage: nightkeep ${name} ${words}`);
  }
}

function explain(error: unknown): number {
  process.stderr.write(`nightkeep: ${messageForPeople(error)}\n`);
  if (!isAppError(error)) process.stderr.write(`${scrub(error instanceof Error ? error.stack : String(error))}\n`);
  return isAppError(error) && (error.code === 'usage/invalid' || error.code === 'config/invalid') ? 2 : 1;
}

function usage(message: string): AppError {
  return new AppError('usage/invalid', message);
}

/** Where the summaries stand. */
const column = 62;

function helpText(): string {
  const rows = Object.entries(commands).map(([name, { usage: words, summary }]) => {
    const call = `  nightkeep ${name} ${words}`;
    return call.length < column ? `${call.padEnd(column)}${summary}` : `${call}\n${' '.repeat(column)}${summary}`;
  });
  return [
    "Nightkeep backs people's data up at night, with their consent.",
    '',
    ...rows,
    '',
    'Settings come from the environment and from .env in this folder: see README.md, or .env.example.',
  ].join('\n');
}

const standardOutput: Output = { line: (text) => process.stdout.write(`${text}\n`) };

import { AppError, codeIn, type ErrorCode, isAppError, messageForPeople, shortageWords } from '../errors.ts';
import { scrub } from '../log.ts';
import { nearest } from '../nearest.ts';
import { version } from '../version.ts';
import { type Command, type Output, writeBytes } from './command.ts';
import { commandNames, loadCommand, loadCommands } from './commands.ts';
import { helpOf, helpOfGroup, overview } from './help.ts';
import { exitCodeOfInterrupt } from './interrupt.ts';
import { parse } from './parse.ts';
import { harmless } from './table.ts';

/**
 * Runs one command line and answers the exit code: 0 done, 1 failed, 2 the command line or a setting is wrong, 3 partly done, 130 stopped
 * by Ctrl-C.
 */
export async function runCommand(argv: readonly string[], output: Output = standardOutput): Promise<number> {
  try {
    if (argv[0] === '--version' || argv[0] === 'version') {
      output.line(`nightkeep ${version}`);
      return 0;
    }
    if (argv.length === 0 || asksForHelp(argv)) {
      output.line(await helpOn(argv.filter((word) => word !== 'help' && !word.startsWith('-'))));
      return argv.length === 0 ? 2 : 0;
    }
    const { name, command, rest } = await find(argv);
    return await command.run(parse(name, command, rest), output);
  } catch (error) {
    // Loaded only here: whoever asks for the version or for help needs no database.
    const { asOutage } = await import('../database/client.ts');
    return explain(asOutage(error));
  }
}

/** What stands behind `--` is no option. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  return argv[0] === 'help' || words.includes('--help') || words.includes('-h');
}

async function helpOn(words: readonly string[]): Promise<string> {
  const [group = '', second] = words;
  if (words.length === 0) return overview(await loadCommands());
  const members = second === undefined && isGroup(group) ? helpOfGroup(await loadCommands(), group) : '';
  if (members !== '' && !commandNames.includes(group)) return members;
  const { name, command } = await find(words);
  return members === '' ? helpOf(name, command) : `${helpOf(name, command)}\n\n${members}`;
}

interface Found {
  name: string;
  command: Command;
  /** What stands behind the name. */
  rest: readonly string[];
}

/** The command that the line begins with: its name is two words or one. Throws `usage/invalid`. */
async function find(argv: readonly string[]): Promise<Found> {
  for (const length of [2, 1]) {
    const name = argv.slice(0, length).join(' ');
    const command = await loadCommand(name);
    if (command !== undefined && !isMisspelt(command, argv, length)) return { name, command, rest: argv.slice(length) };
  }
  throw unknown(argv);
}

/** `keys rotat` is not `keys` with a word too many. */
function isMisspelt({ operands }: Command, [group = '', second = '-']: readonly string[], length: number): boolean {
  return length === 1 && operands === undefined && isGroup(group) && !second.startsWith('-');
}

function isGroup(word: string): boolean {
  return commandNames.some((name) => name.startsWith(`${word} `));
}

function unknown([first = '', second = '']: readonly string[]): AppError {
  if (first.startsWith('-'))
    return usage(`The command comes first, then its options, as in: nightkeep doctor ${first}`);
  const asked = isGroup(first) && !second.startsWith('-') ? `${first} ${second}`.trim() : first;
  const meant = nearest(`${first} ${second}`, commandNames) ?? nearest(first, commandNames);
  if (meant !== undefined) return usage(`There is no command "${asked}". Did you mean: nightkeep ${meant}?`);
  return usage(`There is no command "${asked}". See: nightkeep help${isGroup(first) ? ` ${first}` : ''}`);
}

/** What the person at the command line must mend, not what failed. */
const wrongUse: ReadonlySet<ErrorCode> = new Set(['usage/invalid', 'config/invalid', 'keyring/invalid']);

function explain(error: unknown): number {
  const isWrongUse = isAppError(error) && wrongUse.has(error.code);
  const shortage = shortageWords(error);
  const words = shortage ?? String(scrub(`${messageForPeople(error)}${causeOf(error)}`));
  // Messages about settings or the command line have lines of their own; any other may hold words from outside.
  process.stderr.write(`nightkeep: ${isWrongUse ? inLines(words) : harmless(words)}\n`);
  if (!isAppError(error) && shortage === undefined)
    process.stderr.write(`${inLines(String(scrub(error instanceof Error ? error.stack : String(error))))}\n`);
  return exitCodeOfInterrupt(error) ?? (isWrongUse ? 2 : 1);
}

/** Where a provider does not answer, the system's code for the reason: the sentence itself is also meant for people who are no operators. */
function causeOf(error: unknown): string {
  const code = isAppError(error, 'provider/unavailable') ? codeIn(error.cause) : undefined;
  return code === undefined ? '' : ` (${code})`;
}

function inLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

function usage(message: string): AppError {
  return new AppError('usage/invalid', message);
}

const standardOutput: Output = {
  line: (text) => process.stdout.write(`${text}\n`),
  drained: () => writeBytes(new Uint8Array()),
  columns: process.stdout.columns,
};

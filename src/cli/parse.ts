import { parseArgs } from 'node:util';
import { AppError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Command, Options } from './command.ts';

/** Reads what stands behind the name of a command. Throws `usage/invalid`, which says how the command is written. */
export function parse(name: string, command: Command, args: readonly string[]): Options {
  const parsed: Options = {};
  const operands = Object.keys(command.operands ?? {});
  const refuse = (what: string) => new AppError('usage/invalid', `${what}\n${usageOf(name, command)}`);
  for (const token of tokensOf(command, args)) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      const operand = operands.shift();
      if (operand === undefined) throw refuse(`"${token.value}" is one word too many.`);
      parsed[operand] = token.value;
    } else {
      const fault = faultOf(command, token);
      if (fault !== undefined) throw refuse(fault);
      if (parsed[token.name] !== undefined) throw refuse(`${token.rawName} is given twice.`);
      parsed[token.name] = token.value ?? true;
    }
  }
  if (operands[0] !== undefined) throw refuse(`${operands[0].toUpperCase()} is missing.`);
  return parsed;
}

/** The line that shows how a command is called. */
export function usageOf(name: string, { usage }: Command): string {
  return `Usage: nightkeep ${name} ${usage}`.trimEnd();
}

/** Node takes the line apart and judges nothing of it. */
function tokensOf({ options }: Command, args: readonly string[]) {
  const types = Object.entries(options).map(([option, { value }]) => {
    const type: 'boolean' | 'string' = value === undefined ? 'boolean' : 'string';
    return [option, { type }];
  });
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

interface OptionToken {
  name: string;
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

function faultOf({ options }: Command, { name, rawName, value, inlineValue }: OptionToken): string | undefined {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (option === undefined) {
    const meant = nearest(name, Object.keys(options));
    return `There is no option ${rawName}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`;
  }
  if (option.value === undefined) return value === undefined ? undefined : `${rawName} takes no value.`;
  const isOption = value?.startsWith('-') === true && inlineValue !== true;
  return value && !isOption ? undefined : `${rawName} needs a value: ${rawName} ${option.value}.`;
}

import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { AppError, isAppError } from '../errors.ts';
import { invalid } from './invalid.ts';
import { findMisspelt } from './misspelt.ts';
import { type Name, plain, rowOf } from './settings.ts';

export type Environment = Record<string, string | undefined>;

/** The environment of this process; what it lacks is taken from `.env` in this folder, where there is one. */
export function readEnvironment(): Environment {
  return { ...readDotEnv(), ...process.env };
}

/** Whether the environment of this process has the name; what it lacks is looked for in `.env`. */
export function isInEnvironment(name: string): boolean {
  return process.env[name] !== undefined;
}

function readDotEnv(): Environment {
  try {
    return existsSync('.env') ? parseEnv(decoded('.env', readFileSync('.env'))) : {};
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    throw new AppError('config/invalid', '.env cannot be read. Make it a file that this user may read.', { cause });
  }
}

/**
 * The text that is in force: what NAME or the file that NAME_FILE names holds, without white space around it, or the default; empty where that is none.
 * Throws `config/invalid` where it must be set, is set twice or cannot be read.
 */
export function textOf(environment: Environment, name: Name): string {
  const file = environment[`${name}_FILE`];
  if (environment[name] && file) throw invalid(name, `is set twice: remove ${name} or ${name}_FILE`);
  const text = (file ? readText(`${name}_FILE names ${file}`, file) : environment[name])?.trim();
  if (text) return text;
  const { default: fallback, absent, help } = rowOf(name);
  if (fallback === undefined && absent === undefined)
    throw invalid(name, `is missing: ${plain(help)}${misspeltOf(environment, name)}`);
  return fallback ?? '';
}

function misspeltOf(environment: Environment, name: Name): string {
  const slip = findMisspelt(Object.keys(environment)).find(({ meant }) => meant === name);
  return slip === undefined ? '' : `. ${slip.name} is set, which is not a setting`;
}

/** Reads a file that a setting names; `what` says so to whoever must mend it. Throws `config/invalid`. */
export function readText(what: string, file: string): string {
  try {
    return decoded(`The file ${file}`, readFileSync(file));
  } catch (cause) {
    if (isAppError(cause)) throw cause;
    const message = `${what}, which cannot be read. Check the path and its permissions.`;
    throw new AppError('config/invalid', message, { cause });
  }
}

/** Without the mark that some editors put in front of UTF-8. In another encoding a value would silently be another one. */
function decoded(what: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('config/invalid', `${what} is not UTF-8 text. Save it as UTF-8.`, { cause });
  }
}

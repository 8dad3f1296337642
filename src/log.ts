import type { Clock } from './clock.ts';
import { codeIn, isAppError } from './errors.ts';
import { withEscapes } from './file-name.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Record<string, unknown>;

/** Structured log: one JSON line an event. Secrets are left out by the caller and scrubbed here once more. */
export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  error(event: string, fields?: Fields): void;
  /** The same log with fields that every line carries. */
  with(fields: Fields): Log;
}

const levels: readonly Level[] = ['debug', 'info', 'warn', 'error'];

/** A log that writes lines of at least `level` through `write`. */
export function openLog(
  options: { clock: Clock; level: Level; write: (line: string) => void },
  carried: Fields = {},
): Log {
  const emit =
    (level: Level) =>
    (event: string, fields: Fields = {}) => {
      if (levels.indexOf(level) < levels.indexOf(options.level)) return;
      const line = { time: options.clock.now().toISOString(), level, event, ...carried, ...fields };
      options.write(withEscapes(JSON.stringify(scrub(line)), beyondJson));
    };
  return {
    debug: emit('debug'),
    info: emit('info'),
    warn: emit('warn'),
    error: emit('error'),
    with: (fields) => openLog(options, { ...carried, ...fields }),
  };
}

/** A log that says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };

/** What JSON lets stand, and terminals or readers of lines obey. */
const beyondJson = /[\x7f-\x9f]/g;

const secretName = /token|secret|password|passphrase|authorization|cookie|verifier|assertion|recovery|^code$|sealed/i;
/** Each part of a text is looked at once, whatever it is made of. */
const secretText =
  /(?<![\w-])(?=[\w-]+\.[\w-])[\w-]*eyJ[\w-]{5,}\.[\w-]+\.?[\w-]*|Bearer\s+\S+|(?<=:\/\/[^/\s:@]*:)(?:(?!:\/\/)[^@\s])+(?=@)/g;
const hidden = '[hidden]';
/** Of a list, or members. */
const mostItems = 100;

/** Takes secrets out of anything loggable: by field name, and by the shape of tokens and of passwords in URLs. */
export function scrub(value: unknown, depth = 0): unknown {
  if (depth > 8) return '[deep]';
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return scrubError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, mostItems).map((item) => scrub(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, mostItems)
      .map(([name, item]) => [
        name,
        secretName.test(name) && (typeof item === 'string' || ArrayBuffer.isView(item))
          ? hidden
          : scrub(item, depth + 1),
      ]),
  );
}

/** So much of a text is logged: it may come from outside, such as out of a queue that others can write to. */
const longestText = 4_096;
/** Beyond it secrets are looked for too, so that none is cut in two and not known again. */
const lookedBeyond = 4_096;

function scrubText(text: string): string {
  if (text.length <= longestText) return text.replace(secretText, hidden);
  const begin = text
    .slice(0, longestText + lookedBeyond)
    .replace(secretText, hidden)
    .slice(0, longestText);
  return `${begin}… (${text.length} characters)`;
}

/** The cause of an OAuth error can hold the provider's answer in clear, so foreign errors show name, code and message only. */
function scrubError(error: Error, depth: number): unknown {
  const own = {
    name: error.name,
    message: scrub(error.message, depth + 1),
    code: codeIn(error),
  };
  if (!isAppError(error)) return { ...own, stack: scrub(error.stack?.split('\n').slice(1, 6).join('\n'), depth + 1) };
  return { ...own, detail: scrub(error.detail, depth + 1), cause: scrub(error.cause, depth + 1) };
}

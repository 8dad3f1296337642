import { AppError } from '../../errors.ts';
import type { ImapResponse } from './response-reader.ts';

/** A value in a response: an atom, a number or a quoted string as text, a literal as bytes, NIL as null, or a list of these. */
export type ImapValue = string | Buffer | null | readonly ImapValue[];

/** Reads the values of one response, one after the other. Throws `source/malformed`. */
export interface ValueReader {
  /** The next value; undefined at the end of the response, or of the list that `enter` entered. */
  next(): ImapValue | undefined;
  /** The name of a data item, such as `UID`, in upper case; what stands in brackets behind it, or as its origin, is left out. */
  item(): string | undefined;
  /** Goes into a list whose values are read one by one, and answers whether there is one. */
  enter(): boolean;
}

/** No response has lists that are nested deeper, but for those that are meant to harm. */
const deepest = 16;

/** Reads the values of a response from this character on. */
export function readValues({ text, literals }: ImapResponse, from: number): ValueReader {
  let at = from;
  let literalsRead = 0;

  function skipSpaces(): void {
    while (text[at] === ' ') at++;
  }

  function isAtEnd(): boolean {
    skipSpaces();
    if (at >= text.length) return true;
    if (text[at] !== ')') return false;
    at++;
    return true;
  }

  function value(depth: number): ImapValue | undefined {
    if (isAtEnd()) return undefined;
    if (text[at] === '(') return list(depth);
    if (text[at] === '"') return quoted();
    if (text[at] === '{') return literal();
    const word = atom();
    return word.toUpperCase() === 'NIL' ? null : word;
  }

  function list(depth: number): ImapValue[] {
    if (depth >= deepest) throw malformed();
    at++;
    const values: ImapValue[] = [];
    for (let one = value(depth + 1); one !== undefined; one = value(depth + 1)) values.push(one);
    return values;
  }

  function quoted(): string {
    const match = matchAt(/"([^"\\]*(?:\\.[^"\\]*)*)"/y);
    return (match[1] ?? '').replace(/\\(.)/g, '$1');
  }

  function literal(): Buffer {
    matchAt(/\{\d+\+?\}/y);
    const bytes = literals[literalsRead++];
    if (bytes === undefined) throw malformed();
    return bytes;
  }

  function atom(): string {
    return matchAt(/[^ ()"{]+/y)[0];
  }

  function matchAt(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw malformed();
    at = pattern.lastIndex;
    return match;
  }

  /** A section may name fields, as strings of any kind. */
  function skipSection(): void {
    for (at++; text[at] !== ']'; at++) {
      if (at >= text.length) throw malformed();
      if (text[at] === '"') {
        quoted();
        at--;
      } else if (text[at] === '{') {
        literal();
        at--;
      }
    }
    at++;
    if (text[at] === '<') matchAt(/<\d+>/y);
  }

  return {
    next: () => value(0),
    item() {
      if (isAtEnd()) return undefined;
      const name = matchAt(/[^ ()[]+/y)[0].toUpperCase();
      if (text[at] === '[') skipSection();
      return name;
    },
    enter() {
      skipSpaces();
      if (text[at] !== '(') return false;
      at++;
      return true;
    },
  };
}

/** The text of a value, each byte a character; undefined where it is none. */
export function textOf(value: ImapValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('latin1') : undefined;
}

/** The values of a list as text; empty where it is none. */
export function wordsOf(value: ImapValue | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: ImapValue) => textOf(one) ?? []);
}

/** A number of a mailbox or message; undefined where it is none. */
export function numberOf(value: ImapValue | undefined): number | undefined {
  const text = textOf(value) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function malformed(): AppError {
  return new AppError('source/malformed', 'The mail server sends a response that cannot be read.');
}

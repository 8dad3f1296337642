import type { Options } from './command.ts';
import { harmless } from './table.ts';

/** Where whoever watches sees how far something is. */
export interface StatusLine {
  /** How far it is: on a terminal it takes the place of what was shown before, elsewhere it is a line now and then. */
  show(words: string): void;
  /** Something that has happened: a line that stays. */
  tell(words: string): void;
  /** Takes away what was shown. */
  clear(): void;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

const wipe = '\r\x1b[2K';
/** Often enough for a log. */
const everyMs = 10_000;

/** Writes to standard error; nothing where JSON was asked for. `elapsed` is that of the clock. */
export function openStatusLine(options: Options, elapsed: () => number, stream: Stream = process.stderr): StatusLine {
  if (options.json === true) return { show: () => {}, tell: () => {}, clear: () => {} };
  if (stream.isTTY !== true) return plainLines(elapsed, stream);
  const fitting = (words: string) => [...harmless(words)].slice(0, (stream.columns ?? 80) - 1).join('');
  let shown = '';
  const clear = () => {
    if (shown !== '') stream.write(wipe);
    shown = '';
  };
  return {
    clear,
    show: (words) => {
      if (words === shown) return;
      stream.write(wipe + fitting(words));
      shown = words;
    },
    tell: (words) => {
      clear();
      stream.write(`${harmless(words)}\n`);
    },
  };
}

function plainLines(elapsed: () => number, stream: Stream): StatusLine {
  let told = elapsed();
  let last = '';
  const line = (words: string) => {
    if (words !== last) stream.write(`${harmless(words)}\n`);
    [told, last] = [elapsed(), words];
  };
  return {
    tell: line,
    show: (words) => {
      if (words !== '' && elapsed() - told >= everyMs) line(words);
    },
    clear: () => {},
  };
}

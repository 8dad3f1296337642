import { AppError } from '../../errors.ts';
import { nameFromBytes } from '../../file-name.ts';

/** A document with more of them is not text. */
const mostWrongBytes = 1_000;

/**
 * Reads UTF-8 as it arrives in pieces. A byte that is not part of it comes as the lone surrogate of file-name.ts, so that what is
 * around it can be used. Throws `source/malformed` where there are too many of them.
 */
export function openTextReader() {
  let torn: Buffer = Buffer.alloc(0);
  let begun = false;
  let wrong = 0;
  const read = (bytes: Buffer): string => {
    if (bytes.length === 0) return '';
    const text = nameFromBytes(bytes);
    if (!text.isWellFormed()) wrong += text.match(loneSurrogates)?.length ?? 0;
    if (wrong > mostWrongBytes) throw new AppError('source/malformed', 'The listing is not UTF-8.');
    const isFirst = !begun;
    begun = true;
    return isFirst && text.startsWith('\ufeff') ? text.slice(1) : text;
  };
  return {
    take(chunk: Buffer): string {
      const bytes = torn.length === 0 ? chunk : Buffer.concat([torn, chunk]);
      const whole = bytes.length - tornLength(bytes);
      torn = bytes.subarray(whole);
      return read(bytes.subarray(0, whole));
    },
    /** What is left when no more comes. */
    rest: (): string => read(torn),
  };
}

const loneSurrogates = /(?<![\ud800-\udbff])[\udc80-\udcff]/g;

/** How many bytes at the end may be the beginning of a character whose rest is still to come. */
function tornLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc2 && byte <= 0xf4) return back < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? back : 0;
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  return 0;
}

/**
 * Names of files are bytes, nearly always UTF-8. In memory they are strings; a byte that is not part of valid UTF-8 is kept as the
 * lone surrogate U+DC00 + byte, so that every name survives being read and written again.
 */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const escapedByte = 0xdc00;

/** The name that these bytes spell. */
export function nameFromBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return nameFromBrokenUtf8(bytes);
  }
}

/** The bytes of the name; a surrogate that stands for no byte becomes U+FFFD. */
export function nameToBytes(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  return Buffer.concat(Array.from(name, bytesOfCharacter));
}

/** Orders names by their bytes, as trees are sorted. */
export function compareNames(a: string, b: string): number {
  if (hasSurrogate.test(a) || hasSurrogate.test(b)) return Buffer.compare(nameToBytes(a), nameToBytes(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The name fit to be shown or sent: what is not UTF-8 becomes U+FFFD. */
export function shownName(name: string): string {
  return name.toWellFormed();
}

/**
 * The text fit for messages, logs and tables: a byte that is not UTF-8, and a control character, reads as its escape (`\xe9`,
 * `\x00`). PostgreSQL takes neither NUL nor half a surrogate pair, and terminals obey control characters.
 */
export function escapedName(text: string): string {
  return text.replace(unprintable, escapeOf).toWellFormed();
}

/**
 * Characters that are not seen, or turn the direction of what is seen: spaces of no width, marks and overrides of direction, separators of lines, tags.
 * With them one name looks like another. The two joiners only where they join nothing: scripts and pictographs need them.
 */
export const unseen =
  /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])/gu;

/** The text with these characters, and those that are not seen or turn the direction, as escapes that JSON has too. */
export function withEscapes(text: string, ...others: readonly RegExp[]): string {
  const escaped = (characters: string) =>
    Array.from({ length: characters.length }, (_, at) => hexOf(characters.charCodeAt(at))).join('');
  return [unseen, ...others].reduce((rest, characters) => rest.replace(characters, escaped), text);
}

function hexOf(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

const unprintable = /[\0-\x1f\x7f-\x9f]|(?<![\ud800-\udbff])[\udc80-\udcff]/g;

function escapeOf(character: string): string {
  return `\\x${(character.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`;
}

const hasSurrogate = /[\ud800-\udfff]/;

function nameFromBrokenUtf8(bytes: Uint8Array): string {
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const length = validSequence(bytes, at);
    name +=
      length === 0 ? String.fromCharCode(escapedByte + (bytes[at] ?? 0)) : utf8.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return name;
}

/** Length of the valid UTF-8 sequence that starts here; 0 when there is none. */
function validSequence(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  try {
    utf8.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

function bytesOfCharacter(character: string): Buffer {
  const code = character.charCodeAt(0);
  if (character.length === 1 && code >= escapedByte + 0x80 && code <= escapedByte + 0xff) return Buffer.of(code & 0xff);
  return Buffer.from(character.toWellFormed());
}

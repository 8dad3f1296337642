import { hash } from 'node:crypto';
import { recordName } from '../../domain/restore-place.ts';
import { nameFromBytes, nameToBytes } from '../../file-name.ts';

/** Most bytes of a name that file systems take. */
const longestName = 255;

/**
 * The name of a mailbox as its person knows it, of one level of its path: in modified UTF-7 (RFC 3501, section 5.1.3), or in bytes as servers
 * send those that do not keep to that.
 */
export function decodeMailboxName(raw: string): string {
  if (/[\x80-\xff]/.test(raw)) return nameFromBytes(Buffer.from(raw, 'latin1'));
  return raw.replace(/&([A-Za-z0-9+,]*)-/g, (whole, encoded: string) => {
    if (encoded === '') return '&';
    const bytes = Buffer.from(encoded.replaceAll(',', '/'), 'base64');
    if (bytes.length < 2 || bytes.length % 2 > 0) return whole;
    const text = bytes.swap16().toString('utf16le');
    return text.isWellFormed() && !/[\0\x20-\x7e]/.test(text) ? text : whole;
  });
}

/**
 * The name of its folder: its own, unless a folder cannot have that, or something else may have it beside it. Then a digest of what the server calls
 * it is added, so that it is the same every night and nobody else's.
 */
export function folderNameOf(raw: string): string {
  const name = decodeMailboxName(raw);
  const fitting = cutToBytes(name.replaceAll(/[/\0]/g, '_'), longestName);
  const isOdd = fitting !== name || /^\.{0,2}$/.test(name) || name === recordName || /\]\.eml$/.test(name);
  if (!isOdd && encodesTo(name, raw)) return name;
  const digest = hash('sha256', raw, 'hex').slice(0, 8);
  return `${cutToBytes(fitting, longestName - digest.length - 3)} [${digest}]`.trimStart();
}

/** The path of a mailbox in the source, of its folders. */
export function folderPathOf(path: string, { delimiter }: { readonly delimiter: string }): string {
  return (delimiter === '' ? [path] : path.split(delimiter)).map(folderNameOf).join('/');
}

/** Whether a server that keeps to the encoding would call it just so: else two that read alike are not the same. */
function encodesTo(name: string, raw: string): boolean {
  if (/[\x80-\xff]/.test(raw)) return true;
  return encodeMailboxName(name) === raw;
}

/** The name as servers know it. */
export function encodeMailboxName(name: string): string {
  return name.replace(/&|[^\x20-\x7e]+/g, (part) => {
    if (part === '&') return '&-';
    const encoded = Buffer.from(part, 'utf16le').swap16().toString('base64');
    return `&${encoded.replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}

/** No longer than so many bytes, and no character cut in two. */
export function cutToBytes(text: string, most: number): string {
  if (nameToBytes(text).length <= most) return text;
  let bytes = 0;
  let cut = '';
  for (const character of text) {
    bytes += nameToBytes(character).length;
    if (bytes > most) break;
    cut += character;
  }
  return cut;
}

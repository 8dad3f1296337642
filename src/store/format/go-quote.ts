import { AppError } from '../../errors.ts';
import { nameFromBytes } from '../../file-name.ts';

/** The inside of Go's strconv.Quote of a name: how trees spell names. */
export function goQuote(name: string): string {
  if (plain.test(name)) return name;
  return Array.from(name, quoteCharacter).join('');
}

/** The name that a quoted one spells (strconv.Unquote). Throws `repository/damaged`. */
export function goUnquote(quoted: string): string {
  if (!quoted.includes('\\')) return quoted;
  return nameFromBytes(Buffer.concat(Array.from(quoted.match(pieces) ?? [], unquotePiece)));
}

const plain = /^[ !#-[\]-~]*$/;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const short: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
const long: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(short).map(([a, b]) => [b, a]));

function quoteCharacter(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  if (printable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code & 0xff, 2)}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');

const pieces = /\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-7]{3}|\\.|[^\\]+|\\/gsu;

function unquotePiece(piece: string): Buffer {
  if (!piece.startsWith('\\')) return Buffer.from(piece);
  const known = long[piece];
  if (known !== undefined) return Buffer.from(known);
  const digits = piece.slice(2);
  if (piece[1] === 'x' && digits !== '') return Buffer.of(Number.parseInt(digits, 16));
  if (/^\\[0-3][0-7]{2}$/.test(piece)) return Buffer.of(Number.parseInt(piece.slice(1), 8));
  const code = /^\\[uU]/.test(piece) ? Number.parseInt(digits, 16) : Number.NaN;
  if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) throw notQuoted();
  return Buffer.from(String.fromCodePoint(code));
}

function notQuoted(): AppError {
  return new AppError('repository/damaged', 'A tree spells a name with an escape that does not exist.');
}

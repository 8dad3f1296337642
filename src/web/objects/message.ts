import { decodeHeader, decodeText } from '../../sources/imap/encoded-words.ts';
import { isDay } from './is-day.ts';

/** What people look for in a message. */
export interface Message {
  readonly kind: 'message';
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly copies: string;
  /** As it is written. */
  readonly date: string;
  /** When that is (RFC 3339); undefined where it is no date. */
  readonly at: string | undefined;
  /** What it says as plain text; undefined where it says nothing so. */
  readonly text: string | undefined;
  readonly attachments: readonly Attachment[];
  /** Whether there may be more of them: not all of the message was looked at. */
  readonly mayHaveMore: boolean;
}

/** A part of a message that mail programs offer as a file. */
export interface Attachment {
  /** Empty where it has none. */
  readonly name: string;
  /** Its media type in small letters, as the message claims it: "image/jpeg". */
  readonly type: string;
  /** Its size, decoded; undefined where its end was not read. */
  readonly bytes: number | undefined;
}

/** Parts of a message that are looked at, and how deep they may lie in each other. */
const most = { parts: 50, depth: 5 };
/** A longer text is cut; the download has all of it. */
const longestText = 20_000;

/** What a message says (RFC 5322, RFC 2045), of which `bytes` are the beginning, or all if `isWhole`; undefined where it is none. */
export function readMessage(bytes: Uint8Array, { isWhole = true } = {}): Message | undefined {
  const whole = entityOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
  const field = (name: string) => decodeHeader(Buffer.from(whole.fields.get(name) ?? '', 'latin1'));
  if (!['from', 'to', 'subject', 'date', 'received'].some((name) => whole.fields.has(name))) return undefined;
  const date = field('date');
  const looked = { left: most.parts, passedOver: false };
  const leaves = Array.from(leavesOf(whole, looked, { depth: 0, isEnded: isWhole }));
  const said = leaves.find(({ type, fields }) => type === 'text/plain' && !isAttached(fields));
  const text = said && textOf(said).trim();
  return {
    kind: 'message',
    title: field('subject'),
    from: field('from'),
    to: field('to'),
    copies: field('cc'),
    date,
    at: dateOf(date),
    text: text === undefined || text === '' ? undefined : text.slice(0, longestText).toWellFormed(),
    attachments: leaves.filter((leaf) => leaf !== said).flatMap(attachmentsIn),
    mayHaveMore: !isWhole || looked.passedOver,
  };
}

interface Entity {
  /** Fields as they are written, by name in lower case; the first of several of one name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
}

function entityOf(text: string): Entity {
  const fields = new Map<string, string>();
  let [at, name] = [0, ''];
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end === -1 ? text.length : end + 1);
    at += line.length;
    if (/^\r?\n$/.test(line)) break;
    if (/^[ \t]/.test(line)) {
      const known = fields.get(name);
      if (known !== undefined && known.length < longestText) fields.set(name, known + line);
      continue;
    }
    const named = /^[!-9;-~]{1,100}(?=:)/.exec(line)?.[0].toLowerCase() ?? '';
    name = fields.has(named) ? '' : named;
    if (name !== '') fields.set(name, line);
  }
  return { fields, body: text.slice(at) };
}

/** A part that is not made of parts. */
interface Leaf extends Entity {
  readonly type: string;
  /** Whether all of it was read. */
  readonly isEnded: boolean;
}

/** The parts in the order in which they are written, as far as the limits reach. */
function* leavesOf(
  { fields, body }: Entity,
  looked: { left: number; passedOver: boolean },
  { depth, isEnded }: { depth: number; isEnded: boolean },
): Generator<Leaf> {
  if (looked.left-- <= 0 || depth > most.depth) {
    looked.passedOver = true;
    return;
  }
  const content = fields.get('content-type') ?? 'content-type: text/plain';
  const type = /^content-type:\s*([\w-]+\/[\w.+-]+)/i.exec(content)?.[1]?.toLowerCase() ?? 'text/plain';
  if (!type.startsWith('multipart/')) {
    yield { fields, body, type, isEnded };
    return;
  }
  for (const part of partsOf(body, parameterOf(content, 'boundary')))
    if (looked.left > 0)
      yield* leavesOf(entityOf(part.text), looked, { depth: depth + 1, isEnded: part.isEnded || isEnded });
    else {
      looked.passedOver = true;
      return;
    }
}

function isAttached(fields: Entity['fields']): boolean {
  return /^content-disposition:\s*attachment/i.test(fields.get('content-disposition') ?? '');
}

function textOf({ fields, body }: Entity): string {
  const charset = parameterOf(fields.get('content-type') ?? '', 'charset') || 'utf-8';
  return decodeText(bytesOf(body, codingOf(fields)), charset).replaceAll('\r\n', '\n');
}

function codingOf(fields: Entity['fields']): string | undefined {
  return /:\s*([\w-]+)/.exec(fields.get('content-transfer-encoding') ?? '')?.[1]?.toLowerCase();
}

/** The part, where it is one that mail programs offer as a file: not the same text once more in another form. */
function attachmentsIn({ fields, body, type, isEnded }: Leaf): Attachment[] {
  const name =
    fileNameIn(fields.get('content-disposition'), 'filename') || fileNameIn(fields.get('content-type'), 'name');
  if (name === '' && type.startsWith('text/') && !isAttached(fields)) return [];
  const bytes = isEnded ? bytesOf(body.replace(/\r$/, ''), codingOf(fields)).length : undefined;
  return [{ name, type, bytes }];
}

/** The name of a file in a field: as RFC 2231 has it, also in pieces, or in quotes, where many programs write encoded words. */
function fileNameIn(field = '', parameter: string): string {
  const whole = pieceOf(field, `${parameter}\\*`);
  const pieces = whole === undefined ? piecesOf(field, parameter) : [{ written: whole, isCoded: true }];
  if (pieces.length === 0)
    return decodeHeader(Buffer.from(`name: ${parameterOf(field, parameter)}`, 'latin1')).slice(0, longestName);
  const [, charset = '', rest] = /^([\w.:-]*)'[^']*'(.*)$/s.exec(pieces[0]?.written ?? '') ?? [];
  const texts = pieces.map(({ written, isCoded }, at) => {
    const text = at === 0 && isCoded ? (rest ?? written) : written;
    return isCoded ? text.replace(/%([\dA-F]{2})/gi, fromHex) : text;
  });
  return decodeText(Buffer.from(texts.join(''), 'latin1'), charset || 'utf-8').slice(0, longestName);
}

/** Longer names are cut. */
const longestName = 300;
const mostPieces = 20;

function piecesOf(field: string, parameter: string): { written: string; isCoded: boolean }[] {
  const pieces: { written: string; isCoded: boolean }[] = [];
  while (pieces.length < mostPieces) {
    const coded = pieceOf(field, `${parameter}\\*${pieces.length}\\*`);
    const written = coded ?? pieceOf(field, `${parameter}\\*${pieces.length}`);
    if (written === undefined) break;
    pieces.push({ written, isCoded: coded !== undefined });
  }
  return pieces;
}

function bytesOf(body: string, coding: string | undefined): Buffer {
  if (coding === 'base64') return Buffer.from(body, 'base64');
  if (coding !== 'quoted-printable') return Buffer.from(body, 'latin1');
  const joined = body.replace(/=\r?\n/g, '');
  const decoded = joined.replace(/=([\dA-F]{2})/gi, fromHex);
  return Buffer.from(decoded, 'latin1');
}

function fromHex(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** The parts between boundary lines (RFC 2046, section 5.1), without preamble and epilogue; the last one may lack its end. */
function* partsOf(body: string, boundary: string): Generator<{ text: string; isEnded: boolean }> {
  if (boundary === '') return;
  const line = `\n--${boundary}`;
  const text = `\n${body}`;
  let at = text.indexOf(line);
  while (at !== -1) {
    const from = text.indexOf('\n', at + 1);
    if (from === -1 || text.startsWith('--', at + line.length)) return;
    at = text.indexOf(line, from);
    yield { text: text.slice(from + 1, at === -1 ? text.length : at), isEnded: at !== -1 };
  }
}

function parameterOf(field: string, name: string): string {
  return pieceOf(field, name) ?? '';
}

/** A parameter of a field, whose name is part of a regular expression. */
function pieceOf(field: string, name: string): string | undefined {
  const pattern = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.){0,400})"|([^\\s;"]{1,400}))`, 'is');
  const match = pattern.exec(field.slice(0, longestText).replace(/\r?\n(?=[ \t])/g, ''));
  return match?.[1]?.replace(/\\(.)/gs, '$1') ?? match?.[2];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * A moment as messages write it (RFC 5322, section 3.3): "Sat, 28 Nov 2026 10:00:00 +0100", since 1900. Undefined where it is none: `Date.parse` alone
 * takes the year 1 for 2001.
 */
function dateOf(written: string): string | undefined {
  const text = written.replace(/\s*\([^()]{0,100}\)\s*$/, '');
  const match = /^(?:\w{3},\s*)?(\d{1,2}) (\w{3}) (\d{4}) \d{1,2}:\d\d(?::\d\d)? (?:[+-]\d{4}|[A-Z]{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', name = '', year = ''] = match;
  const month = String(months.indexOf(name.toLowerCase()) + 1).padStart(2, '0');
  const ms = Date.parse(text);
  if (year < '1900' || Number.isNaN(ms) || !isDay(`${year}-${month}-${day.padStart(2, '0')}`)) return undefined;
  return new Date(ms).toISOString();
}

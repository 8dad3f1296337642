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
}

/** Parts of a message that are looked at, and how deep they may lie in each other. */
const most = { parts: 50, depth: 5 };
/** A longer text is cut; the download has all of it. */
const longestText = 20_000;

/** What a message says (RFC 5322, RFC 2045), of which `bytes` are the beginning or all; undefined where it is none. */
export function readMessage(bytes: Uint8Array): Message | undefined {
  const whole = entityOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
  const field = (name: string) => decodeHeader(Buffer.from(whole.fields.get(name) ?? '', 'latin1'));
  if (!['from', 'to', 'subject', 'date', 'received'].some((name) => whole.fields.has(name))) return undefined;
  const date = field('date');
  const text = plainText(whole, { left: most.parts }, 0)?.trim();
  return {
    kind: 'message',
    title: field('subject'),
    from: field('from'),
    to: field('to'),
    copies: field('cc'),
    date,
    at: dateOf(date),
    text: text === undefined || text === '' ? undefined : text.slice(0, longestText).toWellFormed(),
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

/** The first part that is plain text and no attachment. */
function plainText({ fields, body }: Entity, looked: { left: number }, depth: number): string | undefined {
  if (looked.left-- <= 0 || depth > most.depth) return undefined;
  const content = fields.get('content-type') ?? 'content-type: text/plain';
  const type = /^content-type:\s*([\w-]+\/[\w.+-]+)/i.exec(content)?.[1]?.toLowerCase() ?? 'text/plain';
  if (type.startsWith('multipart/')) {
    for (const part of partsOf(body, parameterOf(content, 'boundary'), looked.left)) {
      const found = plainText(entityOf(part), looked, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (type !== 'text/plain' || /^content-disposition:\s*attachment/i.test(fields.get('content-disposition') ?? ''))
    return undefined;
  const coding = /:\s*([\w-]+)/.exec(fields.get('content-transfer-encoding') ?? '')?.[1]?.toLowerCase();
  return decodeText(bytesOf(body, coding), parameterOf(content, 'charset') || 'utf-8').replaceAll('\r\n', '\n');
}

function bytesOf(body: string, coding: string | undefined): Buffer {
  if (coding === 'base64') return Buffer.from(body, 'base64');
  if (coding !== 'quoted-printable') return Buffer.from(body, 'latin1');
  const joined = body.replace(/=\r?\n/g, '');
  const decoded = joined.replace(/=([\dA-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(decoded, 'latin1');
}

/** The parts between boundary lines (RFC 2046, section 5.1), without preamble and epilogue. */
function* partsOf(body: string, boundary: string, parts: number): Generator<string> {
  if (boundary === '') return;
  const line = `\n--${boundary}`;
  const text = `\n${body}`;
  let at = text.indexOf(line);
  for (let part = 0; at !== -1 && part < parts; part += 1) {
    const from = text.indexOf('\n', at + 1);
    if (from === -1 || text.startsWith('--', at + line.length)) return;
    at = text.indexOf(line, from);
    yield text.slice(from + 1, at === -1 ? text.length : at);
  }
}

function parameterOf(field: string, name: string): string {
  const match = new RegExp(`;\\s*${name}=(?:"([^"]{0,200})"|([^\\s;"]{1,200}))`, 'i').exec(field);
  return match?.[1] ?? match?.[2] ?? '';
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

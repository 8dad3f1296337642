import { TextDecoder } from 'node:util';

/** Longer ones are of those who want something else than to be read. */
const longestHeader = 2_000;
/** What is behind so many bytes is no more looked for. */
const longestHead = 128 * 1024;

/**
 * The text of a header field (RFC 5322), of which `bytes` are all: unfolded, and with the encoded words in it decoded (RFC 2047). Never throws: what
 * cannot be decoded stays as it is written.
 */
export function decodeHeader(bytes: Buffer): string {
  const raw = bytes.subarray(0, longestHeader).toString('latin1');
  const field = /^[^:\r\n]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/.exec(raw)?.[1] ?? '';
  const unfolded = field.replace(/\r?\n(?=[ \t])/g, '');
  const joined = unfolded.replace(/(=\?[^?\s]{1,60}\?[bq]\?[^?]*\?=)\s+(?==\?[^?\s]{1,60}\?[bq]\?)/gi, '$1');
  let text = '';
  for (const part of joined.split(/((?:=\?[^?\s]{1,60}\?[bq]\?[^?]*\?=)+)/i))
    text += part.startsWith('=?') ? decodeWords(part) : decodePlain(part);
  return text.trim();
}

/** The subject of a message, of which these are the first bytes; empty where there is none. */
export function subjectIn(message: Buffer): string {
  const [header = ''] = message
    .subarray(0, longestHead)
    .toString('latin1')
    .split(/\r?\n\r?\n/, 1);
  const field = /^subject:.*(?:\r?\n[ \t].*)*/im.exec(header)?.[0];
  return field === undefined ? '' : decodeHeader(Buffer.from(field, 'latin1'));
}

/** Words that follow each other: a character may be cut in two between those of one charset. */
function decodeWords(words: string): string {
  const runs: { charset: string; bytes: Buffer[] }[] = [];
  for (const [, label = '', encoding = '', content = ''] of words.matchAll(/=\?([^?\s]{1,60})\?([bq])\?([^?]*)\?=/gi)) {
    const charset = label.replace(/\*.*$/, '').toLowerCase();
    const bytes = /b/i.test(encoding) ? Buffer.from(content, 'base64') : quotedBytes(content);
    const last = runs.at(-1);
    if (last?.charset === charset) last.bytes.push(bytes);
    else runs.push({ charset, bytes: [bytes] });
  }
  return runs.map(({ charset, bytes }) => decodeText(Buffer.concat(bytes), charset)).join('');
}

function quotedBytes(content: string): Buffer {
  const spaced = content.replaceAll('_', ' ');
  return Buffer.from(
    spaced.replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

/** Outside of encoded words there should be ASCII alone; what is not is UTF-8 (RFC 6532), or of older days. */
function decodePlain(raw: string): string {
  return /[\x80-\xff]/.test(raw) ? decodeText(Buffer.from(raw, 'latin1'), 'utf-8') : raw;
}

/** By their names in small letters, of which there are some two hundred (WHATWG Encoding, section 4.2). */
const decoders = new Map<string, TextDecoder>();

/** Text in this charset; in UTF-8, or else as in western Europe, where the charset is not known. */
export function decodeText(bytes: Buffer, charset: string): string {
  const decoder = decoderOf(charset);
  if (decoder !== undefined && decoder.encoding !== 'utf-8') return decoder.decode(bytes);
  try {
    return utf8.decode(bytes);
  } catch {
    return western.decode(bytes);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const western = new TextDecoder('windows-1252');

/** Undefined for a charset that is not known. Of these nothing is kept: whoever writes a message may make up any number of them. */
function decoderOf(charset: string): TextDecoder | undefined {
  const label = charset.trim().toLowerCase();
  const known = decoders.get(label);
  if (known !== undefined) return known;
  try {
    const decoder = new TextDecoder(label);
    decoders.set(label, decoder);
    return decoder;
  } catch {
    return undefined;
  }
}

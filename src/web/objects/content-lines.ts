import { decodeText } from '../../sources/imap/encoded-words.ts';

/** A line of an iCalendar object or a vCard (RFC 5545, section 3.1; RFC 6350, section 3.3). */
export interface ContentLine {
  /** In capitals, without the group that a vCard may put in front of it. */
  readonly name: string;
  /** By their names in capitals. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly value: string;
}

/** The rest of a longer line is left out: it is a photo, or written to do harm. */
const longestLine = 10_000;

/** In what stands before the value: vCard 2.1 and vCalendar 1.0 may write that as mail does (RFC 2045, section 6.7). */
const quotedPrintable = /^[^:]{1,200};(?:ENCODING=)?QUOTED-PRINTABLE[;:]/i;

/** The lines of an object, unfolded; anything else is skipped. Linear in the length of the text, whatever it holds. */
export function* contentLines(text: string): Generator<ContentLine> {
  let line: { parts: string[]; length: number; isQuoted: boolean; goesOn: boolean } | undefined;
  for (const written of physicalLines(text)) {
    const isNext = line === undefined || !(line.goesOn || /^[ \t]/.test(written));
    if (isNext) {
      if (line !== undefined) yield* parseLine(line.parts.join(''), line.isQuoted);
      line = { parts: [], length: 0, isQuoted: quotedPrintable.test(written), goesOn: false };
    }
    if (line === undefined) continue;
    const said = isNext || line.goesOn ? written : written.slice(1);
    line.goesOn = line.isQuoted && said.endsWith('=');
    if (line.length < longestLine) line.parts.push((line.goesOn ? said.slice(0, -1) : said).slice(0, longestLine));
    line.length += said.length + 1;
  }
  if (line !== undefined) yield* parseLine(line.parts.join(''), line.isQuoted);
}

function* physicalLines(text: string): Generator<string> {
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const next = end === -1 ? text.length : end;
    yield text.slice(at, text[next - 1] === '\r' ? next - 1 : next);
    at = next + 1;
  }
}

function* parseLine(line: string, isQuoted: boolean): Generator<ContentLine> {
  const [head, value] = cutOutsideQuotes(line, ':', 2);
  if (head === undefined || value === undefined) return;
  const [named = '', ...written] = cutOutsideQuotes(head, ';');
  const name = named.slice(named.lastIndexOf('.') + 1).toUpperCase();
  const parameters = new Map(written.map(parameterOf));
  yield { name, parameters, value: isQuoted ? unquoted(value, parameters.get('CHARSET') || 'utf-8') : value };
}

function unquoted(value: string, charset: string): string {
  const bytes = (hex: string) => Buffer.from(hex.replaceAll('=', ''), 'hex');
  return value.replace(/(?:=[\dA-F]{2})+/gi, (hex) => decodeText(bytes(hex), charset)).replaceAll('\r\n', '\n');
}

function parameterOf(written: string): [string, string] {
  const [name = '', value = ''] = cutOutsideQuotes(written, '=', 2);
  return [name.toUpperCase(), value.replaceAll('"', '')];
}

/** The parts between separators outside quotes. There are at most `most`; the last one holds the rest. */
function cutOutsideQuotes(text: string, separator: string, most = Number.POSITIVE_INFINITY): string[] {
  const parts: string[] = [];
  let [from, isQuoted] = [0, false];
  for (let at = 0; at < text.length && parts.length < most - 1; at += 1) {
    if (text[at] === '"') isQuoted = !isQuoted;
    if (text[at] !== separator || isQuoted) continue;
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  return [...parts, text.slice(from)];
}

/** A text value as people wrote it (RFC 5545, section 3.3.11). */
export function textOf(value: string): string {
  return value.replace(/\\([nN\\,;])/g, (_, escaped: string) => (/n/i.test(escaped) ? '\n' : escaped)).trim();
}

/** The parts of a value that has several, such as a name (RFC 6350, section 3.3); those that are empty are left out. */
export function partsOf(value: string): string[] {
  const parts = value.match(/(?:\\[\s\S]|[^;\\])+/g) ?? [];
  return parts.map(textOf).filter((part) => part !== '');
}

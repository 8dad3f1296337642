/** A line of an iCalendar object or a vCard (RFC 5545, section 3.1; RFC 6350, section 3.3). */
export interface ContentLine {
  /** In capitals, without the group that a vCard may put in front of it. */
  readonly name: string;
  /** By their names in capitals. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly value: string;
}

/** Of a longer line the rest is left out: a photo, or of those who want something else than to be read. */
const longestLine = 10_000;

/** The lines of an object, unfolded; what is no such line is passed over. Takes time in proportion to the text, whatever it is. */
export function* contentLines(text: string): Generator<ContentLine> {
  let line = '';
  for (const written of physicalLines(text)) {
    if (/^[ \t]/.test(written)) {
      if (line.length < longestLine) line += written.slice(1, longestLine);
      continue;
    }
    const parsed = parseLine(line);
    if (parsed !== undefined) yield parsed;
    line = written.slice(0, longestLine);
  }
  const last = parseLine(line);
  if (last !== undefined) yield last;
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

function parseLine(line: string): ContentLine | undefined {
  const [head, value] = cutOutsideQuotes(line, ':', 2);
  if (head === undefined || value === undefined) return undefined;
  const [named = '', ...parameters] = cutOutsideQuotes(head, ';');
  const name = named.slice(named.lastIndexOf('.') + 1).toUpperCase();
  return { name, parameters: new Map(parameters.map(parameterOf)), value };
}

function parameterOf(written: string): [string, string] {
  const [name = '', value = ''] = cutOutsideQuotes(written, '=', 2);
  return [name.toUpperCase(), value.replaceAll('"', '')];
}

/** The parts between the separators that stand in no quotes; at most so many, of which the last has the rest. */
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

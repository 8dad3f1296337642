import { escapedName, unseen } from '../file-name.ts';

/** A column of a list: what stands above it, and what of a row stands in it. */
export interface Column<Row> {
  name: string;
  of: (row: Row) => string | number;
  /** Numbers stand to the right. */
  right?: boolean;
  /** Takes what is left of the width, and is cut where that is too little. */
  stretches?: boolean;
}

/** Cut to less than this, a column tells nothing. */
const least = 8;

/**
 * A list as lines of at most `width` characters, with a line of names above. What people or servers chose is shown so that it
 * cannot command a terminal. What does not fit is cut with an ellipsis: first the columns that stretch, then the widest one.
 */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  return tableInParts(columns, width)(rows);
}

/** The same of rows that come in parts: the first part has the line of names, and no column is narrower than it was before. */
export function tableInParts<Row>(columns: readonly Column<Row>[], width: number): (rows: readonly Row[]) => string[] {
  const natural = columns.map(() => 0);
  return (rows) => {
    const cells = rows.map((row) => columns.map(({ of }) => harmless(of(row))));
    if (natural.every((one) => one === 0)) cells.unshift(columns.map(({ name }) => name));
    for (const line of cells)
      for (const [index, cell] of line.entries()) natural[index] = Math.max(natural[index] ?? 0, lengthOf(cell));
    const widths = widthsWithin(natural, columns, width);
    return cells.map((line) =>
      line
        .map((cell, index) => padded(cut(cell, widths[index] ?? 0), widths[index] ?? 0, columns[index]?.right === true))
        .join('  ')
        .trimEnd(),
    );
  };
}

function widthsWithin<Row>(natural: readonly number[], columns: readonly Column<Row>[], width: number): number[] {
  const widths = [...natural];
  const excess = () => widths.reduce((sum, one) => sum + one, 2 * (widths.length - 1)) - width;
  const shrink = (index: number) => {
    widths[index] = Math.max(Math.min(least, widths[index] ?? 0), (widths[index] ?? 0) - excess());
  };
  for (const [index, { stretches }] of columns.entries()) if (stretches === true && excess() > 0) shrink(index);
  for (const index of widths.map((_, at) => at).toSorted((a, b) => (natural[b] ?? 0) - (natural[a] ?? 0)))
    if (excess() > 0) shrink(index);
  return widths;
}

/** The text as one line that a terminal prints and does not obey. */
export function harmless(value: string | number): string {
  return withEscapes(escapedName(String(value)));
}

/** The text with these characters, and those that are not seen or turn the direction, as escapes that JSON has too. */
export function withEscapes(text: string, ...others: readonly RegExp[]): string {
  const escaped = (characters: string) =>
    Array.from({ length: characters.length }, (_, at) => hexOf(characters.charCodeAt(at))).join('');
  return [unseen, ...others].reduce((rest, characters) => rest.replace(characters, escaped), text);
}

function hexOf(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that the text takes in a terminal: wide characters (East Asian, emoji) take two. */
function lengthOf(text: string): number {
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

function cut(text: string, width: number): string {
  if (lengthOf(text) <= width) return text;
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    if (lengthOf(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function padded(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return right ? space + text : text + space;
}

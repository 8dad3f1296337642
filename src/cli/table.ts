import { escapedName, withEscapes } from '../file-name.ts';

/** A column of a list: what stands above it, and what of a row stands in it. */
export interface Column<Row> {
  name: string;
  of: (row: Row) => string | number;
  /** Numbers stand to the right. */
  right?: boolean;
  /** Takes what is left of the width, on several lines where that is too little. */
  stretches?: boolean;
}

/** Narrower than this, a column that has more is hard to read. */
const least = 12;

/**
 * A list as lines of at most `width` characters, with a line of names above. What people or servers chose is shown so that it
 * cannot command a terminal. Nothing is cut: columns that stretch go on below, and where that is not enough each row is a paragraph with a line for each field,
 * which the terminal breaks where it must.
 */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  return tableInParts(columns, width)(rows);
}

/** The same of rows that come in parts: the first part has the line of names, and no column is narrower than it was before. */
export function tableInParts<Row>(columns: readonly Column<Row>[], width: number): (rows: readonly Row[]) => string[] {
  const names = columns.map(({ name }) => name);
  const natural = names.map(lengthOf);
  let isFirst = true;
  return (rows) => {
    if (rows.length === 0) return [];
    const cells = rows.map((row) => columns.map(({ of }) => harmless(of(row))));
    for (const row of cells)
      for (const [index, cell] of row.entries()) natural[index] = Math.max(natural[index] ?? 0, lengthOf(cell));
    const widths = widthsWithin(natural, columns, width);
    const shown = widths !== undefined && isFirst ? [names, ...cells] : cells;
    const lines =
      widths === undefined
        ? shown.flatMap((row, at) => [...(isFirst && at === 0 ? [] : ['']), ...paragraphOf(names, row)])
        : shown.flatMap((row) => linesOf(columns, row, widths));
    isFirst = false;
    return lines;
  };
}

/** How wide each column is; undefined where they do not fit beside each other. */
function widthsWithin<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] | undefined {
  const widths = [...natural];
  const excess = () => widths.reduce((sum, one) => sum + one, 2 * (widths.length - 1)) - width;
  for (const [index, { stretches }] of columns.entries()) {
    const own = widths[index] ?? 0;
    if (stretches === true && excess() > 0) widths[index] = Math.max(Math.min(least, own), own - excess());
  }
  return excess() > 0 ? undefined : widths;
}

function linesOf<Row>(columns: readonly Column<Row>[], row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((cell, index) => wrapped(cell, widths[index] ?? 0));
  const height = Math.max(...cells.map(({ length }) => length));
  const lineOf = (at: number) =>
    cells
      .map((lines, index) =>
        padded(lines[at] ?? '', widths[index] ?? 0, columns[index]?.right === true ? 'right' : 'left'),
      )
      .join('  ');
  return Array.from({ length: height }, (_, at) => lineOf(at).trimEnd());
}

function paragraphOf(names: readonly string[], row: readonly string[]): string[] {
  const widest = Math.max(...names.map(lengthOf));
  return names.map((name, index) => `${padded(name, widest, 'left')}  ${row[index] ?? ''}`.trimEnd());
}

/** The text as one line that a terminal prints and does not obey. */
export function harmless(value: string | number): string {
  return withEscapes(escapedName(String(value)));
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

/** Lines of that width at most, broken between words where that can be. */
function wrapped(text: string, width: number): string[] {
  if (lengthOf(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const { segment } of graphemes.segment(text)) {
    if (lengthOf(line + segment) > width) {
      const end = segment === ' ' ? line.length : line.lastIndexOf(' ') + 1 || line.length;
      lines.push(line.slice(0, end).trimEnd());
      line = line.slice(end);
      if (segment === ' ') continue;
    }
    line += segment;
  }
  return [...lines, line];
}

function padded(text: string, width: number, side: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return side === 'right' ? space + text : text + space;
}

import { html } from 'hono/html';
import type { Html } from './layout.ts';

export interface Column {
  readonly label: string;
  readonly kind?: 'number';
}

type Cell = Html | string | number | '';

interface Table {
  /** What it lists; read to those who do not see it. */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

/**
 * A table. A phone shows each row as a list of its own, with the first cell as its head and nothing cut off. The roles
 * say what the rows still are then.
 */
export function table({ caption, columns, rows }: Table): Html {
  const kind = (index: number) => (columns[index]?.kind === 'number' ? 'number' : '');
  const head = ({ label }: Column, index: number) =>
    html`<th scope="col" role="columnheader" class="${kind(index)}">${label}</th>`;
  const cell = (content: Cell, index: number) =>
    html`<td role="cell" class="${kind(index)}" data-label="${columns[index]?.label ?? ''}"><span>${content}</span></td>`;
  return html`<table class="rows" role="table"><caption>${caption}</caption><thead role="rowgroup"><tr role="row">${columns.map(head)}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => html`<tr role="row">${row.map(cell)}</tr>`)}</tbody></table>`;
}

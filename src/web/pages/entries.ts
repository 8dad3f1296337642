import { html } from 'hono/html';
import { shownName } from '../../file-name.ts';
import type { Node } from '../../store/format/node.ts';
import { type Order, orders } from '../../store/history/order.ts';
import { iconSprite, spriteIcon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { name } from '../names.ts';
import type { NightTimes } from '../night-times.ts';
import { addressOf, type OpenSnapshot } from '../snapshot.ts';
import type { Texts } from '../texts/en.ts';

interface Entries {
  readonly opened: OpenSnapshot;
  /** The path of the folder that holds them. */
  readonly folder: string;
  readonly nodes: readonly Node[];
  readonly order: Order;
  readonly times: NightTimes;
  readonly texts: Texts;
}

/** What a folder holds, as a table that a phone shows in two lines an entry. The roles say what the rows still are then. */
export function entriesTable(entries: Entries): Html {
  const { nodes, order, times, texts } = entries;
  const t = texts.snapshots;
  const head = (
    one: Order,
  ) => html`<th scope="col" role="columnheader" class="${one === 'size' ? 'number' : ''}" ${one === order ? html`aria-sort="${one === 'name' ? 'ascending' : 'descending'}"` : ''}>
<a href="?sort=${one}" title="${t.sortBy[one]}">${t.columns[one]}</a></th>`;
  return html`${iconSprite(['folder', 'file'])}<table class="entries" role="table"><caption>${t.contents(times.zone)}</caption>
<thead role="rowgroup"><tr role="row">${orders.map(head)}</tr></thead><tbody role="rowgroup">${nodes.map((node) => row(entries, node))}</tbody></table>`;
}

function row({ opened, folder, times, texts }: Entries, node: Node): Html {
  const path = folder === '' ? node.name : `${folder}/${node.name}`;
  return html`<tr role="row"><td role="cell">${label(opened, path, node, texts)}</td><td role="cell" class="number">${sizeOf(opened, node, texts)}</td><td role="cell">${times.moment(node.mtime)}</td></tr>
`;
}

function label({ saved }: OpenSnapshot, path: string, node: Node, { snapshots: t }: Texts): Html {
  if (node.type === 'dir')
    return html`<a href="${addressOf(saved, 'browse', path)}">${spriteIcon('folder')}${name(node.name)}</a>`;
  if (node.type === 'file')
    return html`<a href="${addressOf(saved, 'view', path)}">${spriteIcon('file')}${name(node.name)}</a>`;
  const what =
    node.type === 'symlink'
      ? html`${t.linkTo} ${name(shownName(node.linktarget))}`
      : node.type === 'unreadable'
        ? t.unreadableEntry
        : t.special;
  return html`<span>${spriteIcon('file')}${name(node.name)}</span> <span class="soft">${what}</span>`;
}

function sizeOf({ history }: OpenSnapshot, node: Node, { formats, snapshots: t }: Texts): string {
  if (node.type === 'file') return formats.bytes(node.size);
  const below = node.type === 'dir' ? history.weights.get(node.subtree) : undefined;
  return below === undefined ? '' : t.fileCount(below.files);
}

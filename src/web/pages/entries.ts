import { html } from 'hono/html';
import { shownName } from '../../file-name.ts';
import type { Node } from '../../store/format/node.ts';
import { type Order, orders } from '../../store/history/order.ts';
import { type IconName, iconSprite, spriteIcon } from '../icons.ts';
import type { Html } from '../layout.ts';
import { name } from '../names.ts';
import { changedAt, type NightTimes } from '../night-times.ts';
import type { Label } from '../objects/labels.ts';
import { addressOf, type OpenSnapshot } from '../snapshot.ts';
import type { Texts } from '../texts/en.ts';

interface Entries {
  readonly opened: OpenSnapshot;
  /** The path of the folder that holds them. */
  readonly folder: string;
  readonly nodes: readonly Node[];
  /** Of nodes that have another name on pages than in the snapshot. */
  readonly labels: ReadonlyMap<Node, Label>;
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
  return html`${iconSprite([...new Set<IconName>(['folder', 'file', ...Array.from(entries.labels.values(), (label) => label.icon)])])}<table class="entries" role="table"><caption>${t.contents(times.zone)}</caption>
<thead role="rowgroup"><tr role="row">${orders.map(head)}</tr></thead><tbody role="rowgroup">${nodes.map((node) => row(entries, node))}</tbody></table>`;
}

/** The path of an entry of a folder. */
export function pathIn(folder: string, { name }: Node): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function row({ opened, folder, labels, times, texts }: Entries, node: Node): Html {
  const path = pathIn(folder, node);
  return html`<tr role="row"><td role="cell">${link(opened, path, node, labels.get(node), texts)}</td><td role="cell" class="number">${sizeOf(opened, node, texts)}</td><td role="cell">${changedAt(node, times)}</td></tr>
`;
}

function link(
  { saved }: OpenSnapshot,
  path: string,
  node: Node,
  label: Label | undefined,
  { snapshots: t }: Texts,
): Html {
  if (node.type === 'dir' || node.type === 'file') {
    const isFolder = node.type === 'dir';
    const address = addressOf(saved, isFolder ? 'browse' : 'view', path);
    const drawn = spriteIcon(label?.icon ?? (isFolder ? 'folder' : 'file'));
    const aside = label?.aside ? html` <span class="soft small aside">${name(label.aside)}</span>` : '';
    return html`<a href="${address}">${drawn}${name(label?.title ?? node.name)}</a>${aside}`;
  }
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
  return below === undefined ? '' : t.below(below.files);
}

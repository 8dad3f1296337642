import { describe, expect, it } from 'vitest';
import type { TreeId } from '../../../../src/store/format/ids.ts';
import type { Node } from '../../../../src/store/format/node.ts';
import { type Order, orderNodes } from '../../../../src/store/history/order.ts';

const common = { mode: 0, atime: '', ctime: '', uid: 0, gid: 0 };
const file = (name: string, size = 0, mtime = '2026-01-01T00:00:00Z'): Node => ({
  ...common,
  name,
  type: 'file',
  size,
  mtime,
  content: [],
});
const folder = (name: string, mtime = '2026-01-01T00:00:00Z'): Node => ({
  ...common,
  name,
  type: 'dir',
  mtime,
  subtree: '' as TreeId,
});
const names = async (nodes: readonly Node[], order: Order) =>
  (await orderNodes(nodes, order, 'en-GB')).map(({ name }) => name);

describe('a folder in the order of people', () => {
  it('has folders first, numbers by their value, and no regard to case and accents', async () => {
    const nodes = ['b', 'A', 'file 10', 'file 9', 'Émile', 'emil', 'Zoe'].map((name) => file(name));
    expect(await names([...nodes, folder('z 2'), folder('Z 10')], 'name')).toEqual([
      'z 2',
      'Z 10',
      'A',
      'b',
      'emil',
      'Émile',
      'file 9',
      'file 10',
      'Zoe',
    ]);
  });

  it('has the largest first, and what changed last first; what is equal stands by its name', async () => {
    const nodes = [
      file('b', 5, '2026-01-02T00:00:00+09:00'),
      file('a', 5, '2026-01-01T20:00:00Z'),
      file('c', 9, 'none'),
      folder('d'),
    ];
    expect(await names(nodes, 'size')).toEqual(['d', 'c', 'a', 'b']);
    expect(await names(nodes, 'changed')).toEqual(['d', 'a', 'b', 'c']);
  });

  it('is the same whatever order it came in, also for names that a collator takes for one', async () => {
    const twins = ['e\u0301', '\u00e9', 'a\u0000', 'a'].map((name) => file(name));
    expect(await names(twins, 'name')).toEqual(await names(twins.toReversed(), 'name'));
  });
});

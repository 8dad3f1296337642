import { beforeEach, describe, expect, test } from 'vitest';
import { fileNode } from '../../../src/store/archiver/nodes.ts';
import { openCountBelow } from '../../../src/store/archiver/parent.ts';
import { type DataId, idOf, type TreeId } from '../../../src/store/format/ids.ts';
import { modeBits, type Node } from '../../../src/store/format/node.ts';
import type { Tree } from '../../../src/store/format/tree.ts';
import { treeIdOf } from '../../support/fixtures/tree-id.ts';

const trees = new Map<string, Tree>();
const lost = new Set<string>();
let loaded: string[];
beforeEach(() => {
  trees.clear();
  lost.clear();
  loaded = [];
});

/** What the archiver asks of a repository to count. */
const repository = {
  index: { has: (_: string, id: string) => !lost.has(id) },
  loadTree: async (id: TreeId) => {
    loaded.push(id);
    return trees.get(id) ?? Promise.reject(new Error('There is no such tree.'));
  },
};

function tree(nodes: readonly Node[]): TreeId {
  const id = treeIdOf({ nodes });
  trees.set(id, { nodes });
  return id;
}
const contentOf = (name: string) => idOf<DataId>(Buffer.from(name));
const file = (name: string): Node => fileNode({ name }, 10, [contentOf(name)]);
const folder = (name: string, subtree: TreeId): Node => ({
  ...file(name),
  type: 'dir',
  mode: modeBits.dir + 0o755,
  subtree,
});

describe('what is below a tree of the parent', () => {
  test('is counted with all its folders, and each tree is read once, whoever asks for it', async () => {
    const inner = tree([file('a'), file('b')]);
    const share = tree([file('c'), folder('inner', inner)]);
    const top = tree([folder('share', share), folder('other', tree([]))]);
    const countBelow = openCountBelow(repository);
    expect(await countBelow(top)).toEqual({ files: 3, dirs: 3, bytes: 30, isWhole: true });
    expect(await countBelow(share)).toEqual({ files: 3, dirs: 1, bytes: 30, isWhole: true });
    expect(await countBelow(inner)).toEqual({ files: 2, dirs: 0, bytes: 20, isWhole: true });
    expect(loaded).toHaveLength(4);
    expect(new Set(loaded).size).toBe(4);
  });

  test('that misses something is looked at again, and nothing beside it', async () => {
    const inner = tree([file('a')]);
    const other = tree([file('b')]);
    const top = tree([folder('inner', inner), folder('other', other)]);
    lost.add(contentOf('a'));
    const countBelow = openCountBelow(repository);
    expect(await countBelow(top)).toEqual({ files: 2, dirs: 2, bytes: 20, isWhole: false });
    lost.clear();
    loaded = [];
    expect(await countBelow(top)).toMatchObject({ isWhole: true });
    expect(loaded).toEqual([top, inner]);
  });

  test('is not whole without one of its trees, and the files of the others count', async () => {
    const inner = tree([file('a')]);
    const top = tree([file('b'), folder('inner', inner)]);
    lost.add(inner);
    expect(await openCountBelow(repository)(top)).toEqual({ files: 1, dirs: 1, bytes: 10, isWhole: false });
    expect(loaded).toEqual([top]);
  });
});

import { expect, test } from 'vitest';
import { dirNode } from '../../../../src/store/archiver/nodes.ts';
import { idOf, type TreeId } from '../../../../src/store/format/ids.ts';
import { encodeTree } from '../../../../src/store/format/tree.ts';
import type { Blobs } from '../../../../src/store/repository/blobs.ts';
import { openTreeReadAhead } from '../../../../src/store/repository/tree-read-ahead.ts';

const bytesOf = new Map<string, Buffer>();
let read: string[] = [];
/** Tells which blobs are read, each as often as it is. */
const reader = {
  loadBlob: async (_: string, id: string) => {
    read.push(id);
    return bytesOf.get(id) ?? Buffer.alloc(0);
  },
  loadBlobs: async function* (_: string, ids: Iterable<string>) {
    for (const id of ids) {
      read.push(id);
      yield { id, bytes: bytesOf.get(id) ?? Buffer.alloc(0) };
    }
  },
} as Pick<Blobs, 'loadBlob' | 'loadBlobs'>;
const store = (subtrees: readonly TreeId[], seed: string): TreeId => {
  const nodes = subtrees.map((subtree, at) => dirNode({ name: `${seed} ${at}` }, subtree));
  const bytes = encodeTree({ nodes: [...nodes, dirNode({ name: seed }, empty)] });
  const id = idOf<TreeId>(bytes);
  bytesOf.set(id, bytes);
  return id;
};
const emptyBytes = encodeTree({ nodes: [] });
const empty = idOf<TreeId>(emptyBytes);
bytesOf.set(empty, emptyBytes);
const children = ['a', 'b', 'c'].map((seed) => store([], seed));
const top = store(children, 'top');

test('the first of some sibling folders brings the others', async () => {
  const loadTree = openTreeReadAhead(reader);
  await loadTree(top);
  read = [];
  for (const id of children) await loadTree(id);
  expect(read.toSorted()).toEqual([...children, empty].toSorted());
});

test('whoever comes back to a folder does not read its siblings again, nor those that its parent names again', async () => {
  const loadTree = openTreeReadAhead(reader);
  for (const id of [top, ...children, top]) await loadTree(id);
  read = [];
  await loadTree(children[1] as TreeId);
  expect(read).toEqual([children[1]]);
});

test('the last ones are kept for who comes back to them, as far as there is room', async () => {
  const loadTree = openTreeReadAhead(reader, bytesOf.get(top)?.length);
  await loadTree(children[0] as TreeId);
  const before = await loadTree(top);
  read = [];
  expect(await loadTree(top)).toEqual(before);
  expect(read).toEqual([]);
  await loadTree(children[0] as TreeId);
  expect(read).toEqual([children[0]]);
});

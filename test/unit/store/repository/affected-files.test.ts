import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DataId, SnapshotId, TreeId } from '../../../../src/store/format/ids.ts';
import type { Node } from '../../../../src/store/format/node.ts';
import { nameAffectedFiles } from '../../../../src/store/repository/affected-files.ts';
import type { Finding } from '../../../../src/store/repository/finding.ts';
import type { Repository } from '../../../../src/store/repository/repository.ts';

const idOf = <Kind>(text: string) => createHash('sha256').update(text).digest('hex') as Kind;
const lost = idOf<DataId>('lost');
const never = '0001-01-01T00:00:00Z';
const common = { mode: 0, mtime: never, atime: never, ctime: never, uid: 0, gid: 0 };
const file = (name: string): Node => ({ ...common, name, type: 'file', size: 1, content: [lost] });
const folder = (name: string, subtree: TreeId): Node => ({ ...common, name, type: 'dir', subtree });
const finding: Finding = {
  kind: 'blob-missing',
  severity: 'error',
  message: 'gone',
  blobs: [{ type: 'data', id: lost }],
};

/** The files that need what is lost, in a snapshot of this root; and how many folders were read. */
async function named(trees: ReadonlyMap<TreeId, readonly Node[]>, root: TreeId) {
  let reads = 0;
  const repository = {
    index: { findAll: () => [] },
    loadTree: async (id: TreeId) => {
      reads += 1;
      return { nodes: trees.get(id) ?? [] };
    },
  } as unknown as Repository;
  const id = idOf<SnapshotId>('snapshot');
  const saved = { id, snapshot: { time: never, tree: root, paths: [] } };
  const [only] = await nameAffectedFiles(repository, [saved], [finding], undefined);
  return { files: only?.files ?? [], reads };
}

test('of very many files in one folder, the first thousand are named', async () => {
  const [root, below] = [idOf<TreeId>('root'), idOf<TreeId>('below')];
  const many = Array.from({ length: 200_000 }, (_, number) => file(`${number}`));
  const { files } = await named(
    new Map([
      [root, [folder('a', below)]],
      [below, many],
    ]),
    root,
  );
  expect(files).toHaveLength(1_000);
  expect(files[999]?.path).toBe('/a/999');
});

test('folders that share each other, level by level, are read once each, whatever they come to', async () => {
  const levels = Array.from({ length: 30 }, (_, level) => idOf<TreeId>(`level ${level}`));
  const trees = new Map(
    levels.map((id, level) => {
      const next = levels[level + 1];
      const nodes = next === undefined ? [file('file')] : ['a', 'b', 'c'].map((name) => folder(name, next));
      return [id, nodes] as const;
    }),
  );
  const { files, reads } = await named(trees, levels[0] ?? idOf<TreeId>(''));
  expect(files).toHaveLength(1_000);
  expect(new Set(files.map(({ path }) => path)).size).toBe(1_000);
  expect(reads).toBe(30);
});

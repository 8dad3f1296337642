import { describe, expect, it } from 'vitest';
import type { TreeId } from '../../../../src/store/format/ids.ts';
import { openBudget } from '../../../../src/store/history/budget.ts';
import { type Change, compareTrees } from '../../../../src/store/history/compare.ts';
import type { History } from '../../../../src/store/history/history.ts';
import { historyOf } from '../../../support/fixtures/history.ts';

const text = (content: string) => Buffer.from(content);

async function compared({ repository, snapshots }: History, entries = 100_000) {
  const [before, after] = snapshots.map(({ snapshot }) => snapshot.tree);
  const read: TreeId[] = [];
  const loadTree = (id: TreeId) => {
    read.push(id);
    return repository.loadTree(id);
  };
  const walk = compareTrees({ loadTree }, { before, after }, openBudget(entries));
  const changes: Change[] = [];
  for (let next = await walk.next(); ; next = await walk.next()) {
    if (next.done) return { changes: changes.map(({ what, path }) => `${what} ${path}`), isComplete: next.value, read };
    changes.push(next.value);
  }
}

describe('what changed between two folders', () => {
  it('is new, changed or gone, by its content, in the order of the names; what came or went whole is named once', async () => {
    const same = { deep: { x: text('x') } };
    const { history } = await historyOf(
      { same, sub: { a: text('1'), b: text('2') }, gone: { much: text('m') }, kind: text('a file'), z: text('z') },
      {
        same,
        sub: { a: text('1'), b: text('3'), c: text('4') },
        kind: { now: text('a folder') },
        new: { n: text('n') },
        z: text('z'),
      },
    );
    const { changes, isComplete, read } = await compared(history);
    expect(changes).toEqual(['gone gone', 'changed kind', 'new new', 'changed sub/b', 'new sub/c']);
    expect(isComplete).toBe(true);
    expect(read).toHaveLength(4);
  });

  it('is nothing, and nothing is read, where the folders are the same', async () => {
    const { history } = await historyOf({ a: text('a') }, { a: text('a') });
    expect(await compared(history)).toEqual({ changes: [], isComplete: true, read: [] });
  });

  it('is everything where there was no folder, and where there is none any more', async () => {
    const { history } = await historyOf({ a: text('a'), b: text('b') });
    const tree = history.snapshots[0]?.snapshot.tree;
    const all = async (trees: { before: TreeId | undefined; after: TreeId | undefined }) =>
      (await Array.fromAsync(compareTrees(history.repository, trees, openBudget(1000)))).map(
        ({ what, path }) => `${what} ${path}`,
      );
    expect(await all({ before: undefined, after: tree })).toEqual(['new a', 'new b']);
    expect(await all({ before: tree, after: undefined })).toEqual(['gone a', 'gone b']);
  });

  it('says that it was cut short where the budget ended', async () => {
    const many = (content: string) =>
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, { a: text(content + index) }]));
    const { history } = await historyOf(many('1'), many('2'));
    const { changes, isComplete } = await compared(history, 300);
    expect(isComplete).toBe(false);
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.length).toBeLessThan(50);
  });
});

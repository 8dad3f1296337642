import { describe, expect, it } from 'vitest';
import { openBudget } from '../../../../src/store/history/budget.ts';
import { otherStates, pathAtNights, versionsOf } from '../../../../src/store/history/nights.ts';
import { weigh } from '../../../../src/store/history/weigh.ts';
import { dayOf, historyOf } from '../../../support/fixtures/history.ts';

const plenty = () => openBudget(1_000_000);
const text = (content: string) => Buffer.from(content);

describe('a path over the nights', () => {
  const nights = () =>
    historyOf(
      { files: { a: text('one'), other: text('1') } },
      { files: { a: text('one'), other: text('2') } },
      { files: { other: text('3') } },
      { files: { a: text('two'), other: text('4') } },
      { files: { a: text('two'), other: text('5') } },
    );

  it('is the same while its content is, gone while it is not there', async () => {
    const { history } = await nights();
    const seen = await pathAtNights(history, history.snapshots, 'files/a', plenty());
    const contents = seen.map(({ sight }) => sight?.content);
    expect(contents[0]).toBe(contents[1]);
    expect(contents[2]).toBeUndefined();
    expect(seen[2]?.sight).toBeNull();
    expect(contents[3]).toBe(contents[4]);
    expect(contents[3]).not.toBe(contents[0]);
    expect((await pathAtNights(history, history.snapshots, 'files', plenty())).map(({ sight }) => sight?.type)).toEqual(
      Array(5).fill('dir'),
    );
    expect(
      (await pathAtNights(history, history.snapshots, 'files/a/b', plenty())).every(({ sight }) => sight === null),
    ).toBe(true);
  });

  it('was another in the nearest nights before and after that are not the same', async () => {
    const { history } = await nights();
    const around = async (night: number, path: string) => {
      const at = history.snapshots[night - 1];
      if (at === undefined) throw new Error('No such night.');
      const { earlier, later } = await otherStates(history, at, path, plenty());
      return [earlier && dayOf(earlier), later && dayOf(later)];
    };
    expect(await around(1, 'files/a')).toEqual([undefined, 4]);
    expect(await around(5, 'files/a')).toEqual([2, undefined]);
    expect(await around(3, 'files/a')).toEqual([2, 4]);
    expect(await around(3, '')).toEqual([2, 4]);
  });

  it('is left open where the budget ends, and costs nothing the second time', async () => {
    const { history } = await nights();
    const small = openBudget(60);
    const first = await pathAtNights(history, history.snapshots, 'files/a', small);
    expect(first[0]?.sight?.content).toBeDefined();
    expect(first.at(-1)?.sight).toBeUndefined();
    await pathAtNights(history, history.snapshots, 'files/a', plenty());
    expect(
      (await pathAtNights(history, history.snapshots, 'files/a', openBudget(0))).every(
        ({ sight }) => sight !== undefined,
      ),
    ).toBe(true);
  });

  it('is looked for no further once the reader is gone', async () => {
    const { history } = await nights();
    const gone = openBudget(1000, AbortSignal.abort(new Error('gone')));
    await expect(pathAtNights(history, history.snapshots, 'files/a', gone)).rejects.toThrow('gone');
  });
});

describe('the weight of a folder', () => {
  it('counts all files below it, and says nothing where it could not reach them', async () => {
    const { history } = await historyOf({
      a: text('12345'),
      sub: { b: text('123'), deep: { c: text('1') }, none: {} },
    });
    const tree = history.snapshots[0]?.snapshot.tree;
    if (tree === undefined) throw new Error('There is no snapshot.');
    expect(await weigh(history, tree, openBudget(1))).toBeUndefined();
    expect(await weigh(history, tree, plenty())).toEqual({ files: 3, bytes: 9 });
    expect(await weigh(history, tree, openBudget(0))).toEqual({ files: 3, bytes: 9 });
  });

  it('tells apart what Nightkeep keeps of mailboxes beside their messages', async () => {
    const { history } = await historyOf({
      a: { 'b [1].eml': text('12345'), 'mailbox.json': text('{}') },
      c: { 'mailbox.json': text('{ }'), d: { 'mailbox.json': {} } },
    });
    const tree = history.snapshots[0]?.snapshot.tree;
    if (tree === undefined) throw new Error('There is no snapshot.');
    const weight = { files: 3, bytes: 10, records: { files: 2, bytes: 5 } };
    expect(await weigh(history, tree, plenty())).toEqual(weight);
    expect(await weigh(history, tree, openBudget(0))).toEqual(weight);
  });
});

describe('the names that not every system can hold', () => {
  it('are counted with the weight of a folder, and the first ten of them are named by their paths', async () => {
    const odd = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n}?`, text('')]));
    const { history } = await historyOf({ A: { ...odd }, a: { 'B.txt': text(''), 'b.txt': text(''), NUL: text('') } });
    const tree = history.snapshots[0]?.snapshot.tree;
    if (tree === undefined) throw new Error('There is no snapshot.');
    for (const budget of [plenty(), openBudget(0)]) {
      const found = (await weigh(history, tree, budget))?.odd;
      expect(found?.count).toBe(12);
      expect(found?.named.map(({ path, why }) => `${why} ${path}`)).toEqual([
        ...Array.from({ length: 9 }, (_, n) => `windows A/${n}?`),
        'case a',
      ]);
    }
    const below = await history.repository.loadTree(tree);
    const a = below.nodes.find(({ name }) => name === 'a');
    if (a?.type !== 'dir') throw new Error('There is no folder.');
    expect((await weigh(history, a.subtree, plenty()))?.odd).toEqual({
      count: 2,
      named: [
        { path: 'NUL', why: 'renamed', as: '_NUL' },
        { path: 'b.txt', why: 'case', like: 'B.txt' },
      ],
    });
  });
});

describe('the versions of a file', () => {
  it('are its contents, newest first, over the nights in which each stayed', async () => {
    const { history } = await historyOf(
      { a: text('one') },
      { a: text('one'), b: text('b') },
      { b: text('b') },
      { a: text('one') },
      { a: text('two') },
      { a: { now: text('a folder') } },
      { a: text('two') },
    );
    const { versions, isComplete } = await versionsOf(history, 'a', plenty());
    expect(isComplete).toBe(true);
    expect(versions.map(({ first, last, sight }) => [dayOf(first), dayOf(last), sight.type])).toEqual([
      [7, 7, 'file'],
      [6, 6, 'dir'],
      [5, 5, 'file'],
      [4, 4, 'file'],
      [1, 2, 'file'],
    ]);
  });

  it('say that there may be older ones where the budget ended', async () => {
    const { history } = await historyOf({ a: text('1') }, { a: text('2') }, { a: text('3') });
    const { versions, isComplete } = await versionsOf(history, 'a', openBudget(30));
    expect(isComplete).toBe(false);
    expect(versions.map(({ last }) => dayOf(last))).toEqual([3, 2]);
  });

  it('of a path that never was are none', async () => {
    const { history } = await historyOf({ a: text('1') });
    expect(await versionsOf(history, 'x', plenty())).toEqual({ versions: [], isComplete: true });
  });
});

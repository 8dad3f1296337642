import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import { openBudget } from '../../../../src/store/history/budget.ts';
import { compareTrees } from '../../../../src/store/history/compare.ts';
import type { History } from '../../../../src/store/history/history.ts';
import { otherStates, pathAtNights, versionsOf } from '../../../../src/store/history/nights.ts';
import { searchNames } from '../../../../src/store/history/search.ts';
import { weigh } from '../../../../src/store/history/weigh.ts';
import { dayOf, historyOf } from '../../../support/fixtures/history.ts';

const text = (content: string) => Buffer.from(content);
const budget = () => openBudget(1_000_000);

/** Four nights of a file that changes, of which the folder of the second cannot be read. */
async function damaged(): Promise<History> {
  const nights = [1, 2, 3, 4].map((night) => ({
    files: { a: text(`${night}`), [`only ${night}`]: text('') },
    fine: { b: text(`b${night}`) },
  }));
  const { history } = await historyOf(...nights);
  const [, second] = history.snapshots;
  if (second === undefined) throw new Error('There is no second night.');
  const [folder] = (await history.repository.loadTree(second.snapshot.tree)).nodes;
  const loadTree: History['repository']['loadTree'] = async (id) => {
    if (folder?.type === 'dir' && id === folder.subtree)
      throw new AppError('repository/damaged', 'That pack is damaged.');
    return history.repository.loadTree(id);
  };
  return { ...history, snapshots: history.snapshots, repository: { ...history.repository, loadTree } };
}

describe('a damaged folder of one night', () => {
  it('hides neither the other nights nor the other versions of a file', async () => {
    const history = await damaged();
    const known = (await pathAtNights(history, history.snapshots, 'files/a', budget())).map(
      ({ sight }) => sight !== undefined,
    );
    expect(known).toEqual([true, false, true, true]);
    const { versions, isComplete } = await versionsOf(history, 'files/a', budget());
    expect(versions.map(({ last }) => dayOf(last))).toEqual([4, 3, 1]);
    expect(isComplete).toBe(false);
    const third = history.snapshots[2];
    if (third === undefined) throw new Error('There is no third night.');
    const { earlier } = await otherStates(history, third, 'files/a', budget());
    expect(earlier && dayOf(earlier)).toBe(1);
  });

  it('is left out of sums, comparisons and searches, and counted', async () => {
    const history = await damaged();
    const [first, second] = history.snapshots.map(({ snapshot }) => snapshot.tree);
    if (first === undefined || second === undefined) throw new Error('There are not enough nights.');
    expect(await weigh(history, second, budget())).toBeUndefined();
    const comparing = budget();
    const changes = await Array.fromAsync(
      compareTrees(history.repository, { before: first, after: second }, comparing),
    );
    expect([changes.map(({ path }) => path), comparing.damaged]).toEqual([['fine/b'], 1]);
    const searching = budget();
    const found = await Array.fromAsync(
      searchNames(history, history.snapshots.toReversed(), { text: 'only', path: '' }, searching),
    );
    expect([found.map(({ path }) => path), searching.damaged]).toEqual([
      ['files/only 4', 'files/only 3', 'files/only 1'],
      1,
    ]);
  });
});

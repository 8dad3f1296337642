import { describe, expect, it } from 'vitest';
import { openBudget } from '../../../../src/store/history/budget.ts';
import type { History } from '../../../../src/store/history/history.ts';
import { searchNames } from '../../../../src/store/history/search.ts';
import { dayOf, historyOf } from '../../../support/fixtures/history.ts';

const text = (content: string) => Buffer.from(content);

async function search(history: History, wanted: { text: string; path?: string }, entries = 100_000) {
  const newestFirst = history.snapshots.toReversed();
  const walk = searchNames(history, newestFirst, { path: '', ...wanted }, openBudget(entries));
  const found: string[] = [];
  for (let next = await walk.next(); ; next = await walk.next()) {
    if (next.done) return { found: found.sort(), ...next.value };
    found.push(`${next.value.path} ${dayOf(next.value.last)}`);
  }
}

describe('a search over all nights', () => {
  const nights = () =>
    historyOf(
      { files: { 'Novel.odt': text('1'), old: { 'my novel.txt': text('o') } } },
      { files: { 'Novel.odt': text('2'), novels: { 'x.txt': text('x') } } },
      { files: { novels: { 'x.txt': text('x'), 'NOVEL 2.odt': text('n') }, Übung: { 'u\u0308ben.txt': text('u') } } },
    );

  it('finds files and folders whatever the case, each once, with the night in which it was last there', async () => {
    const { history } = await nights();
    expect(await search(history, { text: 'novel' })).toMatchObject({
      found: ['files/Novel.odt 2', 'files/novels 3', 'files/novels/NOVEL 2.odt 3', 'files/old/my novel.txt 1'],
      nights: 3,
    });
  });

  it('takes accents for the same however they are spelled', async () => {
    const { history } = await nights();
    expect((await search(history, { text: 'Üb' })).found).toEqual(['files/Übung 3', 'files/Übung/u\u0308ben.txt 3']);
  });

  it('looks below one folder alone where that is asked', async () => {
    const { history } = await nights();
    expect((await search(history, { text: 'novel', path: 'files/old' })).found).toEqual(['files/old/my novel.txt 1']);
    expect((await search(history, { text: 'novel', path: 'nowhere' })).found).toEqual([]);
  });

  it('reads a folder once over all nights in which it is the same', async () => {
    const same = { files: { deep: { deeper: { 'a.txt': text('a') } } } };
    const { history } = await historyOf(
      ...Array.from({ length: 9 }, (_, index) => ({ ...same, [`n${index}`]: text(`${index}`) })),
    );
    let read = 0;
    const loadTree: typeof history.repository.loadTree = (id) => {
      read += 1;
      return history.repository.loadTree(id);
    };
    const counted = { ...history, snapshots: history.snapshots, repository: { ...history.repository, loadTree } };
    expect((await search(counted, { text: 'a.txt' })).found).toEqual(['files/deep/deeper/a.txt 9']);
    expect(read).toBe(9 + 3);
  });

  it('finds the same folder at each path where it lies', async () => {
    const twin = { 'a.txt': text('a') };
    const { history } = await historyOf({ one: twin, two: twin });
    expect((await search(history, { text: 'A.TXT' })).found).toEqual(['one/a.txt 1', 'two/a.txt 1']);
  });

  it('says where it stopped when the budget ended', async () => {
    const { history } = await nights();
    const short = await search(history, { text: 'novel' }, 70);
    expect(short.nights).toBeLessThan(3);
    expect(short.stoppedAt && dayOf(short.stoppedAt)).toBe(3 - short.nights);
  });
});

import { expect, test } from 'vitest';
import { openBudget } from '../../../../src/store/history/budget.ts';
import { countLost } from '../../../../src/store/history/lost-content.ts';
import { historyOf } from '../../../support/fixtures/history.ts';
import type { Folder } from '../../../support/fixtures/repository.ts';

const text = (content: string) => Buffer.from(content);
const all: Parameters<typeof countLost>[2] = { beside: undefined, mostLost: 100 };

async function lostBetween(before: Folder, after: Folder, asked = all, budget = openBudget(1_000)) {
  const { history } = await historyOf(before, after);
  const [former, latter] = history.snapshots.map(({ snapshot }) => snapshot.tree);
  return countLost(history.repository, { before: former, after: latter }, asked, budget);
}

const home = { docs: { a: text('1'), b: text('2') }, c: text('3'), d: text('4') };

test.each<[string, Folder, Folder, object]>([
  ['nothing of what stays', home, home, { before: 4, gone: 0, changed: 0 }],
  ['all where nothing is left', home, {}, { before: 4, gone: 4, changed: 0 }],
  ['nothing of a folder with another name', home, { papers: home.docs, c: home.c, d: home.d }, { gone: 0 }],
  ['nothing of what lies deeper', home, { deep: { down: home } }, { before: 4, gone: 0, changed: 0 }],
  ['nothing of two that changed places', home, { ...home, c: home.d, d: home.c }, { gone: 0, changed: 0 }],
  ['nothing of one of two copies', { x: { a: text('1') }, y: { a: text('1') } }, { y: { a: text('1') } }, { gone: 0 }],
  ['both copies', { x: text('1'), y: text('1'), z: text('2') }, { z: text('2') }, { before: 3, gone: 2 }],
  ['what has another content', home, { ...home, c: text('new') }, { before: 4, gone: 0, changed: 1 }],
  ['what is a folder now', home, { ...home, c: { in: text('new') } }, { before: 4, gone: 1, changed: 0 }],
  ['what was in a folder that is a file now', home, { ...home, docs: text('new') }, { before: 4, gone: 2, changed: 0 }],
  ['nothing to what is new', home, { ...home, e: text('5'), more: home }, { before: 4, gone: 0, changed: 0 }],
])('counts %s as lost', async (_, before, after, lost) => {
  expect(await lostBetween(before, after)).toMatchObject(lost);
});

test('passes over what is kept beside the files', async () => {
  const mailbox = (messages: Folder, record: string) => ({ ...messages, 'mailbox.json': text(record) });
  const asked = { ...all, beside: 'mailbox.json' };
  const before = { inbox: mailbox({ a: text('1') }, 'one'), sent: mailbox({}, 'none') };
  expect(await lostBetween(before, { inbox: mailbox({}, 'none') }, asked)).toEqual({ before: 1, gone: 1, changed: 0 });
});

test('does not say where there is too much to look at', async () => {
  expect(await lostBetween(home, {}, { ...all, mostLost: 3 })).toBeUndefined();
  expect(await lostBetween(home, { papers: home.docs }, all, openBudget(50))).toBeUndefined();
});
